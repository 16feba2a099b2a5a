//! Errors of the statistics.

use std::io;

use crate::monitor::Cancelled;

/// Why the statistics failed.
#[derive(Debug)]
pub enum StatisticsError {
    /// The work was stopped.
    Cancelled,
    /// The file cannot be read, or is not an image.
    Io(io::Error),
}

impl From<io::Error> for StatisticsError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Cancelled> for StatisticsError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}
