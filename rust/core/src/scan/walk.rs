//! Walks through the folders in parallel.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;
use rustix::fd::OwnedFd;
use rustix::fs::CWD;

use super::arrange::{Batch, Folder, Node, arrange};
use super::error::ScanError;
use super::file::{Buffers, Outcome, read_file};
use super::listing::{Entry, join, list, open_folder, requested_entries};
use super::scanned::{ScannedFile, ScannedFiles};
use crate::header::HeaderRange;
use crate::monitor::Monitor;

/// Files per task: enough to make the overhead of a task negligible, few enough to keep all threads busy.
const BATCH: usize = 64;

/// The state of a scan, which all tasks share.
struct Walk<'m> {
    monitor: &'m Monitor,
    /// The id of the next folder.
    next_id: AtomicU32,
    folders: Mutex<Vec<Folder>>,
    batches: Mutex<Vec<Batch>>,
}

/// Reads the headers of files and of all files below folders, in the current thread pool.
pub(super) fn scan_files(paths: &[Vec<u8>], monitor: &Monitor) -> Result<ScannedFiles, ScanError> {
    let walk = Walk {
        monitor,
        next_id: AtomicU32::new(0),
        folders: Mutex::default(),
        batches: Mutex::default(),
    };
    let entries = requested_entries(paths)?;
    for entry in &entries {
        if let Entry::Folder(path) = entry {
            // A folder that cannot be opened fails the scan only if it is a requested path, so this is checked here.
            open_folder(path).map_err(|error| ScanError::Path(path.to_vec(), error))?;
        }
    }
    let root = walk.next_id.fetch_add(1, Relaxed);
    rayon::scope(|scope| walk.spawn_tasks(scope, b"", None, root, entries));
    if monitor.is_cancelled() {
        return Err(ScanError::Cancelled);
    }
    let scan = walk.finish();
    let unreadable = scan
        .files
        .iter()
        .position(|file| file.folder == root && matches!(file.outcome, Outcome::Unreadable(_)));
    match unreadable {
        Some(index) => Err(unreadable_path(scan, index)),
        None => Ok(scan),
    }
}

/// Returns the error for a requested path that cannot be read; `index` is that of its file.
fn unreadable_path(mut scan: ScannedFiles, index: usize) -> ScanError {
    let path = scan.path(index);
    match scan.files.swap_remove(index).outcome {
        Outcome::Unreadable(error) => ScanError::Path(path, error),
        _ => ScanError::Path(path, io::Error::other("cannot be read")),
    }
}

impl<'m> Walk<'m> {
    /// Lists the folder with this id, and spawns tasks that read what is in it.
    fn visit<'s>(&'s self, scope: &Scope<'s>, path: Vec<u8>, id: u32)
    where
        'm: 's,
    {
        if self.monitor.is_cancelled() {
            return;
        }
        match list(&path) {
            Ok((fd, entries)) => self.spawn_tasks(scope, &path, Some(fd), id, entries),
            Err(error) => {
                // The folder becomes a scanned file with an empty name, so that the caller learns that its content is missing.
                let (folder, name) = (id, Box::default());
                let outcome = Outcome::Unreadable(error);
                self.keep_batch(Batch {
                    folder,
                    first: 0,
                    files: vec![ScannedFile {
                        folder,
                        name,
                        size: 0,
                        outcome,
                    }],
                });
                self.keep_folder(Folder {
                    id,
                    path,
                    nodes: vec![Node::File],
                });
            }
        }
    }

    /// Sorts the entries of a folder, and spawns tasks for its files and folders. `fd` is None for the requested paths.
    fn spawn_tasks<'s>(
        &'s self,
        scope: &Scope<'s>,
        path: &[u8],
        fd: Option<OwnedFd>,
        id: u32,
        mut entries: Vec<Entry>,
    ) where
        'm: 's,
    {
        entries.sort_unstable_by(Entry::order);
        let mut nodes = Vec::with_capacity(entries.len());
        let mut files = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Entry::Folder(name) = entry {
                let child = self.next_id.fetch_add(1, Relaxed);
                nodes.push(Node::Folder(child));
                let path = join(path, &name);
                scope.spawn(move |scope| self.visit(scope, path, child));
            } else {
                nodes.push(Node::File);
                files.push(entry);
            }
        }
        self.keep_folder(Folder {
            id,
            path: path.to_vec(),
            nodes,
        });
        // Batches are spawned last, so that a thread runs them first and closes the folder before it opens the next
        // ones.
        let fd = Arc::new(fd);
        let mut rest = files.into_iter();
        let mut first = 0_usize;
        loop {
            let batch: Vec<Entry> = rest.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            let (fd, start) = (Arc::clone(&fd), first);
            first = first.saturating_add(batch.len());
            scope.spawn(move |_| self.read(fd.as_ref().as_ref(), id, start, batch));
        }
    }

    /// Reads the files of one batch. `fd` is that of their folder, None for requested paths; `folder` is its id, and `first`
    /// the index of the first file among the files of the folder.
    fn read(&self, fd: Option<&OwnedFd>, folder: u32, first: usize, entries: Vec<Entry>) {
        let mut buffers = Buffers::default();
        let mut results = Vec::with_capacity(entries.len());
        let mut bytes = 0_u64;
        for entry in entries {
            if self.monitor.is_cancelled() {
                return;
            }
            let (name, (size, outcome)) = match entry {
                Entry::File(name) => {
                    let outcome = match fd {
                        Some(fd) => read_file(fd, &*name, &mut buffers),
                        None => read_file(CWD, &*name, &mut buffers),
                    };
                    (name, outcome)
                }
                Entry::Other(name, reason) => (name, (0, Outcome::other(reason))),
                Entry::Folder(name) => (name, (0, Outcome::other("a folder"))),
            };
            bytes = bytes.saturating_add(size);
            results.push((name, size, outcome));
        }
        self.monitor.add(results.len() as u64, bytes);
        let bundle = buffers.bundle.finish();
        let scanned = |(name, size, outcome): (Box<[u8]>, u64, Outcome<HeaderRange>)| ScannedFile {
            folder,
            name,
            size,
            outcome: outcome.map(|range| bundle.header(range)),
        };
        let files = results.into_iter().map(scanned).collect();
        self.keep_batch(Batch {
            folder,
            first,
            files,
        });
    }

    // A poisoned lock means a panic elsewhere, which the scope propagates; the data themselves are consistent.
    fn keep_folder(&self, folder: Folder) {
        self.folders
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(folder);
    }

    fn keep_batch(&self, batch: Batch) {
        self.batches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(batch);
    }

    fn finish(self) -> ScannedFiles {
        let folders = self
            .folders
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let batches = self
            .batches
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        arrange(folders, batches)
    }
}
