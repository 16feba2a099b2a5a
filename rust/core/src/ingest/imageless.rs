//! An archive without images, beside plain files (files in no archive): it is kept as one file.

use std::path::Path;

use super::nested::{self, MemberRows};
use super::pass::{Address, Pass};
use super::plain_file;
use super::row::{Fate, Row, RowKind};
use super::staging::{Checksums, read_through};
use super::stop::{ReadError, Stop};

/// Returns the row of an archive that is kept as one file, or of the link that leads to such an archive, and removes its
/// members from staging. Returns None if the archive is not kept as one file: its members keep their own rows. `prefix`
/// is the start of their paths, and `index` is the index of the packet.
///
/// Only an archive among several packets (its prefix ends with `!`) is kept as one file, and only if it can be read to
/// its end: unreadable data may be an image.
///
/// The archive is read again. If it cannot be opened, the pass ends. If it changed or cannot be read to its end, its row
/// is refused; in the second case, its members remain in staging without rows.
pub fn keep_as_one_file(
    pass: &Pass<'_>,
    path: &Path,
    prefix: &[u8],
    index: usize,
    member_rows: &MemberRows,
) -> Result<Option<Row>, Stop> {
    let Some(name) = prefix.strip_suffix(b"!") else {
        return Ok(None);
    };
    let kept = member_rows.why_kept();
    let Some(kept) = kept.filter(|_| member_rows.fault().is_none()) else {
        return Ok(None);
    };
    let address = Address::packet(&[], index, false).member(name, 0);
    if path.is_symlink() {
        nested::discard(pass, member_rows)?;
        return Ok(Some(plain_file::link_row(
            &address,
            path.parent().unwrap_or(path),
            path,
        )));
    }
    let mut row = address.row(RowKind::Archive, Fate::Kept);
    match hash_file(pass, path) {
        Ok(checksums) => {
            row.size = checksums.size;
            row.sha256 = Some(checksums.sha256);
            row.content_sha256 = Some(checksums.sha256);
            nested::discard(pass, member_rows)?;
            nested::keep_plain_file(pass, row, &address, path, checksums, kept).map(Some)
        }
        Err(fault) => Ok(Some(address.refused_row(
            RowKind::Archive,
            0,
            fault.reason_or_stop()?,
        ))),
    }
}

/// Returns size and hashes of the archive, which is read again; `path` may be a link to it.
fn hash_file(pass: &Pass<'_>, path: &Path) -> Result<Checksums, ReadError> {
    let path = std::fs::canonicalize(path).map_err(|error| Stop::io(path, error))?;
    let mut file = plain_file::open(&path).map_err(|error| Stop::io(&path, error))?;
    read_through(&mut file, u64::MAX, pass.monitor, |_| Ok(()))
}

/// Inserts the rows of archives that were kept as one file (`archives`), in name order, among the first `plain_count`
/// rows: those of the plain files.
pub fn insert(rows: &mut Vec<Row>, mut plain_count: usize, archives: Vec<Row>) {
    for row in archives {
        let is_after = |other: &Row| inbox_entry(other) > &*row.path;
        let at = rows.iter().take(plain_count).position(is_after);
        rows.insert(at.unwrap_or(plain_count), row);
        plain_count += 1;
    }
}

/// Returns the name of the entry of the inbox folder that is or contains a member.
fn inbox_entry(row: &Row) -> &[u8] {
    let slash = row.path.iter().position(|&byte| byte == b'/');
    let archive_end = row.archive_ends.first().map(|&end| end as usize);
    let end = [slash, archive_end].into_iter().flatten().min();
    row.path
        .get(..end.unwrap_or(row.path.len()))
        .unwrap_or_default()
}
