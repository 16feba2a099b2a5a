//! The packed bytes of an encrypted member in clear, once a password fits.

use std::io::{self, Read};

use hmac::Mac;

use super::super::source::{Range, Source};
use super::entry::Entry;
use super::lock::Lock;
use super::traditional;
use super::winzip_aes::{self, CODE};
use crate::monitor::{Cancelled, Monitor};

/// What a password makes of a member.
pub enum Opening<'a> {
    /// It is a wrong one.
    Unfit,
    /// Its start says that the password is right, its bytes say otherwise.
    Broken(&'static str),
    /// The packed bytes. With the traditional encryption only their CRC tells whether the password is right.
    Clear(Box<dyn Read + Send + 'a>),
}

/// A member whose start and end were read, so that passwords can be tried.
pub struct Locked<'a> {
    source: &'a dyn Source,
    /// The first encrypted byte, and the first one behind them.
    range: (u64, u64),
    lock: Lock,
    before: Vec<u8>,
    code: [u8; CODE],
}

/// Bytes read at once for the authentication code.
const BLOCK: usize = 128 << 10;

impl<'a> Locked<'a> {
    /// Reads what stands around the encrypted bytes of a member whose data begin at `data`.
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

    /// Tries a password. An authentication code is held against all bytes before any of them is handed out.
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

    /// Gives all encrypted bytes to the authentication code; false when they cannot be read.
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

/// Decrypts what is read.
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
