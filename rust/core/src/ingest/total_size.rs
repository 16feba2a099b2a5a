//! The content of a compressed file: its bytes count towards the limit on total size while they are read.

use std::io::{self, Read};

use super::pass::Pass;
use crate::archive::invalid;

/// The content of a compressed member or file, whose size is known only at its end.
pub struct TotalSizeReader<'a, R> {
    inner: R,
    pass: &'a Pass<'a>,
    name: &'a [u8],
    /// Bytes read so far.
    size: u64,
}

impl<'a, R> TotalSizeReader<'a, R> {
    /// Returns a reader that counts what is read from `inner`. `name` is the name of the member, for the reason.
    pub fn new(inner: R, pass: &'a Pass<'_>, name: &'a [u8]) -> Self {
        Self {
            inner,
            pass,
            name,
            size: 0,
        }
    }
}

impl<R: Read> Read for TotalSizeReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.inner.read(buffer)?;
        self.size += got as u64;
        let within_limit = self
            .pass
            .count_expanded_part(got as u64, self.size, self.name);
        within_limit.map_err(invalid)?;
        Ok(got)
    }
}
