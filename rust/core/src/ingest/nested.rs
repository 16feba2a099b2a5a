//! Archives inside archives (and inside folders): opened when the members beside them are done, one after the other, so
//! that depth and memory stay bounded whatever they hold.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::held::Held;
use super::member::{self, Archive, Taken};
use super::packed;
use super::pass::{Pass, Place};
use super::row::{Fate, Kind, Row};
use super::staging::{Copied, Shelf};
use super::tar_input::Input;
use super::{Stop, folder, tarred, zipped};
use crate::archive::kind::{self, HEAD, Kind as Content, Packing};
use crate::archive::source::FileSource;
use crate::archive::unpack::Unpack;
use crate::header::Header;

/// So many members are read side by side; then their headers are moved together, which keeps memory low.
pub const BATCH: usize = 4096;

/// Why an archive that can be read is kept as it is.
const IMAGELESS: &str = "an archive without DICOM or PAR";

/// What came out of a packet or of one archive in it.
#[derive(Default)]
pub struct Opened {
    /// One row for each member, those of inner archives behind their archive's.
    pub rows: Vec<Row>,
    /// What is wrong with the archive as a whole.
    pub damage: Vec<String>,
    /// What is odd but loses nothing.
    pub notes: Vec<String>,
}

impl Opened {
    /// Members that were read side by side.
    pub fn of(pass: &Pass<'_>, taken: Vec<Taken>) -> Result<Self, Stop> {
        let mut opened = Self::default();
        opened.add(pass, taken)?;
        Ok(opened)
    }

    /// Adds members, and opens the archives among them.
    pub fn add(&mut self, pass: &Pass<'_>, mut taken: Vec<Taken>) -> Result<(), Stop> {
        Header::gather(
            taken
                .iter_mut()
                .filter_map(|taken| taken.row.header.as_mut()),
        );
        for taken in taken {
            match taken.archive {
                None => self.rows.push(taken.row),
                Some(archive) => {
                    let (place, archive) = *archive;
                    open(pass, taken.row, &place, archive, &mut self.rows)?;
                }
            }
        }
        Ok(())
    }

    /// Why an archive with this content is not opened.
    pub(super) fn fault(&self) -> Option<String> {
        let refused = self.rows.iter().find(|row| row.fate == Fate::Refused);
        let first = refused.map(|row| format!("{}: {}", row.ledger_path(), row.reason));
        first.or_else(|| self.damage.first().cloned())
    }

    /// Whether it may hold images.
    pub(super) fn wanted(&self) -> bool {
        self.rows
            .iter()
            .any(|row| row.suspect || matches!(row.kind, Kind::Dicom | Kind::DicomDir | Kind::Par))
    }
}

fn open(
    pass: &Pass<'_>,
    mut row: Row,
    place: &Place,
    archive: Archive,
    rows: &mut Vec<Row>,
) -> Result<(), Stop> {
    let path = match (&archive, &row.staged) {
        (Archive::Loose(path, _), _) => path.clone(),
        (Archive::Staged, Some(staged)) => pass.staging.path(staged),
        (Archive::Staged, None) => PathBuf::new(),
    };
    if place.depth >= pass.options.max_nesting {
        let reason = format!(
            "kept whole: archives inside archives are opened {} deep (limit)",
            place.depth
        );
        rows.push(keep(pass, row, place, archive, &reason)?);
        return Ok(());
    }
    // A bomb is many copies of one archive: what was of no use once is not opened again.
    if let Some(reason) = pass.known_useless(row.sha256, place.depth) {
        rows.push(keep(pass, row, place, archive, &reason)?);
        return Ok(());
    }
    let opened = content(pass, &path, &place.container())?;
    let reason = match opened.fault() {
        Some(fault) => Some(format!("kept whole: {fault}")),
        None if !opened.wanted() => Some(IMAGELESS.into()),
        None => None,
    };
    if let Some(reason) = reason {
        pass.remember_useless(row.sha256, place.depth, &reason);
        discard(pass, &opened)?;
        rows.push(keep(pass, row, place, archive, &reason)?);
        return Ok(());
    }
    row.kind = Kind::Archive;
    row.fate = Fate::Opened;
    row.reason = opened.notes.join("; ").into();
    if let Some(staged) = row.staged.take() {
        pass.staging.remove(&staged)?;
    }
    rows.push(row);
    rows.extend(opened.rows);
    Ok(())
}

/// Removes from staging what came out of an archive.
pub(super) fn discard(pass: &Pass<'_>, opened: &Opened) -> Result<(), Stop> {
    for staged in opened.rows.iter().filter_map(|row| row.staged.as_ref()) {
        pass.staging.remove(staged)?;
    }
    Ok(())
}

/// Keeps a loose archive without images as one file.
pub(super) fn kept_loose(
    pass: &Pass<'_>,
    row: Row,
    place: &Place,
    path: &Path,
    copied: Copied,
) -> Result<Row, Stop> {
    let archive = Archive::Loose(path.to_owned(), copied);
    keep(pass, row, place, archive, IMAGELESS)
}

/// Keeps an archive as one file.
fn keep(
    pass: &Pass<'_>,
    mut row: Row,
    place: &Place,
    archive: Archive,
    reason: &str,
) -> Result<Row, Stop> {
    row.reason = reason.to_owned().into();
    if let Archive::Loose(path, copied) = archive {
        member::put(
            pass,
            place,
            &mut row,
            Held::Loose(path, copied),
            Shelf::Other,
        )?;
    }
    if let Some(staged) = row.staged.clone() {
        let held = Held::Staged(staged);
        if let Content::Packed(packing) = held.kind(pass)? {
            row.content_sha256 = packed::content_hash(pass, &row, &held, packing)?;
        }
    }
    Ok(row)
}

/// Reads an archive file of any kind.
pub fn content(pass: &Pass<'_>, path: &Path, container: &Place) -> Result<Opened, Stop> {
    let failed = |error| Stop::io(path, error);
    let file = File::open(path).map_err(failed)?;
    match kind::of_file(&file).map_err(failed)? {
        Content::Zip => {
            let source = FileSource::new(file).map_err(failed)?;
            zipped::read(pass, &source, pass.note_zip(path), container)
        }
        Content::Packed(packing) if holds_tar(path, packing) => {
            match Unpack::open(packing, Box::new(file)) {
                Ok(unpack) => tarred::read(
                    pass,
                    Input::Packed(Box::new(unpack), 0, pass.options.max_ratio),
                    container,
                ),
                Err(error) => Ok(Opened {
                    damage: vec![crate::archive::reason(&error)],
                    ..Opened::default()
                }),
            }
        }
        Content::Packed(packing) => single(pass, file, packing, container),
        _ => tarred::read(
            pass,
            Input::Plain(Box::new(BufReader::with_capacity(256 << 10, file)), 0),
            container,
        ),
    }
}

/// Whether a compressed file is a compressed tar, as far as it can be unpacked.
#[must_use]
pub fn holds_tar(path: &Path, packing: Packing) -> bool {
    let mut head = Vec::new();
    if let Ok(unpack) = folder::open(path).and_then(|file| Unpack::open(packing, Box::new(file))) {
        // What an error leaves in the buffer is enough to tell.
        let _ = unpack.take(HEAD as u64).read_to_end(&mut head);
    }
    kind::of(&head) == Content::Tar
}

/// A compressed archive that is no tar: its content is the only member.
fn single(
    pass: &Pass<'_>,
    mut file: File,
    packing: Packing,
    container: &Place,
) -> Result<Opened, Stop> {
    let damaged = |reason: String| {
        Ok(Opened {
            damage: vec![reason],
            ..Opened::default()
        })
    };
    let size = file.metadata().map_or(0, |metadata| metadata.len());
    let outer = container.path.strip_suffix(b"!").unwrap_or(&container.path);
    let outer = outer
        .rsplit(|&byte| byte == b'/' || byte == b'!')
        .next()
        .unwrap_or_default();
    let place = container.member(kind::without_extension(outer, packing), 1);
    let mut unpack = match Unpack::open(packing, Box::new(&mut file)) {
        Ok(unpack) => unpack,
        Err(error) => return damaged(crate::archive::reason(&error)),
    };
    let limit = pass
        .options
        .max_ratio
        .saturating_mul(size.max(crate::archive::LEAST_PACKED));
    let staged = place.staged(Shelf::Other);
    let copied = match pass
        .staging
        .spool(&staged, &mut unpack, limit, pass.monitor)?
    {
        Ok(copied) => copied,
        Err(reason) => return damaged(reason),
    };
    if let Err(reason) = pass.count().and_then(|()| pass.expand(copied.size)) {
        pass.staging.remove(&staged)?;
        return damaged(reason);
    }
    let taken = member::take(
        pass,
        &place,
        Held::Staged(staged),
        copied.size,
        copied.sha256,
    )?;
    let mut opened = Opened::of(pass, vec![taken])?;
    if unpack.trailing() > 0 {
        opened.notes.push(format!(
            "{} bytes stand behind the compressed data",
            unpack.trailing()
        ));
    }
    Ok(opened)
}
