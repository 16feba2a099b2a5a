//! The members of one packet or archive, read in batches.

use super::member::ProcessedMember;
use super::stop::Stop;
use crate::archive::skipped::SkippedBytes;

/// Number of members per batch. The headers of a batch are moved into one block, which saves memory.
pub const BATCH_SIZE: usize = 4096;

/// Members in batches; each batch is read on demand.
type Batches<'a> = Box<dyn Iterator<Item = Result<Vec<ProcessedMember>, Stop>> + 'a>;

/// The members of a packet or an archive, and what else was found in it.
pub struct Members<'a> {
    /// The members in their order, batch by batch.
    pub batches: Batches<'a>,
    /// Why the archive cannot be read completely, apart from the reasons of refused members.
    pub damage: Vec<String>,
    /// Notes on bytes that belong to no member.
    pub skipped: SkippedBytes,
    /// Returns notes on further bytes that belong to no member; they are known only after all members were read. None
    /// if all notes are in `skipped`.
    pub skipped_at_end: Option<Box<dyn FnOnce() -> SkippedBytes + 'a>>,
}

impl<'a> Members<'a> {
    /// Returns members that were read already.
    pub fn of(members: Vec<ProcessedMember>) -> Self {
        Self {
            batches: Box::new(std::iter::once(Ok(members))),
            damage: Vec::new(),
            skipped: SkippedBytes::default(),
            skipped_at_end: None,
        }
    }

    /// Returns no members, with the reason why the archive cannot be read.
    pub fn damaged(reason: String) -> Self {
        Self {
            damage: vec![reason],
            ..Self::of(Vec::new())
        }
    }

    /// Returns the members of an archive or folder whose `entries` are known. `read` gets the index of a batch and its
    /// entries, and returns their members.
    pub fn in_batches<E: 'a>(
        entries: Vec<E>,
        read: impl Fn(usize, &[E]) -> Result<Vec<ProcessedMember>, Stop> + 'a,
    ) -> Self {
        let count = entries.len().div_ceil(BATCH_SIZE);
        let batches = (0..count).map(move |batch| {
            let entries = entries.chunks(BATCH_SIZE).nth(batch).unwrap_or_default();
            read(batch, entries)
        });
        Self {
            batches: Box::new(batches),
            ..Self::of(Vec::new())
        }
    }
}
