//! Random access to the bytes of a file or in memory, as ranges and as little-endian fields.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Random access without a shared position, so that threads can read in parallel.
pub trait Source: Sync {
    /// Returns the length in bytes.
    fn len(&self) -> u64;

    /// Returns whether it is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` from `offset`; returns an `UnexpectedEof` error if there are fewer bytes.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Returns `len` bytes from `offset` if the source is in memory; None if it is not, or if there are fewer bytes.
    fn slice(&self, _offset: u64, _len: usize) -> Option<&[u8]> {
        None
    }
}

/// A file and its length when it was opened.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    len: u64,
}

impl FileSource {
    /// Returns the source for an open file. Bytes that are appended later are not part of it.
    pub fn new(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file, len })
    }
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}

impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.slice(offset, buffer.len());
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn slice(&self, offset: u64, len: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.get(start..start.checked_add(len)?)
    }
}

/// A range of a source as a stream.
pub struct Range<'a> {
    source: &'a dyn Source,
    /// Offset of the next byte.
    at: u64,
    /// Offset of the end of the range.
    end: u64,
}

impl<'a> Range<'a> {
    /// Returns the bytes from `at` to `end` as a stream, which fails with `UnexpectedEof` if the source ends first.
    #[must_use]
    pub fn new(source: &'a dyn Source, at: u64, end: u64) -> Self {
        Self { source, at, end }
    }

    /// Returns the whole source as a stream.
    #[must_use]
    pub fn whole(source: &'a dyn Source) -> Self {
        Self::new(source, 0, source.len())
    }
}

impl Read for Range<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.end.saturating_sub(self.at);
        let want = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let part = buffer.get_mut(..want).unwrap_or_default();
        self.source.read_exact_at(part, self.at)?;
        self.at += want as u64;
        Ok(want)
    }
}

/// A record of an archive with little-endian fields, read by offset; a field past the end is `None`.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub &'a [u8]);

impl Fields<'_> {
    /// Returns the 16-bit field at offset `at`.
    #[must_use]
    pub fn u16(self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(
            self.0.get(at..at.checked_add(2)?)?.try_into().ok()?,
        ))
    }

    /// Returns the 32-bit field at offset `at`.
    #[must_use]
    pub fn u32(self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(
            self.0.get(at..at.checked_add(4)?)?.try_into().ok()?,
        ))
    }

    /// Returns the 64-bit field at offset `at`.
    #[must_use]
    pub fn u64(self, at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(
            self.0.get(at..at.checked_add(8)?)?.try_into().ok()?,
        ))
    }
}
