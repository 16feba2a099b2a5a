//! How a member is encrypted.

use super::extra::extra_field;
use super::traditional;
use super::winzip_aes::{self, CODE, Field, VERIFIER};

/// How a member is encrypted, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// In the traditional way (APPNOTE 6.1); the last byte of the member's head must be this one.
    Traditional(u8),
    /// By WinZip's AES.
    Aes(Field),
    /// In a way that no password opens here, and why.
    Closed(Why),
}

/// Why no password opens a member here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// PKWARE's strong encryption.
    Strong,
    /// Method 99 without a sound field of AE-1 or AE-2.
    Field,
}

impl Why {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Strong => UNKNOWN,
            Self::Field => BROKEN,
        }
    }
}

const STRONG: u16 = 1 << 6;
const MASKED: u16 = 1 << 13;
const UNKNOWN: &str = "encrypted in a way that cannot be opened (strong encryption, APPNOTE 7)";
const BROKEN: &str =
    "encrypted in a way that cannot be opened (method 99, its field 0x9901 is missing or wrong)";

impl Lock {
    /// Reads it from a header's flags, method, CRC, DOS time and extra fields; None for a member in clear.
    #[must_use]
    pub fn of(flags: u16, method: u16, crc: u32, time: u16, extra: &[u8]) -> Option<Self> {
        if flags & 1 == 0 && method != winzip_aes::METHOD {
            return None;
        }
        if flags & (STRONG | MASKED) != 0 {
            return Some(Self::Closed(Why::Strong));
        }
        if method == winzip_aes::METHOD {
            let field = extra_field(extra, winzip_aes::FIELD).and_then(Field::parse);
            return Some(field.map_or(Self::Closed(Why::Field), Self::Aes));
        }
        // Who writes the CRC behind the data does not know it yet when the head is written, and takes the time.
        let ([.., of_crc], [.., of_time]) = (crc.to_le_bytes(), time.to_le_bytes());
        let later = flags & 8 != 0;
        Some(Self::Traditional(if later { of_time } else { of_crc }))
    }

    /// Bytes that stand before and behind the packed ones.
    pub(super) fn around(self) -> (usize, usize) {
        match self {
            Self::Traditional(_) => (traditional::HEAD, 0),
            Self::Aes(field) => (field.salt() + VERIFIER, CODE),
            Self::Closed(_) => (0, 0),
        }
    }
}
