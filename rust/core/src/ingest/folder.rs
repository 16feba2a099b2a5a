//! Reads a folder as a packet, with its loose files.

use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rayon::prelude::*;

use super::batch::{BATCH, Members};
use super::held::Held;
use super::loose::{link, open};
use super::member::{self, Taken};
use super::pass::{Pass, Place};
use super::row::Kind;
use super::scratch;
use super::staging::{Shelf, fill, read_through};
use super::stop::Stop;
use super::take::take;
use crate::archive::kind::{self, Kind as Content};
use crate::archive::{names_beyond, names_too_long, reason};
use crate::notation::escaped_len;

/// An entry of a folder.
enum What {
    File,
    EmptyFolder,
    Link,
    Device(&'static str),
    Unreadable(Kind, String),
}

/// An entry of the packet, with its path below the packet.
struct Found {
    name: Vec<u8>,
    what: What,
}

/// Reads everything below a folder, in sorted order.
pub fn read<'a>(
    pass: &'a Pass<'_>,
    root: &'a Path,
    container: &'a Place,
) -> Result<Members<'a>, Stop> {
    let mut found = Vec::new();
    walk(pass, root, &[], &mut found)?;
    Ok(Members::in_batches(found, move |batch, found: &[Found]| {
        let members = found.par_iter().enumerate().with_max_len(16);
        members
            .map(|(at, found)| {
                let sequence = (batch * BATCH + at) as u64 + 1;
                let place = container.member(&found.name, sequence);
                let path = root.join(std::ffi::OsStr::from_bytes(&found.name));
                one(pass, &place, root, &path, &found.what)
            })
            .collect()
    }))
}

fn one(
    pass: &Pass<'_>,
    place: &Place,
    root: &Path,
    path: &Path,
    what: &What,
) -> Result<Taken, Stop> {
    if let Err(reason) = pass.count(escaped_len(&place.path)) {
        return Ok(place.refused(Kind::Other, 0, reason).into());
    }
    Ok(match what {
        What::File => return file(pass, place, path),
        What::EmptyFolder => place.no_data(Kind::Directory, "an empty folder").into(),
        What::Link => link(place, root, path).into(),
        What::Device(word) => place.no_data(Kind::Device, *word).into(),
        What::Unreadable(kind, reason) => place.refused(*kind, 0, reason.clone()).into(),
    })
}

/// Lists a folder recursively; only empty folders are listed themselves.
fn walk(pass: &Pass<'_>, root: &Path, top: &[u8], found: &mut Vec<Found>) -> Result<(), Stop> {
    let mut waiting = vec![Found {
        name: top.to_vec(),
        what: What::EmptyFolder,
    }];
    let mut names = 0u64;
    while let Some(next) = waiting.pop() {
        pass.check()?;
        names = names.saturating_add(next.name.len() as u64);
        let members = found.len() as u64 + 1;
        if names_too_long(names, members) {
            pass.exhaust(names_beyond(members));
            return Ok(());
        }
        if !matches!(next.what, What::EmptyFolder) {
            found.push(next);
            continue;
        }
        let folder = root.join(std::ffi::OsStr::from_bytes(&next.name));
        match list(&folder, &next.name) {
            Ok(inside) if inside.is_empty() && !next.name.is_empty() => found.push(next),
            Ok(inside) => {
                let wanted =
                    |found: &Found| !next.name.is_empty() || !pass.skips(root, &found.name);
                waiting.extend(inside.into_iter().filter(wanted).rev());
            }
            Err(error) if next.name.is_empty() => return Err(Stop::io(&folder, error)),
            Err(error) => {
                let what = What::Unreadable(
                    Kind::Directory,
                    format!("the folder cannot be read: {error}"),
                );
                found.push(Found {
                    name: next.name,
                    what,
                });
            }
        }
    }
    Ok(())
}

fn list(folder: &Path, name: &[u8]) -> io::Result<Vec<Found>> {
    let mut inside = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let mut path = name.to_vec();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(entry.file_name().as_bytes());
        let what = match entry.file_type() {
            Ok(kind) => what(kind),
            Err(error) => What::Unreadable(Kind::Other, error.to_string()),
        };
        inside.push(Found { name: path, what });
    }
    inside.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(inside)
}

fn what(kind: fs::FileType) -> What {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_file() {
        What::File
    } else if kind.is_dir() {
        What::EmptyFolder
    } else if kind.is_symlink() {
        What::Link
    } else if kind.is_fifo() {
        What::Device("a FIFO")
    } else if kind.is_socket() {
        What::Device("a socket")
    } else {
        What::Device("a device")
    }
}

/// Reads a loose file.
pub fn file(pass: &Pass<'_>, place: &Place, path: &Path) -> Result<Taken, Stop> {
    pass.check()?;
    let opened = open(path).and_then(|file| file.metadata().map(|metadata| (file, metadata)));
    let (mut file, metadata) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            return Ok(place
                .refused(Kind::Other, 0, format!("it cannot be read: {error}"))
                .into());
        }
    };
    if !metadata.is_file() {
        return Ok(place.no_data(Kind::Device, "no file any more").into());
    }
    let size = metadata.len();
    if size > pass.in_memory {
        return large(pass, place, path, file, size);
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
            Err(error) => return Ok(place.refused(Kind::Other, size, reason(&error)).into()),
        };
        drop(file);
        if got as u64 != size {
            return Ok(changed(place, size));
        }
        let bytes = scratch.content.get(..got).unwrap_or_default();
        take(
            pass,
            place,
            Held::Bytes(bytes, Some(path)),
            size,
            member::hash(bytes),
        )
    })
}

fn changed(place: &Place, size: u64) -> Taken {
    place
        .refused(Kind::Other, size, "it changed while it was read")
        .into()
}

/// Reads a file that is too large for memory. Archives remain in place until they are opened.
fn large(
    pass: &Pass<'_>,
    place: &Place,
    path: &Path,
    mut file: File,
    size: u64,
) -> Result<Taken, Stop> {
    let content = kind::of_file(&file).unwrap_or(Content::Other);
    let stays = pass.options.link
        || matches!(
            content,
            Content::Zip | Content::SevenZ | Content::Tar | Content::Packed(_)
        );
    let staged = place.staged(Shelf::Other);
    if !stays {
        pass.need_room(size, &place.path)?;
    }
    let copied = if stays {
        read_through(&mut file, u64::MAX, pass.monitor, |_| Ok(()))
    } else {
        pass.staging
            .spool(&staged, &mut file, u64::MAX, pass.monitor)
    };
    let copied = match copied {
        Ok(copied) => copied,
        Err(fault) => return Ok(place.refused(Kind::Other, size, fault.reason()?).into()),
    };
    let held = if stays {
        Held::Loose(path.to_owned(), copied)
    } else {
        Held::Staged(staged)
    };
    if copied.size != size {
        held.discard(pass)?;
        return Ok(changed(place, size));
    }
    take(pass, place, held, size, copied.sha256)
}
