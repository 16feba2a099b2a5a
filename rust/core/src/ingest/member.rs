//! Parses and stages a member, or defers it if it is an archive.

use sha2::{Digest, Sha256};

use super::generated_uids::with_generated_uids;
use super::kept_dicom::kept_reason;
use super::kept_whole::KeptWholeCause;
use super::left_out_cause::LeftOutCause;
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::row::{EMPTY, Fate, NEITHER_DICOM_NOR_PARREC, Reason, Row, RowKind};
use super::staging::{Checksums, StagedFile, StagingDir};
use super::stop::Stop;
use crate::archive::foreign::ForeignArchive;
use crate::archive::kind::{self, FileKind};
use crate::header::{Field, Header, Parsed};
use crate::notation::Hash;

/// A processed member. A nested archive is opened after the members of its batch.
pub struct ProcessedMember {
    /// Its row.
    pub row: Row,
    /// The address of a nested archive, and its bytes; None for another member.
    pub archive: Option<Box<(Address, ArchiveBytes)>>,
}

/// Where the bytes of a nested archive are.
pub enum ArchiveBytes {
    /// In staging; the row gets this location if the archive is kept as a file.
    Staged(StagedFile),
    /// In a plain file.
    PlainFile(std::path::PathBuf, Checksums),
}

impl ProcessedMember {
    /// Records in the row that `unused` of its packed bytes are not part of its content.
    pub fn with_unused_bytes(mut self, unused: u64) -> Self {
        if unused > 0 {
            self.row.has_extra_bytes = true;
            let text = format!("{unused} bytes in or after its packed data were left out");
            self.row.add_reason(text);
        }
        self
    }
}

impl From<Row> for ProcessedMember {
    fn from(row: Row) -> Self {
        Self { row, archive: None }
    }
}

/// The first bytes of an AppleDouble file. macOS adds such a file, `._name`, to archives beside `name`.
const APPLE_DOUBLE: [u8; 4] = [0, 5, 0x16, 7];

/// Returns the SHA-256 of bytes in memory.
#[must_use]
pub fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// Defers an archive: it is opened after the other members of its batch. Its bytes are staged unless they are in a
/// plain file.
pub fn defer_archive(
    pass: &Pass<'_>,
    address: &Address,
    mut row: Row,
    data: MemberBytes<'_>,
) -> Result<ProcessedMember, Stop> {
    row.kind = RowKind::Archive;
    let source = match data {
        MemberBytes::PlainFile(path, checksums) => ArchiveBytes::PlainFile(path, checksums),
        MemberBytes::Bytes(bytes, Some(path)) => {
            let checksums = Checksums {
                size: row.size,
                sha256: row.sha256.unwrap_or_else(|| hash(bytes)),
                crc: 0, // not used for plain files
            };
            ArchiveBytes::PlainFile(path.to_owned(), checksums)
        }
        other => {
            stage(pass, address, &mut row, other, StagingDir::Other)?;
            match row.staged.take() {
                Some(staged) => ArchiveBytes::Staged(staged),
                None => return Ok(row.into()), // refused
            }
        }
    };
    Ok(ProcessedMember {
        row,
        archive: Some(Box::new((address.clone(), source))),
    })
}

/// Writes or moves the bytes of a member to the folder `dir` of staging, and records the location in the row; refuses a
/// plain file that changed or cannot be read. With the option `headers_only`, may stage only the start of the bytes
/// ([`head_length`]).
pub fn stage(
    pass: &Pass<'_>,
    address: &Address,
    row: &mut Row,
    data: MemberBytes<'_>,
    dir: StagingDir,
) -> Result<(), Stop> {
    let staged = match head_length(pass, row, &data)? {
        Some(head_length) => data.stage_head(pass, address, dir, head_length),
        None => data.stage(pass, address, dir),
    };
    match staged {
        Ok(staged) => row.staged = Some(staged),
        Err(fault) => {
            row.fate = Fate::Refused;
            row.reason = fault.reason_or_stop()?.into();
            row.header = None;
        }
    }
    Ok(())
}

/// Returns how many bytes at the start of a member are staged if only headers are needed; None to stage all.
fn head_length(pass: &Pass<'_>, row: &Row, data: &MemberBytes<'_>) -> Result<Option<u64>, Stop> {
    if !pass.options.headers_only || row.is_unparsed_dicom {
        return Ok(None);
    }
    match row.kind {
        RowKind::Dicom => data.pixel_data_offset(pass),
        RowKind::Rec | RowKind::Other => Ok(Some(0)),
        RowKind::Archive if matches!(data, MemberBytes::PlainFile(..)) => Ok(Some(0)), // it is opened in place
        _ => Ok(None),
    }
}

/// Processes a member that is not opened: DICOM, PAR, REC, an archive of an unsupported kind, or another file.
pub fn process_file(
    pass: &Pass<'_>,
    address: &Address,
    mut row: Row,
    data: MemberBytes<'_>,
    file_kind: FileKind,
) -> Result<Row, Stop> {
    let dir = describe(pass, address, &mut row, &data, file_kind)?;
    stage(pass, address, &mut row, data, dir)?;
    Ok(row)
}

/// Describes the content in the row (kind, header, fate, reason, [`Row::is_unparsed_dicom`]); returns the
/// folder of staging for it.
pub fn describe(
    pass: &Pass<'_>,
    address: &Address,
    row: &mut Row,
    data: &MemberBytes<'_>,
    file_kind: FileKind,
) -> Result<StagingDir, Stop> {
    row.reason = Reason::Borrowed(NEITHER_DICOM_NOR_PARREC);
    match file_kind {
        FileKind::Par => row.kind = RowKind::Par,
        FileKind::Empty => row.reason = Reason::Borrowed(EMPTY),
        _ => {
            if file_kind != FileKind::Dicom && is_rec(address) {
                row.kind = RowKind::Rec;
                if data.first_bytes(pass)?.starts_with(&APPLE_DOUBLE) {
                    row.kind = RowKind::Other;
                    row.reason = Reason::Borrowed("an AppleDouble file of macOS");
                }
            } else {
                match data.parse(pass)? {
                    Parsed::Dicom(header) => return Ok(describe_dicom(row, header)),
                    Parsed::Broken { reason, offset } => {
                        mark_unparsed_dicom(row, &format!("{reason} at byte {offset}"));
                    }
                    Parsed::NotDicom if file_kind == FileKind::Dicom => {
                        mark_unparsed_dicom(row, "nothing after its mark");
                    }
                    Parsed::NotDicom => {
                        if let FileKind::Foreign(foreign) = file_kind {
                            row.kind = RowKind::Archive;
                            row.reason =
                                KeptWholeCause::Unsupported.reason(foreign.reason()).into();
                            // Viewer programs on a patient's disc are often cabinets.
                            let may_contain_images = foreign != ForeignArchive::Cab;
                            row.left_out =
                                may_contain_images.then_some(LeftOutCause::ForeignArchive);
                        } else {
                            row.reason = data.why_other(pass)?;
                        }
                    }
                }
            }
        }
    }
    if matches!(row.kind, RowKind::Par | RowKind::Rec) {
        row.reason = Reason::Borrowed("");
    }
    Ok(StagingDir::Other)
}

/// Returns whether the name is that of a REC, with or without a compression extension.
fn is_rec(address: &Address) -> bool {
    let name = &address.path;
    kind::Compression::ALL
        .iter()
        .any(|compression| kind::is_rec(kind::without_extension(name, *compression)))
}

/// Marks a row as DICOM whose header cannot be read.
fn mark_unparsed_dicom(row: &mut Row, reason: &str) {
    row.is_unparsed_dicom = true;
    row.reason = format!("DICOM whose header cannot be read: {reason}").into();
}

/// Sets the row of a DICOM object; returns the folder of staging for it.
fn describe_dicom(row: &mut Row, header: Header) -> StagingDir {
    row.kind = if header.is_dicomdir() {
        RowKind::DicomDir
    } else {
        RowKind::Dicom
    };
    if let Some(reason) = kept_reason(row.name(), &header) {
        row.reason = reason;
        row.header = Some(header);
        return StagingDir::Other;
    }
    row.fate = Fate::Sorted;
    let header = with_generated_uids(row, header);
    let key = series_key(&header);
    row.header = Some(header);
    StagingDir::Series(key)
}

/// Returns the start of a hash over StudyInstanceUID, SeriesInstanceUID and SeriesNumber, which names a staging folder.
#[must_use]
pub fn series_key(header: &Header) -> [u8; 8] {
    let mut sha = Sha256::new();
    for field in [
        Field::StudyInstanceUid,
        Field::SeriesInstanceUid,
        Field::SeriesNumber,
    ] {
        sha.update(header.raw(field));
        sha.update([0]);
    }
    let hash: Hash = sha.finalize().into();
    hash.first_chunk().copied().unwrap_or_default()
}
