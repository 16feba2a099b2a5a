//! Errors of a scan.

use std::io;

/// Why a scan failed.
#[derive(Debug)]
pub enum ScanError {
    /// The monitor was cancelled.
    Cancelled,
    /// A requested path, the first value, cannot be read.
    Path(Vec<u8>, io::Error),
    /// The threads could not be started.
    Threads,
}
