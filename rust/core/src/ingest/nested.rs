//! Nested archives (in archives and folders). They are opened one at a time, after the other members of their batch, which
//! bounds the memory for unpacking.

use std::fs;
use std::io::{BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::batch::Members;
use super::expansion::{Expansion, ExpansionReader};
use super::kept_whole::{KeptArchive, KeptWholeCause};
use super::left_out::is_named_like_image;
use super::member::{self, ArchiveBytes, ProcessedMember};
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::row::{Fate, Reason, Row, RowKind};
use super::staging::{Checksums, StagingDir};
use super::stop::Stop;
use super::tar_input::Input;
use super::{compressed_file, sevenz_members, tar_members, zip_members};
use crate::archive::foreign::{ForeignArchive, is_part};
use crate::archive::kind::{self, FileKind};
use crate::archive::skipped::SkippedBytes;
use crate::archive::source::FileSource;
use crate::archive::unpack::Unpack;
use crate::header::Header;
use crate::regular;

/// The members of a packet or of one archive in it.
#[derive(Default)]
pub struct MemberRows {
    /// One row for each member; those of a nested archive follow the archive's row.
    pub rows: Vec<Row>,
    /// Why the archive cannot be read completely, apart from the reasons of refused members.
    pub damage: Vec<String>,
    /// Notes on bytes that belong to no member.
    pub skipped: SkippedBytes,
}

impl MemberRows {
    /// Collects the rows of members, and opens the archives among them.
    pub fn collect(pass: &Pass<'_>, members: Members<'_>) -> Result<Self, Stop> {
        let mut member_rows = Self::default();
        for batch in members.batches {
            member_rows.add(pass, batch?)?;
        }
        member_rows.damage = members.damage;
        member_rows.skipped = members.skipped;
        let at_end = members.skipped_at_end.map(|skipped| skipped());
        member_rows.skipped.extend(at_end.unwrap_or_default());
        Ok(member_rows)
    }

    /// Adds the rows of one batch, and opens the archives in it.
    fn add(&mut self, pass: &Pass<'_>, mut members: Vec<ProcessedMember>) -> Result<(), Stop> {
        Header::move_into_one_block(
            members
                .iter_mut()
                .filter_map(|member| member.row.header.as_mut()),
        );
        for member in members {
            match member.archive {
                None => self.rows.push(member.row),
                Some(archive) => {
                    let (address, archive) = *archive;
                    open(pass, member.row, &address, archive, &mut self.rows)?;
                }
            }
        }
        Ok(())
    }

    /// Returns why an archive with these members is kept as one file; None if it is opened.
    pub(super) fn why_kept(&self) -> Option<KeptArchive> {
        let sound = || (!self.may_contain_images()).then(|| self.why_kept_without_images());
        let mut kept = self.fault().or_else(sound)?;
        kept.extra_bytes_may_contain_images = self.skipped.may_contain_images
            || self
                .rows
                .iter()
                .any(|row| row.extra_bytes_may_contain_images);
        Some(kept)
    }

    /// Returns why an archive with these members is kept whole; None if no member was refused and the archive has no
    /// damage.
    pub(super) fn fault(&self) -> Option<KeptArchive> {
        let refused = self.rows.iter().find(|row| row.fate == Fate::Refused);
        let damage = || Some(KeptArchive::of_fault(self.damage.first()?));
        refused.map(KeptArchive::of_member).or_else(damage)
    }

    /// Returns why a sound archive without images is kept as one file. If it contains archives that were not opened, the
    /// reason names the first one that may contain images, else the first one.
    fn why_kept_without_images(&self) -> KeptArchive {
        let is_unopened = |row: &&Row| KeptWholeCause::from_reason(&row.reason).is_some();
        let may_contain_images = self.rows.iter().find(|row| row.left_out.is_some());
        may_contain_images
            .or_else(|| self.rows.iter().find(is_unopened))
            .map_or_else(KeptArchive::imageless, KeptArchive::of_member)
    }

    /// Returns whether a member is DICOM (also a DICOMDIR, or with an unreadable header) or PAR, or has the name of an
    /// image that is damaged.
    fn may_contain_images(&self) -> bool {
        self.rows.iter().any(|row| {
            row.is_unparsed_dicom
                || matches!(row.kind, RowKind::Dicom | RowKind::DicomDir | RowKind::Par)
                || is_named_like_image(row)
        })
    }
}

/// Opens a nested archive. Adds its row and those of its members to `rows`; only its row if it is kept as one file.
fn open(
    pass: &Pass<'_>,
    mut row: Row,
    address: &Address,
    archive: ArchiveBytes,
    rows: &mut Vec<Row>,
) -> Result<(), Stop> {
    let path = match &archive {
        ArchiveBytes::PlainFile(path, _) => path.clone(),
        ArchiveBytes::Staged(staged) => pass.staging.path(staged),
    };
    if address.depth >= pass.options.max_nesting {
        let reason = format!(
            "archives inside archives are opened {} deep (limit)",
            address.depth
        );
        let kept = KeptArchive::of_fault(&reason);
        rows.push(keep(pass, row, address, archive, kept)?);
        return Ok(());
    }
    // A bomb may consist of many copies of one archive: an archive that was kept as one file is not opened again.
    let (hash, depth) = (row.sha256, address.depth);
    if let Some(kept) = pass.kept_archives.get(hash, &address.path, depth) {
        rows.push(keep(pass, row, address, archive, kept)?);
        return Ok(());
    }
    if let Err(reason) = address.check_expansion() {
        let kept = KeptArchive::of_fault(&reason);
        rows.push(keep(pass, row, address, archive, kept)?);
        return Ok(());
    }
    let member_rows = read(pass, &path, &address.container())?;
    if let Some(kept) = member_rows.why_kept() {
        if address.check_expansion().is_ok() {
            pass.kept_archives.insert(hash, &address.path, depth, &kept);
        }
        discard(pass, &member_rows)?;
        rows.push(keep(pass, row, address, archive, kept)?);
        return Ok(());
    }
    row.kind = RowKind::Archive;
    row.fate = Fate::Opened;
    if !row.has_extra_bytes {
        row.reason = Reason::Borrowed("");
    }
    if !member_rows.skipped.is_empty() {
        row.has_extra_bytes = true;
        row.extra_bytes_may_contain_images |= member_rows.skipped.may_contain_images;
        row.add_reason(member_rows.skipped.notes.join("; "));
    }
    if let ArchiveBytes::Staged(staged) = archive {
        pass.staging.remove(&staged)?;
    }
    rows.push(row);
    rows.extend(member_rows.rows);
    Ok(())
}

/// Removes the members of an archive from staging.
pub(super) fn discard(pass: &Pass<'_>, member_rows: &MemberRows) -> Result<(), Stop> {
    for staged in member_rows
        .rows
        .iter()
        .filter_map(|row| row.staged.as_ref())
    {
        pass.staging.remove(staged)?;
    }
    Ok(())
}

/// Keeps an archive that is itself a plain file as one file.
pub(super) fn keep_plain_file(
    pass: &Pass<'_>,
    row: Row,
    address: &Address,
    path: &Path,
    checksums: Checksums,
    kept: KeptArchive,
) -> Result<Row, Stop> {
    let archive = ArchiveBytes::PlainFile(path.to_owned(), checksums);
    keep(pass, row, address, archive, kept)
}

/// Keeps an archive as one file: stages it, and completes its row with `kept`.
fn keep(
    pass: &Pass<'_>,
    mut row: Row,
    address: &Address,
    archive: ArchiveBytes,
    kept: KeptArchive,
) -> Result<Row, Stop> {
    row.reason = kept.reason.into();
    row.left_out = kept.left_out;
    row.has_extra_bytes |= kept.extra_bytes_may_contain_images;
    row.extra_bytes_may_contain_images |= kept.extra_bytes_may_contain_images;
    match archive {
        ArchiveBytes::Staged(staged) => row.staged = Some(staged),
        ArchiveBytes::PlainFile(path, checksums) => member::stage(
            pass,
            address,
            &mut row,
            MemberBytes::PlainFile(path, checksums),
            StagingDir::Other,
        )?,
    }
    if let (Some(staged), true) = (&row.staged, pass.options.headers_only) {
        pass.staging.punch_hole_after(staged, 0)?;
    }
    Ok(row)
}

/// Reads an archive of any supported kind, with the archives inside it.
pub fn read(pass: &Pass<'_>, path: &Path, container: &Address) -> Result<MemberRows, Stop> {
    let metadata = fs::metadata(path).map_err(|error| Stop::io(path, error))?;
    let container = &container.with_expansion(metadata.len(), pass.options.max_ratio);
    let mut member_rows = read_by_kind(pass, path, container)?;
    let within_limit = container.expansion().map(Expansion::check_itself);
    if let Some(Err(reason)) = within_limit {
        member_rows.damage.push(reason);
    }
    let name = container.path.strip_suffix(b"!");
    let is_split = is_part(name.unwrap_or_default()) || is_part(path.as_os_str().as_bytes());
    if is_split && member_rows.fault().is_some() {
        member_rows.damage = vec![ForeignArchive::Split.reason().into()];
    }
    Ok(member_rows)
}

/// Reads an archive according to its kind; anything that is no zip, 7z or compressed file is read as a tar.
fn read_by_kind(pass: &Pass<'_>, path: &Path, container: &Address) -> Result<MemberRows, Stop> {
    let failed = |error| Stop::io(path, error);
    let file = regular::open(path).map_err(failed)?;
    let members = match kind::of_file(&file).map_err(failed)? {
        FileKind::Zip => {
            let source = FileSource::new(file).map_err(failed)?;
            let zip_index = pass.register_zip(path);
            let members = zip_members::read(pass, &source, zip_index, container)?;
            return MemberRows::collect(pass, members);
        }
        FileKind::SevenZ => {
            let source = FileSource::new(file).map_err(failed)?;
            sevenz_members::read(pass, &source, container)?
        }
        FileKind::Packed(compression) if compressed_file::contains_tar(path, compression) => {
            match Unpack::open(compression, Box::new(file)) {
                Ok(unpack) => tar_members::read(
                    pass,
                    // 0: no bytes are unpacked yet
                    Input::Packed(
                        Box::new(ExpansionReader::new(unpack, container.expansion())),
                        0,
                        pass.options.max_ratio,
                    ),
                    container,
                )?,
                Err(error) => Members::damaged(crate::archive::reason(&error)),
            }
        }
        FileKind::Packed(compression) => compressed_file::read(pass, file, compression, container)?,
        _ => {
            let len = file.metadata().map_err(failed)?.len();
            let input = Box::new(BufReader::with_capacity(256 << 10, file));
            let input = ExpansionReader::new(input as Box<dyn Read + Send>, container.expansion());
            // 0: no bytes are read yet
            tar_members::read(pass, Input::Plain(input, 0, len), container)?
        }
    };
    MemberRows::collect(pass, members)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io;

    use super::*;
    use crate::ingest::Options;
    use crate::monitor::Monitor;

    #[test]
    fn a_fifo_in_place_of_an_archive_is_an_error() {
        let result = regular::tests::with_fifo(|fifo| {
            let (options, monitor) = (Options::default(), Monitor::default());
            let staging = tempfile::tempdir().unwrap();
            let pass = Pass::new(&options, &monitor, staging.path(), 1).unwrap();
            read(&pass, fifo, &Address::packet(b"", 0, true)).map(|_| ())
        });
        assert!(matches!(
            result,
            Err(Stop::Io { source, .. }) if source.kind() == io::ErrorKind::InvalidInput
        ));
    }
}
