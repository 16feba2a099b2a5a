//! Decrypts streams: AES-256 in CBC mode; the key is derived from the password by many rounds of SHA-256.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use aes::Aes256;
use aes::cipher::{BlockDecrypt, KeyInit};
use sha2::{Digest, Sha256};

use super::fields::DAMAGED;
use crate::archive::fill;
use crate::monitor::Monitor;

/// Limit on the number of rounds, as a power of two: 7-Zip writes 2^19 and reads up to 2^24.
const MAX_ROUNDS_LOG2: u8 = 24;
/// Value for no rounds: the key is the salt and the password, cut or filled with zeros.
const NO_ROUNDS: u8 = 0x3f;
/// Limit on the rounds for all keys of a [`SharedKeyCache`]: each encrypted stream of an archive can have its own salt,
/// and so its own key. Usual programs write no salt.
const MAX_TOTAL_ROUNDS: u64 = 1 << 27;
/// Keys of fewer rounds are neither counted nor cached.
const MIN_COUNTED_ROUNDS: u64 = 1 << 12;
/// Each password adds this to [`MAX_TOTAL_ROUNDS`]: the rounds of two keys of 7-Zip, one for the list of members and one
/// for the data.
const ROUNDS_PER_PASSWORD: u64 = 2 << 19;
/// Length of an AES block in bytes.
const AES_BLOCK: usize = 16;

type Key = [u8; 32];
/// Parameters of a key: index of the password, rounds (as a power of two), salt.
type KeyParameters = (usize, u8, Vec<u8>);

/// Passwords, and the keys that are derived from them; deriving a key of 7-Zip takes about 0.1 s.
#[derive(Default)]
pub struct Keys<'a> {
    /// In the order of use, with their indices in the list of all passwords.
    passwords: Vec<(usize, &'a [u8])>,
    cache: SharedKeyCache,
    monitor: Option<&'a Monitor>,
}

/// The keys of all archives that share the cache.
#[derive(Default, Clone)]
pub struct SharedKeyCache(Arc<Mutex<KeyCache>>);

#[derive(Default)]
struct KeyCache {
    keys: HashMap<KeyParameters, Key>,
    /// Total rounds of these keys.
    rounds: u64,
}

impl<'a> Keys<'a> {
    /// Returns the keys of passwords, each with its index in the list of all passwords. Passwords are read as UTF-8; other
    /// bytes become U+FFFD.
    pub fn new(passwords: impl Iterator<Item = (usize, &'a [u8])>) -> Self {
        Self {
            passwords: passwords.collect(),
            cache: SharedKeyCache::default(),
            monitor: None,
        }
    }

    /// Shares the keys with other archives. Once the monitor is cancelled, no further keys of `MIN_COUNTED_ROUNDS` or more
    /// are derived.
    #[must_use]
    pub fn with_cache(mut self, cache: &SharedKeyCache, monitor: &'a Monitor) -> Self {
        self.cache = cache.clone();
        self.monitor = Some(monitor);
        self
    }

    /// Returns the indices of the passwords.
    pub fn indices(&self) -> impl Iterator<Item = usize> {
        self.passwords.iter().map(|(index, _)| *index)
    }

    /// Returns the key of the password with this index: from the cache, or derived. The error says why there is none.
    fn key(&self, index: usize, settings: &Settings) -> Result<Key, String> {
        let password = self.passwords.iter().find(|(at, _)| *at == index);
        let text = String::from_utf8_lossy(password.map_or(b"", |(_, password)| password));
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        if settings.rounds() < MIN_COUNTED_ROUNDS {
            return Ok(settings.derive_key(&utf16));
        }
        let parameters = (index, settings.rounds_log2, settings.salt.clone());
        let cache = self.cache.0.lock();
        let mut cache = cache.unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = cache.keys.get(&parameters) {
            return Ok(*key);
        }
        if self.monitor.is_some_and(Monitor::is_cancelled) {
            return Err("cancelled".into());
        }
        let rounds = cache.rounds + settings.rounds();
        let max_rounds = MAX_TOTAL_ROUNDS + ROUNDS_PER_PASSWORD * self.passwords.len() as u64;
        if rounds > max_rounds {
            return Err(format!(
                "encrypted with keys that take more than {max_rounds} rounds in total (limit)"
            ));
        }
        cache.rounds = rounds;
        let key = settings.derive_key(&utf16);
        cache.keys.insert(parameters, key);
        Ok(key)
    }
}

/// The properties of an AES coder.
struct Settings {
    /// Number of rounds as a power of two, or [`NO_ROUNDS`].
    rounds_log2: u8,
    salt: Vec<u8>,
    /// Initialisation vector.
    iv: [u8; AES_BLOCK],
}

impl Settings {
    /// Parses the properties; an error is the reason as text, for example more rounds than the limit.
    fn parse(properties: &[u8]) -> Result<Self, String> {
        let [flags, rest @ ..] = properties else {
            return Err(DAMAGED.into());
        };
        let rounds_log2 = flags & 0x3f;
        if rounds_log2 > MAX_ROUNDS_LOG2 && rounds_log2 != NO_ROUNDS {
            return Err(format!(
                "encrypted with 2^{rounds_log2} rounds, more than 2^{MAX_ROUNDS_LOG2} (limit)"
            ));
        }
        let mut settings = Self {
            rounds_log2,
            salt: Vec::new(),
            iv: [0; AES_BLOCK],
        };
        if flags & 0xc0 == 0 {
            return Ok(settings);
        }
        let (sizes, rest) = rest.split_first().ok_or(DAMAGED)?;
        let salt = usize::from((flags >> 7) + (sizes >> 4));
        let length = usize::from((flags >> 6 & 1) + (sizes & 15));
        let (salt, rest) = rest.split_at_checked(salt).ok_or(DAMAGED)?;
        settings.salt = salt.to_vec();
        let iv = settings.iv.get_mut(..length).ok_or(DAMAGED)?;
        iv.copy_from_slice(rest.get(..length).ok_or(DAMAGED)?);
        Ok(settings)
    }

    /// Returns the number of rounds.
    fn rounds(&self) -> u64 {
        match self.rounds_log2 {
            NO_ROUNDS => 0,
            log2 => 1 << log2,
        }
    }

    /// Derives the key from a password in UTF-16.
    fn derive_key(&self, password: &[u8]) -> Key {
        if self.rounds_log2 == NO_ROUNDS {
            let mut key = Key::default();
            for (to, from) in key.iter_mut().zip(self.salt.iter().chain(password)) {
                *to = *from;
            }
            return key;
        }
        let mut round = [self.salt.as_slice(), password, &[0; 8]].concat();
        let counter_start = round.len() - 8;
        let mut sha = Sha256::new();
        for number in 0..self.rounds() {
            if let Some(to) = round.get_mut(counter_start..) {
                to.copy_from_slice(&number.to_le_bytes());
            }
            sha.update(&round);
        }
        sha.finalize().into()
    }
}

/// Returns the decrypted stream of `packed`; `password_index` is the index of the password in the list of all passwords.
/// Does not notice a wrong password: only the decrypted content shows it. An error is the reason as text.
pub fn open<'a>(
    packed: Box<dyn Read + Send + 'a>,
    properties: &[u8],
    keys: &Keys<'_>,
    password_index: usize,
) -> Result<Box<dyn Read + Send + 'a>, String> {
    let settings = Settings::parse(properties)?;
    Ok(Box::new(DecryptReader {
        packed,
        cipher: Aes256::new(&keys.key(password_index, &settings)?.into()),
        previous: settings.iv,
        block: [0; AES_BLOCK],
        at: AES_BLOCK,
    }))
}

/// The decrypted bytes of an encrypted stream.
struct DecryptReader<'a> {
    packed: Box<dyn Read + Send + 'a>,
    cipher: Aes256,
    /// The previous encrypted block (at first, the initialisation vector).
    previous: [u8; AES_BLOCK],
    /// The current decrypted block.
    block: [u8; AES_BLOCK],
    /// Bytes of the block that were returned.
    at: usize,
}

impl DecryptReader<'_> {
    /// Decrypts the next block; returns false at the end.
    fn next(&mut self) -> io::Result<bool> {
        let mut encrypted = [0; AES_BLOCK];
        match fill(&mut self.packed, &mut encrypted)? {
            0 => return Ok(false),
            AES_BLOCK => {}
            _ => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        let mut plain = encrypted.into();
        self.cipher.decrypt_block(&mut plain);
        for ((to, plain), previous) in self.block.iter_mut().zip(plain).zip(self.previous) {
            *to = plain ^ previous;
        }
        (self.previous, self.at) = (encrypted, 0);
        Ok(true)
    }
}

impl Read for DecryptReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            if self.at == AES_BLOCK && !self.next()? {
                break;
            }
            let ready = self.block.get(self.at..).unwrap_or_default();
            let room = buffer.get_mut(done..).unwrap_or_default();
            let count = ready.len().min(room.len());
            for (to, from) in room.iter_mut().zip(ready) {
                *to = *from;
            }
            done += count;
            self.at += count;
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn settings(rounds: u8, salt: u8) -> Settings {
        Settings::parse(&[rounds | 0x80, 0, salt]).unwrap()
    }

    #[test]
    fn the_rounds_of_all_archives_together_are_limited() {
        let cache = SharedKeyCache::default();
        let monitor = Monitor::default();
        let archive =
            || Keys::new([(0, b"word".as_slice())].into_iter()).with_cache(&cache, &monitor);
        cache.0.lock().unwrap().rounds = MAX_TOTAL_ROUNDS + ROUNDS_PER_PASSWORD - (2 << 12);
        let first = archive().key(0, &settings(12, 1)).unwrap();
        archive().key(0, &settings(12, 2)).unwrap();
        let reason = archive().key(0, &settings(12, 3)).unwrap_err();
        assert!(reason.ends_with("(limit)"), "{reason}");
        assert_eq!(
            archive().key(0, &settings(12, 1)),
            Ok(first),
            "derived already"
        );
        assert!(archive().key(0, &settings(11, 3)).is_ok(), "of few rounds");
    }

    #[test]
    fn no_key_is_derived_after_a_stop() {
        let monitor = Monitor::default();
        let keys = Keys::new([(0, b"word".as_slice())].into_iter());
        let keys = keys.with_cache(&SharedKeyCache::default(), &monitor);
        assert!(keys.key(0, &settings(12, 1)).is_ok());
        monitor.cancel();
        assert!(keys.key(0, &settings(12, 2)).is_err());
    }
}
