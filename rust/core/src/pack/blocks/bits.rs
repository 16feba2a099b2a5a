//! The bits of a deflate stream.

/// Reads the bits of bytes, the low bit of each byte first.
pub struct Bits<'a> {
    data: &'a [u8],
    /// Index of the next byte to load.
    next: usize,
    /// The loaded bits, the next one lowest.
    buffer: u64,
    /// Number of loaded bits.
    bit_count: u32,
}

impl<'a> Bits<'a> {
    /// Starts at the first byte.
    pub fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            next: 0,
            buffer: 0,
            bit_count: 0,
        }
    }

    /// Loads bits until at least 56 are loaded; zeros follow the end of the data.
    #[inline]
    pub fn refill(&mut self) {
        if let Some(word) = self
            .data
            .get(self.next..)
            .and_then(<[u8]>::first_chunk::<8>)
        {
            self.buffer |= u64::from_le_bytes(*word) << self.bit_count;
            let bytes = (63 - self.bit_count) / 8;
            self.next += bytes as usize;
            self.bit_count += bytes * 8;
            // The buffer also contains bits of `word` that are not counted yet; the next call loads the same bits there.
            return;
        }
        while self.bit_count <= 56 {
            let byte = self.data.get(self.next).copied().unwrap_or(0);
            self.buffer |= u64::from(byte) << self.bit_count;
            self.next += 1;
            self.bit_count += 8;
        }
    }

    /// Returns None once more than 16 zero bytes after the end of the data were loaded: the stream does not end in the
    /// data.
    #[inline]
    pub fn check_end(&self) -> Option<()> {
        (self.next <= self.data.len() + 16).then_some(())
    }

    /// Returns the number of loaded bits.
    #[inline]
    pub fn bit_count(&self) -> u32 {
        self.bit_count
    }

    /// Returns the loaded bits, the next one lowest.
    #[inline]
    pub fn ahead(&self) -> u64 {
        self.buffer
    }

    /// Skips loaded bits.
    #[inline]
    pub fn drop_bits(&mut self, count: u32) {
        self.buffer >>= count;
        self.bit_count = self.bit_count.saturating_sub(count);
    }

    /// Returns the next `count` bits, at most 32, and skips them; call `refill` first.
    pub fn take(&mut self, count: u32) -> Option<usize> {
        let value = self.buffer & ((1 << count) - 1);
        self.drop_bits(count);
        usize::try_from(value).ok()
    }

    /// Returns the number of bits read so far.
    pub fn position(&self) -> usize {
        self.next * 8 - self.bit_count as usize
    }

    /// Skips the rest of a stored block, after its first three bits. At the next whole byte, its length, the complement
    /// of the length and the content follow (RFC 1951, 3.2.4). Returns None if the two contradict each other, or if the
    /// data end too early.
    pub fn skip_stored(&mut self) -> Option<()> {
        let at = self.position().div_ceil(8);
        let head: &[u8; 4] = self.data.get(at..)?.first_chunk()?;
        let [a, b, c, d] = *head;
        let length = u16::from_le_bytes([a, b]);
        if length != !u16::from_le_bytes([c, d]) {
            return None;
        }
        self.next = at + 4 + usize::from(length);
        (self.buffer, self.bit_count) = (0, 0);
        (self.next <= self.data.len()).then_some(())
    }
}
