//! The bits of a deflate stream.

/// Reads the bits of bytes, the low bit of each byte first.
pub struct Bits<'a> {
    data: &'a [u8],
    next: usize,
    hold: u64,
    held: u32,
}

impl<'a> Bits<'a> {
    /// Starts at the first byte.
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            next: 0,
            hold: 0,
            held: 0,
        }
    }

    /// Loads at least 56 bits; zeros follow the end.
    #[inline]
    pub fn refill(&mut self) {
        if let Some(word) = self
            .data
            .get(self.next..)
            .and_then(<[u8]>::first_chunk::<8>)
        {
            self.hold |= u64::from_le_bytes(*word) << self.held;
            let bytes = (63 - self.held) / 8;
            self.next += bytes as usize;
            self.held += bytes * 8;
            // Bits above `held` are loaded again next time.
            return;
        }
        while self.held <= 56 {
            let byte = self.data.get(self.next).copied().unwrap_or(0);
            self.hold |= u64::from(byte) << self.held;
            self.next += 1;
            self.held += 8;
        }
    }

    /// Returns None if only the zeros after the end are left.
    #[inline]
    pub fn within(&self) -> Option<()> {
        (self.next <= self.data.len() + 16).then_some(())
    }

    /// Returns the number of loaded bits.
    #[inline]
    pub fn held(&self) -> u32 {
        self.held
    }

    /// Returns the loaded bits, the next one lowest.
    #[inline]
    pub fn ahead(&self) -> u64 {
        self.hold
    }

    /// Skips loaded bits.
    #[inline]
    pub fn drop_bits(&mut self, count: u32) {
        self.hold >>= count;
        self.held = self.held.saturating_sub(count);
    }

    /// Returns up to 32 bits; call `refill` first.
    pub fn take(&mut self, count: u32) -> Option<usize> {
        let value = self.hold & ((1 << count) - 1);
        self.drop_bits(count);
        usize::try_from(value).ok()
    }

    /// Returns the number of bits read since the first byte.
    pub fn position(&self) -> usize {
        self.next * 8 - self.held as usize
    }

    /// Skips a stored block: its length and the complement of its length start at the next whole byte.
    pub fn skip_stored(&mut self) -> Option<()> {
        let at = self.position().div_ceil(8);
        let head: &[u8; 4] = self.data.get(at..)?.first_chunk()?;
        let [a, b, c, d] = *head;
        let length = u16::from_le_bytes([a, b]);
        if length != !u16::from_le_bytes([c, d]) {
            return None;
        }
        self.next = at + 4 + usize::from(length);
        (self.hold, self.held) = (0, 0);
        (self.next <= self.data.len()).then_some(())
    }
}
