//! The data of one member.

use std::io::{self, Read};

use super::sparse::SparseReader;

/// The bytes of a member as stored.
pub struct StoredBytes<'a, R> {
    pub(super) input: &'a mut R,
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
    /// As stored.
    Plain(StoredBytes<'a, R>),
    /// With holes.
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
