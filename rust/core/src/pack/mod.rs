//! Writing tar.gz and gzip, always the same bytes for the same input, and reading back what was written.

pub mod blocks;
pub mod gzip;
pub mod hash;
mod pieces;
pub mod reread;
mod splice;
pub mod tar_gz;

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::monitor::{Cancelled, Monitor};

/// Why packing or hashing stopped.
#[derive(Debug)]
pub enum Failure {
    /// The monitor was asked to stop.
    Cancelled,
    /// A file could not be read or written.
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The data are not what they should be.
    Damaged(String),
}

impl Failure {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Up to so many bytes are compressed as one buffer; that and what comes out of it stay under 64 MB.
pub(crate) const WHOLE: u64 = 32 << 20;
/// Blocks in which larger data pass through.
pub(crate) const BLOCK: usize = 1 << 20;

/// Makes the result, lets `write` fill it, and returns its size. What is left of a failed one goes. Bringing it to disk
/// (fsync) is left to whoever publishes it.
fn finished(
    out: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let failed = |error| Failure::io(out, error);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .open(out)
        .map_err(failed)?;
    let mut writer = BufWriter::with_capacity(256 << 10, file);
    let done = write(&mut writer).and_then(|()| {
        let file = writer
            .into_inner()
            .map_err(|error| failed(error.into_error()))?;
        Ok(file.metadata().map_err(failed)?.len())
    });
    if done.is_err() {
        let _ = std::fs::remove_file(out);
    }
    done
}

/// Asks the monitor between two blocks.
fn check(monitor: &Monitor) -> Result<(), Failure> {
    Ok(monitor.check()?)
}
