//! One 512-byte header block of a tar (POSIX.1-1988 ustar, the older v7, GNU).

/// Bytes of a block; a tar consists of blocks.
pub const BLOCK: usize = 512;

/// Returns whether a block has the checksum of a header. Old writers summed signed bytes; both sums are accepted.
#[must_use]
pub fn is_header(block: &[u8]) -> bool {
    let Some(checksum) = block.get(148..156).and_then(number) else {
        return false;
    };
    if block.len() != BLOCK || block.iter().all(|&byte| byte == 0) {
        return false;
    }
    let mut unsigned = 8 * u64::from(b' ');
    let mut signed = 8 * i64::from(b' ');
    for (at, &byte) in block.iter().enumerate() {
        if !(148..156).contains(&at) {
            unsigned += u64::from(byte);
            signed += i64::from(i8::from_ne_bytes([byte]));
        }
    }
    checksum == unsigned || i64::try_from(checksum) == Ok(signed)
}

/// Returns the number in octal digits, or in base 256 if the first bit is set (GNU, for numbers too large for octal). A
/// field of only spaces and zero bytes is 0. None for an invalid or negative number, or one above 64 bits.
#[must_use]
pub fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        let mut value = u64::from(field.first()? & 0x7f);
        // The next bit is the sign: a negative number is invalid here.
        if value & 0x40 != 0 {
            return None;
        }
        for &byte in field.get(1..)? {
            value = value.checked_mul(256)?.checked_add(u64::from(byte))?;
        }
        return Some(value);
    }
    let text = field.split(|&byte| byte == 0).next()?.trim_ascii();
    let mut value = 0u64;
    for &byte in text {
        if !(b'0'..=b'7').contains(&byte) {
            return None;
        }
        value = value.checked_mul(8)?.checked_add(u64::from(byte - b'0'))?;
    }
    Some(value)
}

/// The fields of a header block that are used.
#[derive(Debug, Clone)]
pub struct Header {
    /// Prefix and name of this block, joined; an extension header before it may replace it.
    pub name: Vec<u8>,
    /// Bytes of data after the header.
    pub size: u64,
    /// Kind of the member or extension, as a character.
    pub type_flag: u8,
    /// Target of a link.
    pub link_target: Vec<u8>,
    /// The block itself, for the sparse map of the old GNU format.
    pub block: [u8; BLOCK],
}

impl Header {
    /// Parses a block whose checksum is correct; returns None if its size is not a number.
    #[must_use]
    pub fn parse(block: &[u8; BLOCK]) -> Option<Self> {
        let text = |from: usize, to: usize| -> &[u8] {
            let field = block.get(from..to).unwrap_or_default();
            field.split(|&byte| byte == 0).next().unwrap_or_default()
        };
        let mut name = Vec::new();
        // Headers of the old GNU format (`ustar` and a space) contain times where ustar has the prefix.
        if block.get(257..263) == Some(b"ustar\0") && !text(345, 500).is_empty() {
            name.extend_from_slice(text(345, 500));
            name.push(b'/');
        }
        name.extend_from_slice(text(0, 100));
        Some(Self {
            name,
            size: number(block.get(124..136)?)?,
            type_flag: *block.get(156)?,
            link_target: text(157, 257).to_vec(),
            block: *block,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"  12 \0"), Some(10));
        assert_eq!(number(b"\0\0\0"), Some(0));
        assert_eq!(number(b"\x80\0\0\0\0\0\0\x01\0\0\0\0"), Some(1 << 32));
        assert_eq!(number(b"\xff\xff\xff\xff"), None, "negative");
        assert_eq!(
            number(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            None,
            "above 64 bits"
        );
        assert_eq!(number(b"9"), None);
    }

    #[test]
    fn empty_block_is_no_header() {
        assert!(!is_header(&[0; BLOCK]));
    }
}
