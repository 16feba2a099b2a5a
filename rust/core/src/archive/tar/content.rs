//! The content of one member as a stream.

use std::io::{self, Read};

use super::sparse::SparseReader;

/// The bytes of a member as stored.
pub struct StoredBytes<'a, R> {
    /// The tar, at the next byte of the member.
    pub(super) input: &'a mut R,
    /// Number of bytes of the member that were not read yet.
    pub(super) left: &'a mut u64,
}

impl<R: Read> Read for StoredBytes<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = buffer
            .len()
            .min(usize::try_from(*self.left).unwrap_or(usize::MAX));
        if want == 0 {
            return Ok(0);
        }
        let got = self
            .input
            .read(buffer.get_mut(..want).unwrap_or_default())?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *self.left -= got as u64;
        Ok(got)
    }
}

/// A member's content.
pub enum Content<'a, R> {
    /// The bytes as stored.
    Plain(StoredBytes<'a, R>),
    /// The bytes of a sparse file, with zeros for its holes.
    Sparse(SparseReader<StoredBytes<'a, R>>),
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stored) => stored.read(buffer),
            Self::Sparse(sparse) => sparse.read(buffer),
        }
    }
}
