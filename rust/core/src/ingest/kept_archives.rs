//! Archives that were kept as one file, so that copies of them are not opened again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::kept_whole::KeptArchive;
use crate::archive::foreign::is_part;
use crate::notation::{Hash, escape};

/// The bytes of an archive, its depth, and whether its name is that of a part of a split archive: what the reason for
/// keeping it depends on.
type Key = (Hash, u32, bool);

/// The archives that were kept as one file: the path of the first copy in the ledger, and why.
#[derive(Default)]
pub struct KeptArchives {
    first_copies: Mutex<HashMap<Key, (String, KeptArchive)>>,
}

impl KeptArchives {
    /// Returns why an archive is kept as one file, if one with the same bytes at the same depth was kept; else None.
    /// `path` is its path before escaping.
    pub fn get(&self, hash: Option<Hash>, path: &[u8], depth: u32) -> Option<KeptArchive> {
        let first_copies = self.first_copies.lock();
        let first_copies = first_copies.unwrap_or_else(PoisonError::into_inner);
        let (first_path, first) = first_copies.get(&(hash?, depth, is_part(path)))?;
        Some(first.of_copy(first_path, &escape(path)))
    }

    /// Records why an archive was kept as one file.
    pub fn insert(&self, hash: Option<Hash>, path: &[u8], depth: u32, why: &KeptArchive) {
        let first_copies = self.first_copies.lock();
        let mut first_copies = first_copies.unwrap_or_else(PoisonError::into_inner);
        let value = || (escape(path), why.clone());
        first_copies.extend(hash.map(|hash| ((hash, depth, is_part(path)), value())));
    }
}
