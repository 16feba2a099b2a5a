//! A reader of a packed stream that counts the bytes that its decoder consumes.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A counter of bytes; a clone is the same counter.
#[derive(Debug, Clone, Default)]
pub struct ByteCount(Arc<AtomicU64>);

impl ByteCount {
    /// Returns the number.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Adds `bytes` to the number.
    pub fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A reader that counts the bytes consumed from it; bytes that are only in the buffer of `fill_buf` do not count.
pub struct CountingReader<R> {
    inner: R,
    count: ByteCount,
}

impl<R> CountingReader<R> {
    /// Returns a reader that adds the bytes consumed from `inner` to `count`.
    pub fn new(inner: R, count: ByteCount) -> Self {
        Self { inner, count }
    }
}

impl<R: Read> Read for CountingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.count.add(got as u64);
        Ok(got)
    }
}

impl<R: BufRead> BufRead for CountingReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.inner.consume(amount);
        self.count.add(amount as u64);
    }
}
