//! The passwords of a run, in the order in which they are tried.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Passwords for encrypted members. What is printed for debugging is only how many there are.
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
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them with their places, the one that fitted last before the others.
    pub fn in_order(&self, last: &LastFit) -> impl Iterator<Item = (usize, &[u8])> {
        let last = last.0.load(Ordering::Relaxed);
        let first = self.0.get(last).map(|word| (last, word));
        let others = self.0.iter().enumerate().filter(move |(at, _)| *at != last);
        first
            .into_iter()
            .chain(others)
            .map(|(at, word)| (at, word.as_slice()))
    }
}

/// The place of the password that fitted last; the members of a packet mostly have the same.
#[derive(Default)]
pub struct LastFit(AtomicUsize);

impl LastFit {
    /// Notes that a password opened a member.
    pub fn note(&self, at: usize) {
        self.0.store(at, Ordering::Relaxed);
    }
}
