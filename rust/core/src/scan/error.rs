//! Why a scan fails.

use std::io;

/// Why there is no scan.
#[derive(Debug)]
pub enum ScanError {
    /// The monitor stopped it.
    Cancelled,
    /// A path that was asked for cannot be read.
    Path(Vec<u8>, io::Error),
    /// No threads could be had.
    Threads(String),
}
