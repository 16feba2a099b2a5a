//! The decrypted packed bytes of an encrypted member.

use std::io::{self, Read};

use hmac::Mac;

use super::super::source::{Range, Source};
use super::entry::Entry;
use super::lock::Lock;
use super::traditional;
use super::winzip_aes::{self, CODE};
use crate::monitor::{Cancelled, Monitor};

/// The result of one password.
pub enum Opening<'a> {
    /// The password is wrong.
    Unfit,
    /// The first bytes accept the password, but the data are damaged.
    Broken(&'static str),
    /// The packed bytes. With traditional encryption only their CRC confirms the password.
    Clear(Box<dyn Read + Send + 'a>),
}

/// A member whose first and last bytes were read, so that passwords can be tried.
pub struct Locked<'a> {
    source: &'a dyn Source,
    /// Offsets of the first encrypted byte and of the end.
    range: (u64, u64),
    lock: Lock,
    before: Vec<u8>,
    code: [u8; CODE],
}

/// Bytes read at once to compute the authentication code.
const BLOCK: usize = 128 << 10;

impl<'a> Locked<'a> {
    /// Reads the bytes around the encrypted data of a member; `data` is the start of its data.
    pub fn read(
        source: &'a dyn Source,
        entry: &Entry,
        lock: Lock,
        data: u64,
    ) -> Result<Self, String> {
        let inside = entry.inside(lock)?;
        let (before, behind) = lock.around();
        let start = data.saturating_add(before as u64);
        let end = start.saturating_add(inside.packed);
        let mut locked = Self {
            source,
            range: (start, end),
            lock,
            before: vec![0; before],
            code: [0; CODE],
        };
        let code = locked.code.get_mut(..behind).unwrap_or_default();
        source
            .read_exact_at(&mut locked.before, data)
            .and_then(|()| source.read_exact_at(code, end))
            .map_err(|error| super::super::reason(&error))?;
        Ok(locked)
    }

    /// Tries a password. The authentication code is checked over all bytes before any are returned.
    pub fn open(&self, password: &[u8], monitor: &Monitor) -> Result<Opening<'a>, Cancelled> {
        let packed = Range::new(self.source, self.range.0, self.range.1);
        Ok(match self.lock {
            Lock::Traditional(check) => {
                let head = self.before.as_slice().try_into().unwrap_or_default();
                match traditional::Keys::fitting(password, head, check) {
                    Some(mut keys) => clear(packed, move |bytes| keys.decrypt(bytes)),
                    None => Opening::Unfit,
                }
            }
            Lock::Aes(field) => {
                let (salt, verifier) = self
                    .before
                    .split_at_checked(field.salt())
                    .unwrap_or_default();
                let Some(mut keys) = field.fitting(password, salt, verifier) else {
                    return Ok(Opening::Unfit);
                };
                let Some(mut cipher) = keys.decrypt() else {
                    return Ok(Opening::Unfit);
                };
                if !self.take_all(&mut keys, monitor)? {
                    Opening::Broken("cut short")
                } else if keys.confirms(&self.code) {
                    clear(packed, move |bytes| cipher.apply_keystream(bytes))
                } else {
                    Opening::Broken("its authentication code is not that of its bytes")
                }
            }
            Lock::Closed(_) => Opening::Unfit,
        })
    }

    /// Computes the authentication code over all encrypted bytes; returns false if they cannot be read.
    fn take_all(&self, keys: &mut winzip_aes::Keys, monitor: &Monitor) -> Result<bool, Cancelled> {
        let mut packed = Range::new(self.source, self.range.0, self.range.1);
        let mut block = vec![0; BLOCK];
        loop {
            monitor.check()?;
            match packed.read(&mut block) {
                Ok(0) => return Ok(true),
                Ok(got) => keys.code.update(block.get(..got).unwrap_or_default()),
                Err(_) => return Ok(false),
            }
        }
    }
}

fn clear<'a>(packed: Range<'a>, decrypt: impl FnMut(&mut [u8]) + Send + 'a) -> Opening<'a> {
    Opening::Clear(Box::new(Clear { packed, decrypt }))
}

/// Decrypts the stream.
struct Clear<'a, D> {
    packed: Range<'a>,
    decrypt: D,
}

impl<D: FnMut(&mut [u8])> Read for Clear<'_, D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.packed.read(buffer)?;
        (self.decrypt)(buffer.get_mut(..got).unwrap_or_default());
        Ok(got)
    }
}
