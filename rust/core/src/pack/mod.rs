//! Writes tar.gz and gzip files, with the same bytes for the same input, and reads and checks them.

pub mod blocks;
pub mod gzip;
pub mod hash;
mod pieces;
pub mod reread;
mod splice;
pub mod tar_gz;
pub mod written;

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::monitor::{Cancelled, Monitor};

/// Why packing or hashing stopped.
#[derive(Debug)]
pub enum Failure {
    /// The monitor was asked to stop.
    Cancelled,
    /// A file could not be read or written, or changed while it was read.
    Io {
        /// Its path.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
    /// The data are invalid; with the path and the reason.
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

/// Limit on the size of data that are compressed as one buffer, in bytes. At the limit, the input and output buffers take
/// about 64 MiB in total.
pub(crate) const MAX_ONE_BUFFER: u64 = 32 << 20;
/// Bytes that are read at once.
pub(crate) const BLOCK: usize = 1 << 20;

/// Creates or replaces the file `out`, calls `write` to fill it, and returns its size. Removes the file on failure. Does
/// not sync it (fsync).
fn write_file(
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

/// Returns an error if the work was cancelled; call it before each block.
fn check_cancelled(monitor: &Monitor) -> Result<(), Failure> {
    Ok(monitor.check_cancelled()?)
}
