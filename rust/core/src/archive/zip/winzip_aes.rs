//! WinZip AES encryption, AE-1 and AE-2: salt and verifier before the data, an authentication code after them.
//!
//! The specification: "AES Encryption Information: Encryption Specification AE-1 and AE-2" (WinZip, version 1.04).

use aes::{Aes128, Aes192, Aes256};
use ctr::Ctr128LE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::super::source::Fields;

/// The method number of encrypted members; the compression method is in the extra field.
pub const METHOD: u16 = 99;
/// The id of the extra field.
pub const FIELD_ID: u16 = 0x9901;
/// Length of the verifier, which reveals most wrong passwords: one in 65536 passes.
pub const VERIFIER_LENGTH: usize = 2;
/// Length of the authentication code.
pub const CODE_LENGTH: usize = 10;
/// Rounds of the key derivation.
const PBKDF2_ROUNDS: u32 = 1000;

/// The content of the extra field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AesField {
    /// AE-1: the CRC of the content is in the headers. AE-2 omits it, and only the authentication code checks the
    /// bytes.
    pub has_crc: bool,
    /// Compression method of the content.
    pub method: u16,
    /// Length of the key in bytes: 16, 24 or 32.
    key_length: u8,
}

impl AesField {
    /// Reads the body of the extra field (7 bytes); returns None if it is neither AE-1 nor AE-2.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let (&strength, method) = (body.get(4)?, Fields(body).u16(5)?);
        let version = Fields(body).u16(0)?;
        let sound = body.len() == 7
            && body.get(2..4)? == b"AE"
            && matches!(version, 1 | 2)
            && matches!(strength, 1..=3)
            && method != METHOD;
        sound.then(|| Self {
            has_crc: version == 1,
            method,
            key_length: 8 + 8 * strength,
        })
    }

    /// Returns the length of the salt before the data in bytes: half the key length.
    #[must_use]
    pub fn salt_length(&self) -> usize {
        usize::from(self.key_length / 2)
    }

    /// Returns the keys if the verifier accepts the password.
    #[must_use]
    pub fn keys_for_password(&self, password: &[u8], salt: &[u8], verifier: &[u8]) -> Option<Keys> {
        let length = usize::from(self.key_length);
        let mut derived = vec![0; 2 * length + VERIFIER_LENGTH];
        pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, PBKDF2_ROUNDS, &mut derived);
        let (keys, expected) = derived.split_at_checked(2 * length)?;
        let (aes_key, mac_key) = keys.split_at_checked(length)?;
        if expected != verifier {
            return None;
        }
        Some(Keys {
            aes_key: aes_key.to_vec(),
            mac: Hmac::new_from_slice(mac_key).ok()?,
        })
    }
}

/// The keys of one member: each member has its own salt.
pub struct Keys {
    aes_key: Vec<u8>,
    /// Hashes the encrypted bytes with the second key; the result must start with the authentication code.
    pub mac: Hmac<Sha1>,
}

impl Keys {
    /// Returns the cipher that decrypts the bytes in order; None only for a key of wrong length.
    #[must_use]
    pub fn decryptor(&self) -> Option<Box<dyn StreamCipher + Send>> {
        // The counter starts at 1 and is little-endian.
        let counter = 1u128.to_le_bytes();
        let (key, counter) = (self.aes_key.as_slice(), counter.as_slice());
        Some(match key.len() {
            16 => Box::new(Ctr128LE::<Aes128>::new_from_slices(key, counter).ok()?),
            24 => Box::new(Ctr128LE::<Aes192>::new_from_slices(key, counter).ok()?),
            _ => Box::new(Ctr128LE::<Aes256>::new_from_slices(key, counter).ok()?),
        })
    }

    /// Returns whether `code`, the authentication code of the member, is that of the hashed bytes.
    #[must_use]
    pub fn confirms(self, code: &[u8; CODE_LENGTH]) -> bool {
        self.mac.verify_truncated_left(code).is_ok()
    }
}
