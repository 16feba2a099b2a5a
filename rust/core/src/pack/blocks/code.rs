//! One Huffman code of a block.

use super::bits::Bits;

/// Codes up to this length in bits use a lookup table; longer ones are rare and read bit by bit.
const FAST_LENGTH: u32 = 10;
/// Length of the longest code in bits.
const MAX_LENGTH: usize = 15;

/// Meaning of a symbol: one byte of content. (Symbols of distances have this meaning, too; it is not used.)
pub const LITERAL: u16 = 0;
/// Meaning of a symbol: a copy of earlier content; a distance follows.
pub const MATCH: u16 = 1;
/// Meaning of a symbol: the end of the block.
pub const END: u16 = 2;
/// The entry of an invalid symbol.
pub const INVALID: u16 = u16::MAX;

/// One Huffman code: a table for short codes, and what is needed to read longer ones (RFC 1951, 3.2.2).
#[derive(Default)]
pub struct Code {
    /// For the next [`FAST_LENGTH`] bits: `length | extra << 4 | meaning << 8` (code length, number of extra bits,
    /// meaning); 0 for longer, invalid and missing codes.
    fast_table: Vec<u16>,
    /// Number of codes of each length.
    counts: [u16; MAX_LENGTH + 1],
    /// Entry of each symbol (`extra << 4 | meaning << 8`: number of extra bits, meaning), in the order of the codes.
    entries: Vec<u16>,
}

impl Code {
    /// Builds the code from the code length of each symbol, 0 for unused symbols. `entry_of` returns the entry of a
    /// symbol: its number of extra bits and its meaning (`extra << 4 | meaning << 8`), or [`INVALID`]. Returns None if a
    /// length is above [`MAX_LENGTH`], or if there are more codes of a length than bits can distinguish.
    pub fn set(&mut self, lengths: &[u8], entry_of: fn(u16) -> u16) -> Option<()> {
        self.counts = [0; MAX_LENGTH + 1];
        for &length in lengths {
            *self.counts.get_mut(usize::from(length))? += 1;
        }
        if let Some(none) = self.counts.first_mut() {
            *none = 0;
        }
        let mut starts = [0u16; MAX_LENGTH + 2];
        let mut first_codes = [0u32; MAX_LENGTH + 2];
        let (mut start, mut code) = (0u16, 0u32);
        for (length, &count) in self.counts.iter().enumerate().skip(1) {
            code <<= 1;
            *starts.get_mut(length)? = start;
            *first_codes.get_mut(length)? = code;
            start += count;
            code += u32::from(count);
            if code > 1 << length {
                return None;
            }
        }
        self.entries.clear();
        self.entries.resize(usize::from(start), INVALID);
        self.fast_table.clear();
        self.fast_table.resize(1 << FAST_LENGTH, 0);
        for (symbol, &length) in (0u16..).zip(lengths) {
            if length == 0 {
                continue;
            }
            let place = starts.get_mut(usize::from(length))?;
            let entry = entry_of(symbol);
            *self.entries.get_mut(usize::from(*place))? = entry;
            *place += 1;
            let code = first_codes.get_mut(usize::from(length))?;
            self.set_fast_entries(*code, u32::from(length), entry);
            *code += 1;
        }
        Some(())
    }

    /// Sets the entries of the table for a code, if it is short.
    fn set_fast_entries(&mut self, code: u32, length: u32, entry: u16) {
        if length > FAST_LENGTH || entry == INVALID {
            return;
        }
        let reversed = code.reverse_bits() >> (32 - length);
        let value = entry | u16::try_from(length).unwrap_or(0);
        for high in 0..1u32 << (FAST_LENGTH - length) {
            if let Some(place) = self
                .fast_table
                .get_mut((high << length | reversed) as usize)
            {
                *place = value;
            }
        }
    }

    /// Returns the meaning of the next symbol, and skips its code and extra bits; None for an invalid symbol.
    #[inline]
    pub fn next(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let at = usize::try_from(bits.ahead() & ((1 << FAST_LENGTH) - 1)).ok()?;
        let entry = *self.fast_table.get(at)?;
        if entry == 0 {
            return self.next_long(bits);
        }
        bits.drop_bits(u32::from(entry & 15) + u32::from(entry >> 4 & 15));
        Some(entry >> 8)
    }

    /// The same as [`Code::next`], bit by bit.
    #[cold]
    fn next_long(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for length in 1..=MAX_LENGTH {
            code |= u32::try_from(bits.take(1)?).ok()?;
            let count = u32::from(*self.counts.get(length)?);
            if code < first + count {
                let entry = *self.entries.get((index + code - first) as usize)?;
                if entry == INVALID {
                    return None;
                }
                bits.drop_bits(u32::from(entry >> 4 & 15));
                return Some(entry >> 8);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}
