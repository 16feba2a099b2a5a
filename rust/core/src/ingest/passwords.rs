//! The passwords of a run, in the order of use.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Passwords for encrypted members. Debug output contains only their number.
#[derive(Clone, Default)]
pub struct Passwords(Vec<Vec<u8>>);

impl fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passwords", self.0.len())
    }
}

impl From<Vec<Vec<u8>>> for Passwords {
    fn from(words: Vec<Vec<u8>>) -> Self {
        Self(words)
    }
}

impl Passwords {
    /// Returns the number of passwords.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns all passwords with their indices, the last correct one first.
    pub fn last_correct_first(&self, last: &LastPassword) -> impl Iterator<Item = (usize, &[u8])> {
        let last = last.0.load(Ordering::Relaxed);
        let first = self.0.get(last).map(|word| (last, word));
        let others = self.0.iter().enumerate().filter(move |(at, _)| *at != last);
        first
            .into_iter()
            .chain(others)
            .map(|(at, word)| (at, word.as_slice()))
    }
}

/// Index of the last correct password; the members of a packet usually have the same one.
#[derive(Default)]
pub struct LastPassword(AtomicUsize);

impl LastPassword {
    /// Records that the password with the index `at` decrypted a member.
    pub fn note(&self, at: usize) {
        self.0.store(at, Ordering::Relaxed);
    }
}
