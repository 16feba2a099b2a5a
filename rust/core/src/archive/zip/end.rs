//! The end of central directory record, with which reading a zip starts.

use super::super::source::{Fields, Source};

/// The end record: number of entries, position of the central directory, and bytes outside the archive.
#[derive(Debug, PartialEq, Eq)]
pub struct EndRecord {
    /// Number of entries.
    pub entries: u64,
    /// Whether `entries` may be the true number modulo 65536. It may be if no zip64 record states the number, or if the
    /// record repeats the 16-bit field, as some programs write it.
    pub count_may_wrap: bool,
    /// Offset of the central directory in the source.
    pub directory: u64,
    /// Length of the central directory in bytes.
    pub size: u64,
    /// Number of bytes before the archive (for example the program of a self-extractor). The offsets in the archive do
    /// not include them.
    pub archive_start: u64,
    /// Whether the comment at the end is cut short.
    pub comment_is_cut: bool,
    /// Number of bytes after the comment.
    pub trailing_bytes: u64,
    /// Position and length in bytes of each end record: this one without its comment and, if they exist, the zip64 end
    /// record and its locator.
    pub records: Vec<(u64, u64)>,
}

/// Length of the end record without comment.
const RECORD_LENGTH: usize = 22;
/// Lengths of the zip64 end record, without the extensible data that no usual writer adds, and of its locator.
const ZIP64_RECORD_LENGTH: u64 = 56;
const LOCATOR_LENGTH: u64 = 20;
/// Length of the record with the longest comment.
const LONGEST_RECORD: u64 = RECORD_LENGTH as u64 + 65535;

/// Returns the last valid end record, but prefers one whose comment ends with the source. If no record is valid, the
/// error is the reason as text.
pub fn find(source: &dyn Source) -> Result<EndRecord, String> {
    let len = source.len();
    let start = len.saturating_sub(LONGEST_RECORD);
    let mut tail = vec![0; usize::try_from(len - start).unwrap_or(0)];
    source
        .read_exact_at(&mut tail, start)
        .map_err(|error| super::super::reason(&error))?;
    let mut records: Vec<usize> = tail
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"PK\x05\x06")
        .map(|(at, _)| at)
        .collect();
    records.reverse();
    // A comment may contain the signature itself: a record whose comment ends with the file is tried first.
    let exact = |at: &usize| comment_end(&tail, *at) == Some(tail.len());
    let (best, rest): (Vec<usize>, Vec<usize>) = records.into_iter().partition(exact);
    let mut why = "its end record is missing (cut short?)".to_owned();
    for at in best.into_iter().chain(rest) {
        match read(source, &tail, at, start) {
            Ok(end) => return Ok(end),
            Err(reason) => why = reason,
        }
    }
    Err(why)
}

/// Returns the end of the comment of the record at offset `at` of `tail`; it may be past the end of `tail`. None if the
/// record is cut short.
fn comment_end(tail: &[u8], at: usize) -> Option<usize> {
    Some(at + RECORD_LENGTH + usize::from(Fields(tail.get(at..)?).u16(20)?))
}

/// Reads the end record at offset `at` of `tail`, which starts at offset `start` of the source.
fn read(source: &dyn Source, tail: &[u8], at: usize, start: u64) -> Result<EndRecord, String> {
    let cut = || "its end record is cut short".to_owned();
    let record = Fields(tail.get(at..at + RECORD_LENGTH).ok_or_else(cut)?);
    let u16_at = |place: usize| record.u16(place).map(u64::from).ok_or_else(cut);
    let u32_at = |place: usize| record.u32(place).map(u64::from).ok_or_else(cut);
    let position = start + at as u64;
    let (entries, size, offset) = (u16_at(10)?, u32_at(12)?, u32_at(16)?);
    let comment = comment_end(tail, at).unwrap_or(tail.len());
    let mut end = EndRecord {
        entries,
        count_may_wrap: true,
        directory: 0,
        size,
        archive_start: 0,
        comment_is_cut: comment > tail.len(),
        trailing_bytes: tail.len().saturating_sub(comment) as u64,
        records: vec![(position, RECORD_LENGTH as u64)],
    };
    let may_be_zip64 = entries == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff;
    if let Some(stated_position) = position_in_locator(source, position) {
        end.records
            .push((position - LOCATOR_LENGTH, LOCATOR_LENGTH));
        if let Some((position, zip64_fields)) = zip64_record(source, stated_position, position) {
            if is_encrypted(source, position) {
                return Err(ENCRYPTED.into());
            }
            end.records.push((position, ZIP64_RECORD_LENGTH));
            return locate(source, position, zip64_fields, end);
        }
        return Err("its zip64 end record is missing".into());
    }
    // The numbers of this disk and of that with the directory, and the number of entries on this disk.
    if u16_at(4)? != 0 || u16_at(6)? != 0 || (u16_at(8)? != entries && !may_be_zip64) {
        return Err("it is one part of an archive in several parts".into());
    }
    end.entries = entries;
    locate(source, position, (entries, size, offset), end)
}

/// Returns the position of the zip64 end record, as stated by its locator: the record directly before the end record at
/// `position`. None without a locator.
fn position_in_locator(source: &dyn Source, position: u64) -> Option<u64> {
    let mut bytes = [0; 20];
    source
        .read_exact_at(&mut bytes, position.checked_sub(LOCATOR_LENGTH)?)
        .ok()?;
    bytes
        .starts_with(b"PK\x06\x07")
        .then(|| Fields(&bytes).u64(8))
        .flatten()
}

/// Reads the zip64 end record at its stated position or (if bytes precede the archive) directly before its locator.
/// `position` is that of the end record. Returns the position of the zip64 record, and what it states: number of
/// entries, size and offset of the directory.
fn zip64_record(
    source: &dyn Source,
    stated_position: u64,
    position: u64,
) -> Option<(u64, (u64, u64, u64))> {
    for at in [
        stated_position,
        position.checked_sub(LOCATOR_LENGTH + ZIP64_RECORD_LENGTH)?,
    ] {
        let mut bytes = [0; 56];
        if source.read_exact_at(&mut bytes, at).is_ok() && bytes.starts_with(b"PK\x06\x06") {
            let record = Fields(&bytes);
            return Some((at, (record.u64(32)?, record.u64(40)?, record.u64(48)?)));
        }
    }
    None
}

const ENCRYPTED: &str =
    "encrypted in a way that cannot be opened (central directory encryption, APPNOTE 7.3)";

/// Returns whether the zip64 end record has version 2 and names a cipher for the central directory (APPNOTE 7.3.4).
fn is_encrypted(source: &dyn Source, position: u64) -> bool {
    let mut bytes = [0; 76];
    if source.read_exact_at(&mut bytes, position).is_err() {
        return false;
    }
    let record = Fields(&bytes);
    record.u16(14) >= Some(62) && record.u64(4) >= Some(72) && record.u16(74) > Some(0)
}

/// Returns `end` with the position of the directory: directly before the end record at `position` (of zip64, if there is
/// one), even if bytes precede the archive; else at its stated offset. The tuple is what that record states: number of
/// entries, size and offset of the directory.
fn locate(
    source: &dyn Source,
    position: u64,
    (entries, size, offset): (u64, u64, u64),
    mut end: EndRecord,
) -> Result<EndRecord, String> {
    end.count_may_wrap = end.entries == entries;
    (end.entries, end.size) = (entries, size);
    let no_directory = || "its end record points to no central directory".to_owned();
    // Each entry takes at least 46 bytes; larger counts are invalid.
    if entries.checked_mul(46).is_none_or(|least| least > size) {
        return Err(
            "its end record claims more members than the central directory has room for".into(),
        );
    }
    let before = position.checked_sub(size).ok_or_else(no_directory)?;
    for directory in [before, offset] {
        let mut signature = [0; 4];
        let fits = directory >= offset
            && directory
                .checked_add(size)
                .is_some_and(|stop| stop <= position);
        let is_directory = entries == 0
            || (source.read_exact_at(&mut signature, directory).is_ok()
                && &signature == b"PK\x01\x02");
        if fits && is_directory {
            end.directory = directory;
            end.archive_start = directory - offset;
            return Ok(end);
        }
    }
    Err(no_directory())
}
