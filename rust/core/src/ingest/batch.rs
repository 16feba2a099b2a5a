//! The members of one packet or archive, read in batches.

use super::member::Taken;
use super::stop::Stop;

/// So many members are read side by side; then their headers are moved together, which keeps memory low.
pub const BATCH: usize = 4096;

/// Members in batches; each batch is read when it is asked for.
type Batches<'a> = Box<dyn Iterator<Item = Result<Vec<Taken>, Stop>> + 'a>;

/// What a reader returns.
pub struct Members<'a> {
    /// The members, in the order of the archive.
    pub batches: Batches<'a>,
    /// What is wrong with the archive as a whole.
    pub damage: Vec<String>,
    /// What is odd but loses nothing.
    pub notes: Vec<String>,
}

impl<'a> Members<'a> {
    /// Members that are read already.
    pub fn of(taken: Vec<Taken>) -> Self {
        Self {
            batches: Box::new(std::iter::once(Ok(taken))),
            damage: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// No members, and why.
    pub fn damaged(reason: String) -> Self {
        Self {
            damage: vec![reason],
            ..Self::of(Vec::new())
        }
    }

    /// Members that `read` makes of one batch of entries after the other; it gets the number of the batch.
    pub fn in_batches<E: 'a>(
        entries: Vec<E>,
        read: impl Fn(usize, &[E]) -> Result<Vec<Taken>, Stop> + 'a,
    ) -> Self {
        let count = entries.len().div_ceil(BATCH);
        let batches = (0..count).map(move |batch| {
            let entries = entries.chunks(BATCH).nth(batch).unwrap_or_default();
            read(batch, entries)
        });
        Self {
            batches: Box::new(batches),
            ..Self::of(Vec::new())
        }
    }
}
