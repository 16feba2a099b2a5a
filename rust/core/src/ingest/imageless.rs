//! An archive beside loose files that contains no images: it is kept as one file.

use std::path::Path;

use super::loose;
use super::nested::{self, Opened};
use super::pass::{Address, Pass};
use super::row::{Fate, Kind, Row};
use super::staging::{Copied, read_through};
use super::stop::{Fault, Stop};

/// Returns the row of the archive, kept whole; None if its members keep their own rows.
///
/// Only an archive among other packets (its prefix ends with `!`) is kept whole, and only if it can be read to its end:
/// unreadable data may be an image. `number` is the index of the packet.
pub fn kept_whole(
    pass: &Pass<'_>,
    path: &Path,
    prefix: &[u8],
    number: usize,
    opened: &Opened,
) -> Result<Option<Row>, Stop> {
    let Some(name) = prefix.strip_suffix(b"!") else {
        return Ok(None);
    };
    if opened.fault().is_some() || opened.wanted() {
        return Ok(None);
    }
    let address = Address::packet(&[], number, false).member(name, 0);
    if path.is_symlink() {
        nested::discard(pass, opened)?;
        return Ok(Some(loose::link(
            &address,
            path.parent().unwrap_or(path),
            path,
        )));
    }
    let mut row = address.row(Kind::Archive, Fate::Kept);
    match hashed(pass, path) {
        Ok(copied) => {
            row.size = copied.size;
            row.sha256 = Some(copied.sha256);
            row.content_sha256 = Some(copied.sha256);
            nested::discard(pass, opened)?;
            nested::kept_loose(pass, row, &address, path, copied).map(Some)
        }
        Err(fault) => Ok(Some(address.refused(Kind::Archive, 0, fault.reason()?))),
    }
}

fn hashed(pass: &Pass<'_>, path: &Path) -> Result<Copied, Fault> {
    let path = std::fs::canonicalize(path).map_err(|error| Stop::io(path, error))?;
    let mut file = loose::open(&path).map_err(|error| Stop::io(&path, error))?;
    read_through(&mut file, u64::MAX, pass.monitor, |_| Ok(()))
}

/// Inserts the rows of archives that were kept whole among those of the loose files, the first `loose` rows, in name
/// order.
pub fn insert(rows: &mut Vec<Row>, mut loose: usize, whole: Vec<Row>) {
    for row in whole {
        let is_after = |other: &Row| top(other) > &*row.path;
        let at = rows.iter().take(loose).position(is_after);
        rows.insert(at.unwrap_or(loose), row);
        loose += 1;
    }
}

/// Returns the name of the entry of the inbox folder in which a member is.
fn top(row: &Row) -> &[u8] {
    let slash = row.path.iter().position(|&byte| byte == b'/');
    let joint = row.joints.first().map(|&joint| joint as usize);
    let end = [slash, joint].into_iter().flatten().min();
    row.path
        .get(..end.unwrap_or(row.path.len()))
        .unwrap_or_default()
}
