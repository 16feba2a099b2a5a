//! How a member is encrypted, and its packed bytes in clear once a password fits.

use std::io::{self, Read};

use hmac::Mac;

use super::super::source::{Range, Source};
use super::entry::{Entry, extra_field};
use super::traditional;
use super::winzip_aes::{self, CODE, Field, VERIFIER};
use crate::monitor::{Cancelled, Monitor};

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
    fn reason(self) -> &'static str {
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
    fn around(self) -> (usize, usize) {
        match self {
            Self::Traditional(_) => (traditional::HEAD, 0),
            Self::Aes(field) => (field.salt() + VERIFIER, CODE),
            Self::Closed(_) => (0, 0),
        }
    }

    /// The entry as it would stand without the encryption. The reason when there can be none.
    pub fn inside(self, entry: &Entry) -> Result<Entry, String> {
        if let Self::Closed(why) = self {
            return Err(why.reason().into());
        }
        let (before, behind) = self.around();
        let packed = entry.packed.checked_sub((before + behind) as u64);
        let packed = packed.ok_or("encrypted, and shorter than its encryption takes")?;
        let method = match self {
            Self::Aes(field) => field.method,
            _ => entry.method,
        };
        Ok(Entry {
            method,
            packed,
            ..entry.clone()
        })
    }
}

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
        let inside = lock.inside(entry)?;
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
