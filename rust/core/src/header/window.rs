//! The parser's view of the bytes of an object.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Random access to the bytes of one object. Most reads go forward.
pub trait Window {
    /// Returns the number of bytes; `u64::MAX` while it is unknown (a stream).
    fn len(&self) -> u64;

    /// Returns whether there are no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes from `offset`: at least `want` of them, fewer only where the object ends.
    fn at(&mut self, offset: u64, want: usize) -> io::Result<&[u8]>;
}

impl Window for &[u8] {
    fn len(&self) -> u64 {
        (**self).len() as u64
    }

    #[inline]
    fn at(&mut self, offset: u64, _want: usize) -> io::Result<&[u8]> {
        Ok(usize::try_from(offset)
            .ok()
            .and_then(|from| self.get(from..))
            .unwrap_or_default())
    }
}

/// A file, read in blocks where the parser needs them.
#[derive(Debug)]
pub struct FileWindow<'f, F = File> {
    file: &'f F,
    /// Size of the file in bytes.
    size: u64,
    /// Bytes read at once.
    read_length: usize,
    /// Offset of the buffer in the file.
    start: u64,
    /// Number of bytes of the file in the buffer.
    filled: usize,
    buffer: Vec<u8>,
    /// Number of reads so far.
    reads: u32,
}

/// Bytes read at once: the used part of nearly every header (GE's private groups end at 5 KB), and cheaper than two
/// smaller reads.
const READ_LENGTH: usize = 6144;

impl<'f, F: FileExt> FileWindow<'f, F> {
    /// Opens a window on a file of known size; `buffer` may come from an earlier window.
    pub fn new(file: &'f F, size: u64, buffer: Vec<u8>) -> Self {
        Self::with_read_length(file, size, buffer, READ_LENGTH)
    }

    /// Opens a window that reads `read_length` bytes at once, or more where the parser needs them.
    pub fn with_read_length(file: &'f F, size: u64, buffer: Vec<u8>, read_length: usize) -> Self {
        Self {
            file,
            size,
            read_length,
            start: 0,
            filled: 0,
            buffer,
            reads: 0,
        }
    }

    /// Returns the number of reads so far.
    pub fn reads(&self) -> u32 {
        self.reads
    }

    /// Returns the buffer for the next file.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }

    /// Returns the bytes of the buffer from an offset of the file; empty if the offset is not in the buffer.
    fn loaded(&self, offset: u64) -> &[u8] {
        offset
            .checked_sub(self.start)
            .and_then(|skip| usize::try_from(skip).ok())
            .and_then(|skip| self.buffer.get(skip..self.filled))
            .unwrap_or_default()
    }

    /// Reads at least `want` bytes from an offset into the buffer, fewer where the file ends.
    fn fill(&mut self, offset: u64, want: usize) -> io::Result<()> {
        if self.buffer.len() < want.max(self.read_length) {
            self.buffer.resize(want.max(self.read_length), 0);
        }
        (self.start, self.filled) = (offset, 0);
        while self.filled < want {
            let Some(free) = self.buffer.get_mut(self.filled..) else {
                break;
            };
            self.reads = self.reads.saturating_add(1);
            match self
                .file
                .read_at(free, offset.saturating_add(self.filled as u64))
            {
                Ok(0) => break,
                Ok(n) => self.filled = self.filled.saturating_add(n),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl<F: FileExt> Window for FileWindow<'_, F> {
    fn len(&self) -> u64 {
        self.size
    }

    #[inline]
    fn at(&mut self, offset: u64, want: usize) -> io::Result<&[u8]> {
        if self.loaded(offset).len() < want && offset < self.size {
            let left = usize::try_from(self.size - offset).unwrap_or(usize::MAX);
            let want = want.min(left);
            if self.loaded(offset).len() < want {
                self.fill(offset, want)?;
            }
        }
        Ok(self.loaded(offset))
    }
}
