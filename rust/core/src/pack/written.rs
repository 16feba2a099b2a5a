//! Recognises a gzip file or tar.gz that contains only what `pack` writes: no names, comments, times or folders that
//! another program added.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek};
use std::path::Path;

use super::hash::NamedHash;
use super::{BLOCK, Failure, check_cancelled, tar_gz};
use crate::archive::gzip::GzipReader;
use crate::archive::{fill, reason};
use crate::monitor::Monitor;
use crate::regular;

/// Length of the header (RFC 1952, 2.3).
const HEADER_LENGTH: usize = 10;

/// Fails if a gzip file has a header that `gzip_file` does not write, is damaged, or has bytes after its first member.
pub fn check_gzip(path: &Path, monitor: &Monitor) -> Result<(), Failure> {
    let mut input = ComparedContent::open(path, monitor)?;
    input.skip_to_end()?;
    input.end()
}

/// Fails if a tar.gz is damaged, or has bytes or an order that `pack_folder` does not write. `members` are its members, as
/// [`super::hash::tar_gz_members`] returns them.
pub fn check_tar_gz(path: &Path, members: &[NamedHash], monitor: &Monitor) -> Result<(), Failure> {
    let mut input = ComparedContent::open(path, monitor)?;
    let mut previous: &[u8] = &[];
    for (name, size, _) in members {
        if name.as_slice() <= previous {
            return Err(input.foreign_bytes_error());
        }
        previous = name;
        input.expect(&tar_gz::headers(name, *size))?;
        input.skip(*size)?;
        input.expect(tar_gz::padding(*size))?;
    }
    input.expect(tar_gz::END)?;
    if input.skip_to_end()? > 0 {
        return Err(input.foreign_bytes_error());
    }
    input.end()
}

/// The content of a gzip file that is compared with what is expected.
struct ComparedContent<'a> {
    path: &'a Path,
    monitor: &'a Monitor,
    reader: GzipReader<BufReader<File>>,
    block: Vec<u8>,
}

impl<'a> ComparedContent<'a> {
    fn open(path: &'a Path, monitor: &'a Monitor) -> Result<Self, Failure> {
        let failed = |error| Failure::io(path, error);
        let mut file = regular::open(path).map_err(failed)?;
        let mut header = [1; HEADER_LENGTH];
        fill(&mut file, &mut header).map_err(failed)?;
        if !matches!(header, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0 | 2 | 4, 255]) {
            return Err(foreign_bytes_error(path));
        }
        file.rewind().map_err(failed)?;
        Ok(Self {
            path,
            monitor,
            reader: GzipReader::new(BufReader::with_capacity(BLOCK, file)).map_err(failed)?,
            block: vec![0; BLOCK],
        })
    }

    fn foreign_bytes_error(&self) -> Failure {
        foreign_bytes_error(self.path)
    }

    /// Reads the next bytes of the content; fails if they are not `expected`.
    fn expect(&mut self, expected: &[u8]) -> Result<(), Failure> {
        let mut bytes = vec![0; expected.len()];
        let got = fill(&mut self.reader, &mut bytes).map_err(|error| damaged(self.path, &error))?;
        if got == expected.len() && bytes == expected {
            return Ok(());
        }
        Err(self.foreign_bytes_error())
    }

    /// Skips `size` bytes of content.
    fn skip(&mut self, size: u64) -> Result<(), Failure> {
        let mut left = size;
        while left > 0 {
            check_cancelled(self.monitor)?;
            let most = usize::try_from(left).map_or(BLOCK, |left| left.min(BLOCK));
            let block = self.block.get_mut(..most).unwrap_or_default();
            match fill(&mut self.reader, block).map_err(|error| damaged(self.path, &error))? {
                0 => return Err(self.foreign_bytes_error()),
                got => left -= got as u64,
            }
        }
        Ok(())
    }

    /// Reads to the end of the gzip member; returns the number of bytes of content.
    fn skip_to_end(&mut self) -> Result<u64, Failure> {
        let mut size = 0;
        loop {
            check_cancelled(self.monitor)?;
            match fill(&mut self.reader, &mut self.block) {
                Ok(0) => return Ok(size),
                Ok(got) => size += got as u64,
                Err(error) => return Err(damaged(self.path, &error)),
            }
        }
    }

    /// Fails if bytes follow the gzip member; call it at the end of the content.
    fn end(self) -> Result<(), Failure> {
        let mut input = self.reader.into_inner();
        let rest = input
            .fill_buf()
            .map_err(|error| Failure::io(self.path, error))?;
        if rest.is_empty() {
            return Ok(());
        }
        Err(foreign_bytes_error(self.path))
    }
}

/// Returns the error for a file with bytes that qxbatch does not write.
fn foreign_bytes_error(path: &Path) -> Failure {
    Failure::Damaged(format!(
        "{}: qxbatch did not write all of it",
        path.display()
    ))
}

fn damaged(path: &Path, error: &io::Error) -> Failure {
    Failure::Damaged(format!("{}: {}", path.display(), reason(error)))
}
