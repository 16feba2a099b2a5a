//! Why a member is not read, and why the whole work ends.

use std::io;
use std::path::{Path, PathBuf};

use crate::monitor::Cancelled;

/// Ends the whole work.
#[derive(Debug)]
pub enum Stop {
    /// The monitor was asked to stop.
    Cancelled,
    /// Staging could not be written, or a packet not be opened.
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Stop {
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
pub enum Fault {
    /// The bytes themselves are at fault: the reason for the ledger.
    Data(String),
    /// The whole work ends.
    Stop(Stop),
}

impl Fault {
    /// The reason for the ledger, unless the whole work ends.
    pub fn reason(self) -> Result<String, Stop> {
        match self {
            Self::Data(reason) => Ok(reason),
            Self::Stop(stop) => Err(stop),
        }
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}
