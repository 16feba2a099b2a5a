//! The entries of a folder.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::{fs, io};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, open, statat};

use super::error::ScanError;

/// An entry of a folder, with its name, or a requested path, with the path as its name.
#[derive(Debug)]
pub(super) enum Entry {
    File(Box<[u8]>),
    Folder(Box<[u8]>),
    /// Another type, with its description.
    Other(Box<[u8]>, &'static str),
}

impl Entry {
    fn name(&self) -> &[u8] {
        match self {
            Self::File(name) | Self::Other(name, _) | Self::Folder(name) => name,
        }
    }

    /// Returns the byte that follows the name in the paths of the entries below it; None if it is not a folder.
    fn byte_after_name(&self) -> Option<&u8> {
        matches!(self, Self::Folder(_)).then_some(&b'/')
    }

    /// Orders entries such that whole paths are in the order of their bytes.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let (a, b) = (self.name(), other.name());
        let shared = a.len().min(b.len());
        let heads = a.get(..shared).cmp(&b.get(..shared));
        heads.then_with(|| {
            a.get(shared)
                .or(self.byte_after_name())
                .cmp(&b.get(shared).or(other.byte_after_name()))
        })
    }
}

/// Returns the path of the entry `name` of a folder; requested paths are entries of a folder with an empty path.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let slash: &[u8] = if folder.is_empty() || name.is_empty() || folder.ends_with(b"/") {
        b""
    } else {
        b"/"
    };
    [folder, slash, name].concat()
}

/// Returns the requested paths as entries of a folder whose path is empty. Omits a repeated path, and a path below another
/// requested path. Links are followed, and `.` and `..` are resolved, before paths are compared. Fails if a path cannot
/// be accessed.
pub(super) fn requested_entries(paths: &[Vec<u8>]) -> Result<Vec<Entry>, ScanError> {
    let mut requested = Vec::with_capacity(paths.len());
    for path in paths {
        let failed = |error: io::Error| ScanError::Path(path.clone(), error);
        let stat = statat(CWD, path, AtFlags::empty()).map_err(|error| failed(error.into()))?;
        let resolved = fs::canonicalize(as_path(path)).map_err(failed)?;
        requested.push((path.clone().into_boxed_slice(), stat.st_mode, resolved));
    }
    let places: HashSet<PathBuf> = requested.iter().map(|(.., place)| place.clone()).collect();
    let mut seen = HashSet::new();
    let mut entries = Vec::new();
    for (name, mode, place) in requested {
        let mut above = place.ancestors().skip(1);
        if above.any(|above| places.contains(above)) || !seen.insert(place) {
            continue;
        }
        entries.push(match FileType::from_raw_mode(mode) {
            FileType::Directory => Entry::Folder(name),
            FileType::RegularFile => Entry::File(name),
            _ => Entry::Other(name, "not a regular file"),
        });
    }
    Ok(entries)
}

fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

pub(super) fn open_folder(path: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(open(as_path(path), flags, Mode::empty())?)
}

/// Opens a folder and lists it, in any order.
pub(super) fn list(path: &[u8]) -> io::Result<(OwnedFd, Vec<Entry>)> {
    let fd = open_folder(path)?;
    let mut entries = Vec::new();
    for entry in fs::read_dir(as_path(path))? {
        let entry = entry?;
        let name = entry.file_name().into_vec().into_boxed_slice();
        // An entry that is missing by now fails when it is read.
        let kind = entry.file_type().map_or(FileType::RegularFile, kind_of);
        entries.push(classify(&fd, name, kind));
    }
    Ok((fd, entries))
}

fn kind_of(kind: fs::FileType) -> FileType {
    match kind {
        kind if kind.is_dir() => FileType::Directory,
        kind if kind.is_file() => FileType::RegularFile,
        kind if kind.is_symlink() => FileType::Symlink,
        _ => FileType::Unknown,
    }
}

fn classify(fd: &OwnedFd, name: Box<[u8]>, kind: FileType) -> Entry {
    match kind {
        FileType::Directory => Entry::Folder(name),
        FileType::RegularFile => Entry::File(name),
        FileType::Symlink => follow(fd, name),
        _ => Entry::Other(name, "not a regular file"),
    }
}

/// Returns the entry of a symbolic link, by the type of its target.
fn follow(fd: &OwnedFd, name: Box<[u8]>) -> Entry {
    let Ok(stat) = statat(fd, &*name, AtFlags::empty()) else {
        return Entry::Other(name, "a link that leads nowhere");
    };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Entry::File(name),
        FileType::Directory => Entry::Other(name, "a link to a folder, not followed"),
        _ => Entry::Other(name, "not a regular file"),
    }
}
