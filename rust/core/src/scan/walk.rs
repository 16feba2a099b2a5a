//! The way through the folders.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ffi::{CStr, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, open, statat};

use super::file::{Outcome, read_file};
use super::{Scan, ScanError, Scanned};
use crate::header::Header;
use crate::monitor::Monitor;

/// Files that one task reads: enough to make the task's own cost vanish, few enough to keep all threads busy.
const BATCH: usize = 64;

/// A folder's entries in order, files being the next ones of its batches.
#[derive(Debug)]
enum Node {
    File,
    Folder(u32),
}

#[derive(Debug)]
struct Folder {
    id: u32,
    path: Vec<u8>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Batch {
    folder: u32,
    first: usize,
    files: Vec<Scanned>,
}

/// What an entry of a folder is.
#[derive(Debug)]
enum Entry {
    File(Box<[u8]>),
    Folder(Box<[u8]>),
    /// Neither; says what.
    Other(Box<[u8]>, &'static str),
}

impl Entry {
    fn name(&self) -> &[u8] {
        match self {
            Self::File(name) | Self::Other(name, _) | Self::Folder(name) => name,
        }
    }

    /// What comes after the name in the paths that begin with it.
    fn end(&self) -> Option<&u8> {
        matches!(self, Self::Folder(_)).then_some(&b'/')
    }

    /// Such that whole paths come in the order of their bytes.
    fn order(&self, other: &Self) -> Ordering {
        let (a, b) = (self.name(), other.name());
        let shared = a.len().min(b.len());
        let heads = a.get(..shared).cmp(&b.get(..shared));
        heads.then_with(|| {
            a.get(shared)
                .or(self.end())
                .cmp(&b.get(shared).or(other.end()))
        })
    }
}

struct Walk<'m> {
    monitor: &'m Monitor,
    ids: AtomicU32,
    folders: Mutex<Vec<Folder>>,
    batches: Mutex<Vec<Batch>>,
}

/// A folder's path and a name in it; no folder stands for the paths that were asked for.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if folder.is_empty() || folder.ends_with(b"/") {
        b""
    } else {
        b"/"
    };
    [folder, slash, name].concat()
}

pub(super) fn scan(paths: &[Vec<u8>], monitor: &Monitor) -> Result<Scan, ScanError> {
    let walk = Walk {
        monitor,
        ids: AtomicU32::new(0),
        folders: Mutex::default(),
        batches: Mutex::default(),
    };
    let entries = asked_for(paths)?;
    let folders: Vec<&Entry> = entries
        .iter()
        .filter(|entry| matches!(entry, Entry::Folder(_)))
        .collect();
    for entry in folders {
        if let Entry::Folder(path) = entry {
            // Opened here for its error alone; a folder below that cannot be opened is no error of the whole.
            open_folder(path).map_err(|error| ScanError::Path(path.to_vec(), error))?;
        }
    }
    rayon::scope(|scope| walk.place(scope, b"", None, entries));
    if monitor.is_cancelled() {
        return Err(ScanError::Cancelled);
    }
    let scan = walk.finish();
    let refused = scan
        .files
        .iter()
        .position(|file| file.folder == 0 && matches!(file.outcome, Outcome::Unreadable(_)));
    match refused {
        Some(index) => Err(refusal(scan, index)),
        None => Ok(scan),
    }
}

fn refusal(mut scan: Scan, index: usize) -> ScanError {
    let path = scan.path(index);
    match scan.files.swap_remove(index).outcome {
        Outcome::Unreadable(error) => ScanError::Path(path, error),
        _ => ScanError::Path(path, io::Error::other("cannot be read")),
    }
}

/// The paths asked for as entries of a folder without a name; one that lies below another is not read twice.
fn asked_for(paths: &[Vec<u8>]) -> Result<Vec<Entry>, ScanError> {
    let known: HashSet<&Path> = paths.iter().map(|path| as_path(path)).collect();
    let mut seen = HashSet::new();
    let mut entries = Vec::new();
    for path in paths {
        let refused = |error: io::Error| ScanError::Path(path.clone(), error);
        let name = path.clone().into_boxed_slice();
        let stat = statat(CWD, path, AtFlags::empty()).map_err(|error| refused(error.into()))?;
        let below = as_path(path)
            .ancestors()
            .skip(1)
            .any(|above| known.contains(above));
        if below || !seen.insert(as_path(path)) {
            continue;
        }
        entries.push(match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Entry::Folder(name),
            FileType::RegularFile => Entry::File(name),
            _ => Entry::Other(name, "no regular file"),
        });
    }
    Ok(entries)
}

fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

fn open_folder(path: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(open(as_path(path), flags, Mode::empty())?)
}

/// Opens a folder and lists it.
fn list(path: &[u8]) -> io::Result<(OwnedFd, Vec<Entry>)> {
    let fd = open_folder(path)?;
    let mut entries = Vec::new();
    for entry in Dir::read_from(&fd)? {
        let entry = entry?;
        let name = entry.file_name();
        if !matches!(name.to_bytes(), b"." | b"..") {
            entries.push(classify(&fd, name, entry.file_type()));
        }
    }
    Ok((fd, entries))
}

fn classify(fd: &OwnedFd, name: &CStr, kind: FileType) -> Entry {
    let name: Box<[u8]> = name.to_bytes().into();
    let kind = match kind {
        // Some file systems do not tell.
        FileType::Unknown => {
            kind_of(fd, &name, AtFlags::SYMLINK_NOFOLLOW).unwrap_or(FileType::RegularFile)
        }
        known => known,
    };
    match kind {
        FileType::Directory => Entry::Folder(name),
        FileType::RegularFile => Entry::File(name),
        FileType::Symlink => match kind_of(fd, &name, AtFlags::empty()) {
            Some(FileType::RegularFile) => Entry::File(name),
            Some(FileType::Directory) => Entry::Other(name, "a link to a folder, not followed"),
            Some(_) => Entry::Other(name, "no regular file"),
            None => Entry::Other(name, "a link that leads nowhere"),
        },
        _ => Entry::Other(name, "no regular file"),
    }
}

fn kind_of(fd: &OwnedFd, name: &[u8], flags: AtFlags) -> Option<FileType> {
    statat(fd, name, flags)
        .ok()
        .map(|stat| FileType::from_raw_mode(stat.st_mode))
}

impl<'m> Walk<'m> {
    fn visit<'s>(&'s self, scope: &Scope<'s>, path: Vec<u8>, id: u32)
    where
        'm: 's,
    {
        if self.monitor.is_cancelled() {
            return;
        }
        match list(&path) {
            Ok((fd, entries)) => self.fill(scope, &path, Some(fd), id, entries),
            Err(error) => {
                // Stands in the scan as a file would, so that nothing below it is lost without a word.
                let (folder, name) = (id, Box::default());
                let outcome = Outcome::Unreadable(error);
                self.keep_batch(Batch {
                    folder,
                    first: 0,
                    files: vec![Scanned {
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

    fn place<'s>(&'s self, scope: &Scope<'s>, path: &[u8], fd: Option<OwnedFd>, entries: Vec<Entry>)
    where
        'm: 's,
    {
        let id = self.ids.fetch_add(1, Relaxed);
        self.fill(scope, path, fd, id, entries);
    }

    /// Puts a folder's entries in order, and hands its files and folders to the threads.
    fn fill<'s>(
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
                let child = self.ids.fetch_add(1, Relaxed);
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
        // Batches are spawned last and so run first: the folder is closed before the next ones are opened.
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

    fn read(&self, fd: Option<&OwnedFd>, folder: u32, first: usize, entries: Vec<Entry>) {
        let mut buffer = Vec::new();
        let mut files = Vec::with_capacity(entries.len());
        let mut bytes = 0_u64;
        for entry in entries {
            if self.monitor.is_cancelled() {
                return;
            }
            let (name, (size, outcome)) = match entry {
                Entry::File(name) => {
                    let read = match fd {
                        Some(fd) => read_file(fd, &*name, &mut buffer),
                        None => read_file(CWD, &*name, &mut buffer),
                    };
                    (name, read)
                }
                Entry::Other(name, reason) => (name, (0, Outcome::other(reason))),
                Entry::Folder(name) => (name, (0, Outcome::other("a folder"))),
            };
            bytes = bytes.saturating_add(size);
            files.push(Scanned {
                folder,
                name,
                size,
                outcome,
            });
        }
        self.monitor.add(files.len() as u64, bytes);
        Header::gather(files.iter_mut().filter_map(|file| match &mut file.outcome {
            Outcome::Dicom(header) => Some(header),
            _ => None,
        }));
        self.keep_batch(Batch {
            folder,
            first,
            files,
        });
    }

    // A poisoned lock means a panic elsewhere, which the scope passes on; the data themselves are whole.
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

    /// Lays the files out in the order of their paths.
    fn finish(self) -> Scan {
        let mut folders = self
            .folders
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut batches = self
            .batches
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        folders.sort_unstable_by_key(|folder| folder.id);
        batches.sort_unstable_by_key(|batch| (batch.folder, batch.first));
        let mut paths = Vec::with_capacity(folders.len());
        let mut nodes = Vec::with_capacity(folders.len());
        for folder in folders {
            paths.push(folder.path.into_boxed_slice());
            nodes.push(folder.nodes.into_iter());
        }
        let mut of_folder: Vec<Vec<Scanned>> = paths.iter().map(|_| Vec::new()).collect();
        for batch in batches {
            if let Some(files) = of_folder.get_mut(batch.folder as usize) {
                if files.is_empty() {
                    *files = batch.files;
                } else {
                    files.extend(batch.files);
                }
            }
        }
        let mut of_folder: Vec<_> = of_folder.into_iter().map(Vec::into_iter).collect();
        let mut files = Vec::with_capacity(of_folder.iter().map(ExactSizeIterator::len).sum());
        let mut open = vec![0_usize];
        while let Some(top) = open.last().copied() {
            match nodes.get_mut(top).and_then(Iterator::next) {
                Some(Node::Folder(child)) => open.push(child as usize),
                Some(Node::File) => files.extend(of_folder.get_mut(top).and_then(Iterator::next)),
                None => {
                    open.pop();
                }
            }
        }
        Scan {
            folders: paths,
            files,
        }
    }
}
