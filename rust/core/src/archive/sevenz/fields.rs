//! The fields of a 7z header: bytes, numbers of one to nine bytes, bit vectors.

/// The reason for a header whose fields contradict each other or end too early.
pub const DAMAGED: &str = "its list of members is damaged";

/// Length in bytes of the start header before the data. The positions of packed streams count from its end.
pub const START_LENGTH: u64 = 32;

/// Ends each section of a header.
pub const END: u8 = 0;

/// A header that is read from start to end.
pub struct FieldReader<'a>(&'a [u8]);

impl<'a> FieldReader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the number of remaining bytes.
    pub fn remaining(&self) -> usize {
        self.0.len()
    }

    /// Returns the next bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (bytes, rest) = self.0.split_at_checked(count).ok_or(DAMAGED)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        Ok(*self.bytes(N)?.first_chunk().ok_or(DAMAGED)?)
    }

    /// Returns one byte.
    pub fn byte(&mut self) -> Result<u8, String> {
        self.array().map(|[byte]| byte)
    }

    /// Returns a 32-bit number.
    pub fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    /// Returns a 64-bit number.
    pub fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    /// Returns a number of one to nine bytes: the leading one bits of the first byte count the bytes that follow.
    pub fn number(&mut self) -> Result<u64, String> {
        let first = self.byte()?;
        let more = first.leading_ones() as usize;
        let mut wide = [0; 8];
        let low = self.bytes(more)?;
        wide.get_mut(..more).ok_or(DAMAGED)?.copy_from_slice(low);
        let high = match more {
            0..7 => u64::from(first & (0x7f >> more)) << (8 * more),
            _ => 0,
        };
        Ok(u64::from_le_bytes(wide) | high)
    }

    /// Returns a count or an index; more than `most` is damage.
    pub fn count(&mut self, most: usize) -> Result<usize, String> {
        let count = usize::try_from(self.number()?).map_err(|_| DAMAGED)?;
        (count <= most)
            .then_some(count)
            .ok_or_else(|| DAMAGED.into())
    }

    /// Returns a bit vector, the highest bit of each byte first.
    pub fn bits(&mut self, count: usize) -> Result<Vec<bool>, String> {
        let bytes = self.bytes(count.div_ceil(8))?;
        let bits = bytes
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
        Ok(bits.take(count).collect())
    }

    /// Returns a bit vector that follows a zero byte. Another byte says that all bits are set, and no vector follows.
    pub fn bits_or_all(&mut self, count: usize) -> Result<Vec<bool>, String> {
        if self.byte()? != 0 {
            return Ok(vec![true; count]);
        }
        self.bits(count)
    }

    /// Returns the CRC-32 of each of `count` items; None for an item without one.
    pub fn digests(&mut self, count: usize) -> Result<Vec<Option<u32>>, String> {
        let defined = self.bits_or_all(count)?;
        let read = |defined: bool| defined.then(|| self.u32()).transpose();
        defined.into_iter().map(read).collect()
    }

    /// Reads one byte, which must be `expected`: the id of a section, or the only supported value.
    pub fn expect(&mut self, expected: u8) -> Result<(), String> {
        if self.byte()? == expected {
            Ok(())
        } else {
            Err(DAMAGED.into())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_number_takes_one_to_nine_bytes() {
        let of = |bytes: &[u8]| FieldReader::new(bytes).number();
        assert_eq!(of(&[0x7f]).unwrap(), 0x7f);
        assert_eq!(of(&[0x81, 2]).unwrap(), 0x102);
        assert_eq!(of(&[0xc1, 2, 3]).unwrap(), 0x1_0302);
        assert_eq!(
            of(&[0xfe, 1, 2, 3, 4, 5, 6, 7]).unwrap(),
            0x07_0605_0403_0201
        );
        assert_eq!(of(&[0xff; 9]).unwrap(), u64::MAX);
        assert!(of(&[0xff; 8]).is_err());
        assert!(of(&[]).is_err());
    }

    #[test]
    fn bits_begin_at_the_top_of_each_byte() {
        let bits = FieldReader::new(&[0b1010_0000, 0b1000_0000])
            .bits(9)
            .unwrap();
        assert_eq!(
            bits,
            [true, false, true, false, false, false, false, false, true]
        );
    }
}
