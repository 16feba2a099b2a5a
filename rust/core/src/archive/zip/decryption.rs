//! Decrypts a member with one password; the result is its packed (compressed) bytes.

use std::io::{self, Read};

use hmac::Mac;

use super::super::source::{Range, Source};
use super::encryption::Encryption;
use super::entry::Entry;
use super::traditional;
use super::winzip_aes::{self, CODE_LENGTH};
use crate::monitor::{Cancelled, Monitor};

/// The result of trying one password.
pub enum Attempt<'a> {
    /// The password is wrong.
    WrongPassword,
    /// With AES: the verifier before the data accepts the password, but the data are damaged or cannot be read. The
    /// text is the reason.
    Damaged(String),
    /// The packed bytes. With traditional encryption only the CRC-32 of the unpacked content confirms the password.
    Decrypted(Box<dyn Read + Send + 'a>),
}

/// An encrypted member, with the bytes before and after its packed data, by which passwords are checked.
pub struct EncryptedMember<'a> {
    source: &'a dyn Source,
    /// Offsets of the first packed byte (after the salt and verifier, or the encryption header), and of the end.
    range: (u64, u64),
    encryption: Encryption,
    /// The bytes before the packed data: salt and verifier, or encryption header.
    before: Vec<u8>,
    /// The authentication code after the packed data; zeros with traditional encryption.
    code: [u8; CODE_LENGTH],
}

/// Bytes read at once to compute the authentication code.
const BLOCK: usize = 128 << 10;

impl<'a> EncryptedMember<'a> {
    /// Reads the bytes before and after the packed data of a member; `data` is the offset of its salt or encryption
    /// header. An error is the reason as text: an unsupported encryption, or bytes that cannot be read.
    pub fn read(
        source: &'a dyn Source,
        entry: &Entry,
        encryption: Encryption,
        data: u64,
    ) -> Result<Self, String> {
        let decrypted_entry = entry.decrypted_entry(encryption)?;
        let (before, after) = encryption.lengths_around_data();
        let start = data.saturating_add(before as u64);
        let end = start.saturating_add(decrypted_entry.packed_size);
        let mut member = Self {
            source,
            range: (start, end),
            encryption,
            before: vec![0; before],
            code: [0; CODE_LENGTH],
        };
        let code = member.code.get_mut(..after).unwrap_or_default();
        source
            .read_exact_at(&mut member.before, data)
            .and_then(|()| source.read_exact_at(code, end))
            .map_err(|error| super::super::reason(&error))?;
        Ok(member)
    }

    /// Returns the result of trying a password. With AES, checks the authentication code of all bytes before it returns
    /// any.
    pub fn open(&self, password: &[u8], monitor: &Monitor) -> Result<Attempt<'a>, Cancelled> {
        let packed = Range::new(self.source, self.range.0, self.range.1);
        Ok(match self.encryption {
            Encryption::Traditional(check) => {
                let head = self.before.as_slice().try_into().unwrap_or_default();
                match traditional::Keys::for_password(password, head, check) {
                    Some(mut keys) => decrypted(packed, move |bytes| keys.decrypt(bytes)),
                    None => Attempt::WrongPassword,
                }
            }
            Encryption::Aes(field) => {
                let (salt, verifier) = self
                    .before
                    .split_at_checked(field.salt_length())
                    .unwrap_or_default();
                let Some(mut keys) = field.keys_for_password(password, salt, verifier) else {
                    return Ok(Attempt::WrongPassword);
                };
                let Some(mut cipher) = keys.decryptor() else {
                    return Ok(Attempt::WrongPassword);
                };
                match self.hash_encrypted(&mut keys, monitor)? {
                    Err(error) => Attempt::Damaged(super::super::reason(&error)),
                    Ok(()) if keys.confirms(&self.code) => {
                        decrypted(packed, move |bytes| cipher.apply_keystream(bytes))
                    }
                    Ok(()) => {
                        Attempt::Damaged("its authentication code is not that of its bytes".into())
                    }
                }
            }
            Encryption::Unsupported(_) => Attempt::WrongPassword, // `read` refuses it
        })
    }

    /// Adds all encrypted bytes to the MAC of `keys`; returns the error if they cannot be read.
    fn hash_encrypted(
        &self,
        keys: &mut winzip_aes::Keys,
        monitor: &Monitor,
    ) -> Result<io::Result<()>, Cancelled> {
        let mut packed = Range::new(self.source, self.range.0, self.range.1);
        let mut block = vec![0; BLOCK];
        loop {
            monitor.check_cancelled()?;
            match packed.read(&mut block) {
                Ok(0) => return Ok(Ok(())),
                Ok(got) => keys.mac.update(block.get(..got).unwrap_or_default()),
                Err(error) => return Ok(Err(error)),
            }
        }
    }
}

/// Returns the packed bytes as [`Attempt::Decrypted`]; `decrypt` decrypts the next bytes in place.
fn decrypted<'a>(packed: Range<'a>, decrypt: impl FnMut(&mut [u8]) + Send + 'a) -> Attempt<'a> {
    Attempt::Decrypted(Box::new(DecryptReader { packed, decrypt }))
}

/// Decrypts the bytes of `packed` as they are read.
struct DecryptReader<'a, D> {
    packed: Range<'a>,
    decrypt: D,
}

impl<D: FnMut(&mut [u8])> Read for DecryptReader<'_, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.packed.read(buffer)?;
        (self.decrypt)(buffer.get_mut(..got).unwrap_or_default());
        Ok(got)
    }
}
