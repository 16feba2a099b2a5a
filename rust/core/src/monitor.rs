//! Lets another thread stop long work, and counts finished files and bytes for a progress display.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Whether work is to stop, and the number of finished files and bytes. All threads of the work share it.
#[derive(Debug, Default)]
pub struct Monitor {
    cancelled: AtomicBool,
    files: AtomicU64,
    bytes: AtomicU64,
}

/// The work was stopped by [`Monitor::cancel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled;

impl Monitor {
    /// Stops all work that uses this monitor.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Returns whether [`Monitor::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Returns an error once the work is to stop; call it for each file and each block of a large file.
    pub fn check_cancelled(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }

    /// Adds finished files and bytes to the counts.
    pub fn add(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Returns the number of finished files.
    pub fn files(&self) -> u64 {
        self.files.load(Ordering::Relaxed)
    }

    /// Returns the number of bytes of finished files.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}
