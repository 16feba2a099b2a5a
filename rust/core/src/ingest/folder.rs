//! Reads a folder as a packet, with its plain files.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rayon::prelude::*;

use super::batch::{BATCH_SIZE, Members};
use super::member::{self, ProcessedMember};
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::plain_file::{link_row, open};
use super::process::process_member;
use super::row::RowKind;
use super::scratch;
use super::staging::{StagingDir, fill, read_through};
use super::stop::Stop;
use crate::archive::kind::{self, FileKind};
use crate::archive::{names_too_long, names_too_long_reason, reason};
use crate::notation::escaped_len;

/// The kind of an entry in a folder of the packet.
enum EntryKind {
    File,
    /// A folder; among the results of [`walk`] an empty one.
    Folder,
    Link,
    /// A FIFO, socket or device, with its description.
    Device(&'static str),
    /// An entry that cannot be read: the kind in its row, and the reason.
    Unreadable(RowKind, String),
}

/// An entry of the packet.
struct FolderEntry {
    /// Its path below the packet; empty for the packet itself.
    path: Vec<u8>,
    kind: EntryKind,
}

/// Returns the members of a packet folder in sorted order: everything below it except the entries that the option `skip`
/// names. `container` is the address of the packet. Fails if the folder itself cannot be read.
pub fn read<'a>(
    pass: &'a Pass<'_>,
    root: &'a Path,
    container: &'a Address,
) -> Result<Members<'a>, Stop> {
    let mut entries = Vec::new();
    walk(pass, root, &mut entries)?;
    Ok(Members::in_batches(
        entries,
        move |batch, entries: &[FolderEntry]| {
            let members = entries.par_iter().enumerate().with_max_len(16);
            members
                .map(|(at, entry)| {
                    let sequence = (batch * BATCH_SIZE + at) as u64 + 1;
                    let address = container.member(&entry.path, sequence);
                    let path = root.join(std::ffi::OsStr::from_bytes(&entry.path));
                    read_entry(pass, &address, root, &path, &entry.kind)
                })
                .collect()
        },
    ))
}

/// Reads one entry of the packet folder `root`; `path` is its path on disk.
fn read_entry(
    pass: &Pass<'_>,
    address: &Address,
    root: &Path,
    path: &Path,
    kind: &EntryKind,
) -> Result<ProcessedMember, Stop> {
    if let Err(reason) = pass.count_member(escaped_len(&address.path)) {
        return Ok(address.refused_row(RowKind::Other, 0, reason).into());
    }
    Ok(match kind {
        EntryKind::File => return read_plain_file(pass, address, path),
        EntryKind::Folder => address
            .no_data_row(RowKind::Directory, "an empty folder")
            .into(),
        EntryKind::Link => link_row(address, root, path).into(),
        EntryKind::Device(word) => address.no_data_row(RowKind::Device, *word).into(),
        EntryKind::Unreadable(kind, reason) => address.refused_row(*kind, 0, reason.clone()).into(),
    })
}

/// Adds everything below `root` to `entries`, except what the option `skip` names, until the names exceed their limit. A
/// folder has an entry only if it is empty or unreadable. Fails if `root` itself cannot be read.
fn walk(pass: &Pass<'_>, root: &Path, entries: &mut Vec<FolderEntry>) -> Result<(), Stop> {
    let mut pending = vec![FolderEntry {
        path: Vec::new(),
        kind: EntryKind::Folder,
    }];
    let mut name_bytes = 0u64;
    while let Some(next) = pending.pop() {
        pass.check_cancelled()?;
        name_bytes = name_bytes.saturating_add(next.path.len() as u64);
        let members = entries.len() as u64 + 1;
        if names_too_long(name_bytes, members) {
            pass.record_limit(names_too_long_reason(members));
            return Ok(());
        }
        if !matches!(next.kind, EntryKind::Folder) {
            entries.push(next);
            continue;
        }
        let folder = root.join(std::ffi::OsStr::from_bytes(&next.path));
        match list(&folder, &next.path) {
            Ok(children) if children.is_empty() && !next.path.is_empty() => entries.push(next),
            Ok(children) => {
                let wanted =
                    |entry: &FolderEntry| !next.path.is_empty() || !pass.skips(root, &entry.path);
                pending.extend(children.into_iter().filter(wanted).rev());
            }
            Err(error) if next.path.is_empty() => return Err(Stop::io(&folder, error)),
            Err(error) => {
                let kind = EntryKind::Unreadable(
                    RowKind::Directory,
                    format!("the folder cannot be read: {}", reason(&error)),
                );
                entries.push(FolderEntry {
                    path: next.path,
                    kind,
                });
            }
        }
    }
    Ok(())
}

/// Returns the entries of one folder, sorted by name. `folder_path` is its path below the packet.
fn list(folder: &Path, folder_path: &[u8]) -> io::Result<Vec<FolderEntry>> {
    let mut children = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let mut path = folder_path.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(entry.file_name().as_bytes());
        let kind = match entry.file_type() {
            Ok(kind) => kind_of(kind),
            Err(error) => EntryKind::Unreadable(RowKind::Other, error.to_string()),
        };
        children.push(FolderEntry { path, kind });
    }
    children.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(children)
}

fn kind_of(kind: fs::FileType) -> EntryKind {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_file() {
        EntryKind::File
    } else if kind.is_dir() {
        EntryKind::Folder
    } else if kind.is_symlink() {
        EntryKind::Link
    } else if kind.is_fifo() {
        EntryKind::Device("a FIFO")
    } else if kind.is_socket() {
        EntryKind::Device("a socket")
    } else {
        EntryKind::Device("a device")
    }
}

/// Reads a plain file, which is in no archive. Refuses it if it cannot be read or changes meanwhile; if it is no longer a
/// regular file, its row has no data.
pub fn read_plain_file(
    pass: &Pass<'_>,
    address: &Address,
    path: &Path,
) -> Result<ProcessedMember, Stop> {
    pass.check_cancelled()?;
    let opened = open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
    let (mut file, metadata) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return Ok(address
                .refused_row(RowKind::Other, 0, format!("it cannot be read: {error}"))
                .into());
        }
    };
    if !metadata.is_file() {
        return Ok(address
            .no_data_row(RowKind::Device, "it is no longer a regular file")
            .into());
    }
    let size = metadata.len();
    if size > pass.max_in_memory {
        return read_large_file(pass, address, path, file, size);
    }
    scratch::with(|scratch| {
        // Reading one more byte than expected shows whether the file has grown.
        let want = usize::try_from(size).unwrap_or(0) + 1;
        if scratch.content.len() < want {
            scratch.content.resize(want, 0);
        }
        let got = match fill(
            &mut file,
            scratch.content.get_mut(..want).unwrap_or_default(),
        ) {
            Ok(got) => got,
            Err(error) => {
                return Ok(address
                    .refused_row(RowKind::Other, size, reason(&error))
                    .into());
            }
        };
        drop(file);
        if got as u64 != size {
            return Ok(refuse_changed(address, size));
        }
        let bytes = scratch.content.get(..got).unwrap_or_default();
        process_member(
            pass,
            address,
            MemberBytes::Bytes(bytes, Some(path)),
            size,
            member::hash(bytes),
        )
    })
}

/// Refuses a file of `size` bytes that changed while it was read.
fn refuse_changed(address: &Address, size: u64) -> ProcessedMember {
    address
        .refused_row(RowKind::Other, size, "it changed while it was read")
        .into()
}

/// Reads a file that is too large for memory. Copies it to staging, unless it is an archive of a supported kind or a
/// compressed file, or the option `hard_link` is set: then it is read in place.
fn read_large_file(
    pass: &Pass<'_>,
    address: &Address,
    path: &Path,
    mut file: File,
    size: u64,
) -> Result<ProcessedMember, Stop> {
    let file_kind = kind::of_file(&file).unwrap_or(FileKind::Other);
    let keep_in_place = pass.options.hard_link
        || matches!(
            file_kind,
            FileKind::Zip | FileKind::SevenZ | FileKind::Tar | FileKind::Packed(_)
        );
    let staged = address.staged_file(StagingDir::Other);
    if !keep_in_place {
        pass.check_free_space(size, &address.path)?;
    }
    let checksums = if keep_in_place {
        read_through(&mut file, u64::MAX, pass.monitor, |_| Ok(()))
    } else {
        pass.staging
            .spool(&staged, &mut file, u64::MAX, pass.monitor)
    };
    let checksums = match checksums {
        Ok(checksums) => checksums,
        Err(fault) => {
            return Ok(address
                .refused_row(RowKind::Other, size, fault.reason_or_stop()?)
                .into());
        }
    };
    let data = if keep_in_place {
        MemberBytes::PlainFile(path.to_owned(), checksums)
    } else {
        MemberBytes::Staged(staged)
    };
    if checksums.size != size {
        data.discard(pass)?;
        return Ok(refuse_changed(address, size));
    }
    process_member(pass, address, data, size, checksums.sha256)
}
