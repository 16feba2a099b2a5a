//! What an archive and the archives inside it expand to, compared with the size of the archive.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::archive::{expands_too_much, invalid};

/// The expansion of one archive, linked to the expansion of the archive that contains it: if each of several nested
/// archives stays below the limit, the outermost one can still expand by the product of their ratios.
#[derive(Debug)]
pub struct Expansion {
    /// Size of the archive in bytes.
    packed: u64,
    /// Limit on the expansion as a factor of `packed`.
    max_ratio: u64,
    /// Bytes to which it and the archives inside it expanded so far.
    expanded_bytes: AtomicU64,
    /// The expansion of the archive that contains it; None without one.
    outer: Option<Arc<Self>>,
}

impl Expansion {
    /// Returns the expansion of an archive of `packed` bytes, of which nothing is unpacked yet.
    pub fn new(packed: u64, max_ratio: u64, outer: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self {
            packed,
            max_ratio,
            expanded_bytes: AtomicU64::new(0),
            outer,
        })
    }

    /// Counts expanded bytes for the archive and for those that contain it. Fails with the reason once one of them
    /// expanded to too many.
    pub fn add(&self, bytes: u64) -> Result<(), String> {
        let mut archive = Some(self);
        while let Some(expansion) = archive {
            let add = |before: u64| Some(before.saturating_add(bytes));
            let (write, read) = (Ordering::Relaxed, Ordering::Relaxed);
            let _ = expansion.expanded_bytes.fetch_update(write, read, add);
            archive = expansion.outer.as_deref();
        }
        self.check()
    }

    /// Fails with the reason if the archive, or one that contains it, expanded to too many bytes.
    pub fn check(&self) -> Result<(), String> {
        self.check_itself()?;
        self.outer.as_deref().map_or(Ok(()), Self::check)
    }

    /// Fails with the reason if the archive itself expanded to too many bytes.
    pub fn check_itself(&self) -> Result<(), String> {
        let expanded = self.expanded_bytes.load(Ordering::Relaxed);
        if expands_too_much(expanded, self.packed, self.max_ratio) {
            return Err(format!(
                "it and the archives inside it expand to more than {} times its size (limit on expansion)",
                self.max_ratio
            ));
        }
        Ok(())
    }
}

/// A reader whose bytes count as expansion of the archives that contain them.
pub struct ExpansionReader<'a, R> {
    inner: R,
    expansion: Option<&'a Expansion>,
}

impl<'a, R> ExpansionReader<'a, R> {
    /// Returns a reader that counts what is read from `inner`. `expansion` is None for a plain file, which is in no
    /// archive.
    pub fn new(inner: R, expansion: Option<&'a Expansion>) -> Self {
        Self { inner, expansion }
    }

    /// Returns the inner reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }
}

impl<R: Read> Read for ExpansionReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        if let Some(expansion) = self.expansion {
            expansion.add(got as u64).map_err(invalid)?;
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::MIN_PACKED;

    #[test]
    fn an_archive_inside_counts_for_those_around_it() {
        let outer = Expansion::new(MIN_PACKED, 2, None);
        let inner = Expansion::new(10 * MIN_PACKED, 2, Some(Arc::clone(&outer)));
        assert_eq!(inner.add(2 * MIN_PACKED), Ok(()));
        assert!(inner.add(1).is_err());
        assert_eq!(inner.check_itself(), Ok(()));
        assert!(outer.check_itself().is_err());
    }

    #[test]
    fn bytes_of_an_archive_do_not_count_for_another_one() {
        let outer = Expansion::new(MIN_PACKED, 100, None);
        let first = Expansion::new(MIN_PACKED, 2, Some(Arc::clone(&outer)));
        let second = Expansion::new(MIN_PACKED, 2, Some(outer));
        assert!(first.add(3 * MIN_PACKED).is_err());
        assert_eq!(second.check(), Ok(()));
    }
}
