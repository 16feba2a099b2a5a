//! The encryption of a member, recognised by the fields of its header.

use super::extra::extra_field;
use super::traditional;
use super::winzip_aes::{self, AesField, CODE_LENGTH, VERIFIER_LENGTH};

/// How a member is encrypted, from its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// Traditional encryption (APPNOTE 6.1). The last byte of the decrypted encryption header (12 bytes) must equal
    /// this one.
    Traditional(u8),
    /// WinZip AES.
    Aes(AesField),
    /// An unsupported encryption, and the reason.
    Unsupported(UnsupportedReason),
}

/// Why an encryption is unsupported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsupportedReason {
    /// PKWARE strong encryption.
    Strong,
    /// Method 99 without a valid AE-1 or AE-2 field.
    Field,
}

impl UnsupportedReason {
    /// Returns the reason as text.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Strong => STRONG_REASON,
            Self::Field => FIELD_REASON,
        }
    }
}

/// Flags (APPNOTE 4.4.4): strong encryption, and masked values in the headers because the central directory is
/// encrypted.
const STRONG: u16 = 1 << 6;
const MASKED: u16 = 1 << 13;
const STRONG_REASON: &str =
    "encrypted in a way that cannot be opened (strong encryption, APPNOTE 7)";
const FIELD_REASON: &str =
    "encrypted in a way that cannot be opened (method 99, its field 0x9901 is missing or wrong)";

impl Encryption {
    /// Returns the encryption from flags, method, CRC, DOS time and extra fields; None for an unencrypted member.
    #[must_use]
    pub fn of(flags: u16, method: u16, crc: u32, time: u16, extra: &[u8]) -> Option<Self> {
        if flags & 1 == 0 && method != winzip_aes::METHOD {
            return None;
        }
        if flags & (STRONG | MASKED) != 0 {
            return Some(Self::Unsupported(UnsupportedReason::Strong));
        }
        if method == winzip_aes::METHOD {
            let field = extra_field(extra, winzip_aes::FIELD_ID).and_then(AesField::parse);
            return Some(field.map_or(Self::Unsupported(UnsupportedReason::Field), Self::Aes));
        }
        // A writer that stores the CRC after the data does not know it when it writes the header, and uses the time.
        let ([.., of_crc], [.., of_time]) = (crc.to_le_bytes(), time.to_le_bytes());
        let crc_after_data = flags & 8 != 0;
        Some(Self::Traditional(if crc_after_data {
            of_time
        } else {
            of_crc
        }))
    }

    /// Returns the number of bytes that the encryption adds before and after the packed data.
    pub(super) fn lengths_around_data(self) -> (usize, usize) {
        match self {
            Self::Traditional(_) => (traditional::HEAD_LENGTH, 0),
            Self::Aes(field) => (field.salt_length() + VERIFIER_LENGTH, CODE_LENGTH),
            Self::Unsupported(_) => (0, 0),
        }
    }
}
