//! Reads the headers of many files and folders in parallel; the result is in the order of their paths.

mod arrange;
mod error;
mod file;
mod listing;
mod scanned;
mod walk;

use std::num::NonZero;

use crate::monitor::Monitor;

pub use error::ScanError;
pub use file::{Outcome, parse_plain_or_gzip};
pub use scanned::{ScannedFile, ScannedFiles};

/// Returns the number of threads if the caller does not set one: one per CPU that this process may use.
pub fn usable_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Reads the headers of files, and of all files below folders.
///
/// Follows links to files, but not links to folders below a requested path: they may form loops. `threads` 0 is the default
/// ([`usable_threads`]). Fails if a requested path cannot be read, if the threads cannot be started, or if the monitor was
/// cancelled; an unreadable file or folder below a requested path is one of the results.
pub fn scan_files(
    paths: &[Vec<u8>],
    threads: usize,
    monitor: &Monitor,
) -> Result<ScannedFiles, ScanError> {
    let threads = if threads == 0 {
        usable_threads()
    } else {
        threads
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("scan-{index}"))
        .build()
        .map_err(|_| ScanError::Threads)?;
    pool.install(|| walk::scan_files(paths, monitor))
}
