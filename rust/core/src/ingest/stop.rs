//! Why a member is not read (a reason for the ledger, the list of all input files), and why the whole pass ends.

use std::io;
use std::path::{Path, PathBuf};

use crate::monitor::Cancelled;

/// An error that ends the whole pass.
#[derive(Debug)]
pub enum Stop {
    /// The monitor was asked to stop.
    Cancelled,
    /// An operation on a file or folder failed, there is too little free space, or the threads could not be started.
    Io {
        /// The file or folder; may be empty if the bytes of a member cannot be read.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

impl Stop {
    /// Returns the error for a failed operation on a path.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<Cancelled> for Stop {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// Why some bytes were not read.
#[derive(Debug)]
pub enum ReadError {
    /// The bytes cannot be used, for example because they are invalid or exceed a limit: the reason for the ledger.
    Data(String),
    /// An error that ends the whole pass.
    Stop(Stop),
}

impl ReadError {
    /// Returns the reason for the ledger, or the error that ends the whole pass.
    pub fn reason_or_stop(self) -> Result<String, Stop> {
        match self {
            Self::Data(reason) => Ok(reason),
            Self::Stop(stop) => Err(stop),
        }
    }
}

impl From<Stop> for ReadError {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}
