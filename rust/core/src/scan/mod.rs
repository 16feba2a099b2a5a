//! Many headers at once: files and folders, in parallel, in the order of their paths.

mod arrange;
mod file;
mod listing;
mod walk;

use std::io;
use std::num::NonZero;

use crate::header::Header;
use crate::monitor::Monitor;
use crate::series::{self, Entry, Group};

pub use file::{Outcome, parse_any};

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

/// One file of a scan.
#[derive(Debug)]
pub struct Scanned {
    folder: u32,
    name: Box<[u8]>,
    /// Its size in bytes; 0 when it could not be opened.
    pub size: u64,
    /// What it holds.
    pub outcome: Outcome,
}

/// Headers of many files.
#[derive(Debug, Default)]
pub struct Scan {
    folders: Vec<Box<[u8]>>,
    files: Vec<Scanned>,
}

impl Scan {
    /// The files in the order of their paths.
    pub fn files(&self) -> &[Scanned] {
        &self.files
    }

    /// The path of a file; empty for an index that there is not.
    pub fn path(&self, index: usize) -> Vec<u8> {
        let Some(file) = self.files.get(index) else {
            return Vec::new();
        };
        let folder = self
            .folders
            .get(file.folder as usize)
            .map(AsRef::as_ref)
            .unwrap_or_default();
        listing::join(folder, &file.name)
    }

    /// The header of a file that has one.
    pub fn header(&self, index: usize) -> Option<&Header> {
        match &self.files.get(index)?.outcome {
            Outcome::Dicom(header) => Some(header),
            _ => None,
        }
    }

    /// The files sorted by series; members and representatives are indices of files.
    pub fn groups(&self) -> Vec<Group> {
        let with_header: Vec<usize> = (0..self.files.len())
            .filter(|index| self.header(*index).is_some())
            .collect();
        // The order of the files is that of their paths, so a number in that order stands for a path.
        let ranks: Vec<[u8; 8]> = with_header
            .iter()
            .map(|index| (*index as u64).to_be_bytes())
            .collect();
        let entries: Vec<Entry<'_>> = with_header
            .iter()
            .zip(&ranks)
            .filter_map(|(index, rank)| {
                let file = self.files.get(*index)?;
                Some(Entry {
                    path: rank,
                    header: self.header(*index)?,
                    size: file.size,
                })
            })
            .collect();
        let back = |entry: usize| with_header.get(entry).copied().unwrap_or_default();
        let mut groups = series::group(&entries);
        for group in &mut groups {
            group.first = back(group.first);
            for member in &mut group.members {
                *member = back(*member);
            }
        }
        groups
    }
}

/// Threads to use when the caller leaves it open: one per CPU that this process may use.
pub fn usable_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Reads the headers of files, and of all files below folders.
///
/// Links to files are followed, links to folders below a path are not: they may lead back.
pub fn scan(paths: &[Vec<u8>], threads: usize, monitor: &Monitor) -> Result<Scan, ScanError> {
    let threads = if threads == 0 {
        usable_threads()
    } else {
        threads
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|index| format!("scan-{index}"))
        .build()
        .map_err(|error| ScanError::Threads(error.to_string()))?;
    pool.install(|| walk::scan(paths, monitor))
}
