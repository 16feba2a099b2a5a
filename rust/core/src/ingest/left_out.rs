//! Members that may contain images but were not sorted.

use std::collections::HashSet;

use super::left_out_cause::LeftOutCause;
use super::reading::Reading;
use super::row::{
    A_LINK, EMPTY, Fate, IN_PACKET, LINK_TO, NEITHER_DICOM_NOR_PARREC, Row, RowKind, UNREADABLE,
    ZEROS,
};
use crate::archive::kind::{self, Compression};
use crate::notation::unescape;

impl Reading {
    /// Returns the indices of the rows that were left out, with the cause, in order.
    #[must_use]
    pub fn left_out(&self) -> Vec<(usize, LeftOutCause)> {
        let mut members = None;
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(at, row)| {
            let cause = match row.fate {
                Fate::Kept => self.cause_of_kept(row, &mut members)?,
                Fate::NoData if row.kind == RowKind::Link => {
                    let members = members.get_or_insert_with(|| PacketMembers::of(&self.rows));
                    members.lack_target(row).then_some(LeftOutCause::Link)?
                }
                _ => return None,
            };
            Some((at, cause))
        })
        .collect()
    }

    /// Returns why a kept member was left out; None if nothing suggests that it contains an image. Fills `members` when
    /// they are needed for the first time.
    fn cause_of_kept<'r>(
        &'r self,
        row: &Row,
        members: &mut Option<PacketMembers<'r>>,
    ) -> Option<LeftOutCause> {
        match row.kind {
            _ if row.is_unparsed_dicom => Some(LeftOutCause::Unsorted),
            // Only the reasons of DICOM that belongs to no series start with "DICOM". A DICOM file `XX_0...` or
            // `PS_0...` of Philips that is no image (`kept_dicom::kept_reason`) has another reason, and is not left
            // out.
            RowKind::Dicom => row
                .reason
                .starts_with("DICOM")
                .then_some(LeftOutCause::Unsorted),
            RowKind::Archive => row.left_out,
            _ if is_without_data(row) => {
                let members = members.get_or_insert_with(|| PacketMembers::of(&self.rows));
                members
                    .may_be_image_name(row)
                    .then_some(LeftOutCause::Empty)
            }
            RowKind::Other if is_no_image(row) => {
                let members = members.get_or_insert_with(|| PacketMembers::of(&self.rows));
                members.is_image_name(row).then_some(LeftOutCause::NotDicom)
            }
            _ => None,
        }
    }
}

/// Returns whether a member was left out as a file that is empty, filled with zeros or not DICOM, judged only by its name
/// and content: no other member is an image.
pub fn is_named_like_image(row: &Row) -> bool {
    let extension = extension(row);
    let known: &[&[u8]] = if is_without_data(row) {
        &IMAGE_EXTENSIONS
    } else if row.kind == RowKind::Other && is_no_image(row) {
        &DICOM_EXTENSIONS
    } else {
        return false;
    };
    row.fate == Fate::Kept && !row.name().starts_with(b".") && known.contains(&&*extension)
}

/// Returns whether a file is empty or filled with zeros.
fn is_without_data(row: &Row) -> bool {
    row.reason == ZEROS || row.reason == EMPTY
}

/// Returns whether the content of a file is no image, or begins like none and cannot be unpacked.
fn is_no_image(row: &Row) -> bool {
    row.reason == NEITHER_DICOM_NOR_PARREC || row.reason.contains(UNREADABLE)
}

/// Paths and names of all members; they show whether a name could be that of an image, and whether a link leads to a
/// member.
struct PacketMembers<'r> {
    /// Extensions of the DICOM, PAR and REC files.
    extensions: HashSet<Vec<u8>>,
    /// Patterns ([`pattern`]) of the paths of DICOM, PAR and REC files without an extension.
    patterns: HashSet<Vec<u8>>,
    /// Paths of all members except links, sorted: paths may be long, so their folders are not listed separately.
    paths: Vec<&'r [u8]>,
    /// Paths of the archives that contain members.
    archives: HashSet<&'r [u8]>,
}

/// Extensions of DICOM files.
const DICOM_EXTENSIONS: [&[u8]; 3] = [b"dcm", b"ima", b"dicom"];
/// Extensions of DICOM and PAR/REC files.
const IMAGE_EXTENSIONS: [&[u8]; 5] = [b"dcm", b"ima", b"dicom", b"par", b"rec"];

impl<'r> PacketMembers<'r> {
    fn of(rows: &'r [Row]) -> Self {
        let images = rows
            .iter()
            .filter(|row| matches!(row.kind, RowKind::Dicom | RowKind::Par | RowKind::Rec));
        let extensions = images.clone().map(extension).collect();
        let bare = images.filter(|row| extension(row).is_empty());
        let patterns = bare.map(|row| pattern(&row.path)).collect();
        let members = rows.iter().filter(|row| row.kind != RowKind::Link);
        let mut paths: Vec<&[u8]> = members.map(|row| &*row.path).collect();
        paths.sort_unstable();
        Self {
            extensions,
            patterns,
            paths,
            archives: rows.iter().flat_map(archives_above).collect(),
        }
    }

    /// Returns whether a file is named like an image: by an extension of DICOM or, without an extension, if the path of an
    /// image has the same pattern. A hidden file never has such a name.
    fn is_image_name(&self, row: &Row) -> bool {
        let extension = extension(row);
        if row.name().starts_with(b".") {
            return false;
        }
        match extension.as_slice() {
            b"" => self.patterns.contains(&pattern(&row.path)),
            extension => DICOM_EXTENSIONS.contains(&extension),
        }
    }

    /// Returns whether a path is that of a member, or of a folder or archive that contains a member.
    fn contains(&self, path: &[u8]) -> bool {
        // The first path that is not before `start`.
        let first_from = |start: &[u8]| {
            let at = self.paths.partition_point(|other| *other < start);
            self.paths.get(at).copied().unwrap_or_default()
        };
        let is_folder = || {
            let folder = [path, b"/"].concat();
            first_from(&folder).starts_with(&folder)
        };
        path.is_empty() || first_from(path) == path || is_folder() || self.archives.contains(path)
    }

    /// Returns whether an image could have this name: its extension is that of DICOM, PAR/REC or another image of the
    /// packet; or, if other images have no extension either, it contains a digit. A hidden file never has such a name.
    fn may_be_image_name(&self, row: &Row) -> bool {
        let extension = extension(row);
        let name = row.name();
        let named = !extension.is_empty() || name.iter().any(u8::is_ascii_digit);
        let known = IMAGE_EXTENSIONS.contains(&extension.as_slice())
            || self.extensions.contains(&extension);
        !name.starts_with(b".") && named && known
    }

    /// Returns whether the target of a symbolic link is not in the packet, or is unknown; false for a hard link. `row` is
    /// that of the link.
    fn lack_target(&self, row: &Row) -> bool {
        if row.reason.ends_with(IN_PACKET) {
            return false;
        }
        let Some(target) = row.reason.strip_prefix(LINK_TO) else {
            return row.reason == A_LINK;
        };
        !resolve_target(row, &unescape(target)).is_some_and(|path| self.contains(&path))
    }
}

/// Returns the path of a link's target, which is relative to the link; None if it is absolute, or outside of the packet
/// or archive.
fn resolve_target(link: &Row, target: &[u8]) -> Option<Vec<u8>> {
    let archive_end = link.archive_ends.last();
    let start = archive_end.map_or(0, |&end| (end as usize).saturating_add(1));
    let (archive, link) = link.path.split_at_checked(start)?;
    let mut parts: Vec<&[u8]> = link.split(|&byte| byte == b'/').collect();
    parts.pop();
    if target.starts_with(b"/") {
        return None;
    }
    for part in target.split(|&byte| byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some([archive, &parts.join(&b'/')].concat())
}

/// Returns the paths of the archives that contain a member.
fn archives_above(row: &Row) -> impl Iterator<Item = &[u8]> {
    let ends = row.archive_ends.iter().map(|&at| at as usize);
    ends.filter_map(|end| row.path.get(..end))
}

/// Returns a path with each run of digits as one 0: `a/IM0001` and `a/IM0002` have the same pattern.
fn pattern(path: &[u8]) -> Vec<u8> {
    let mut pattern: Vec<u8> = Vec::with_capacity(path.len());
    for &byte in path {
        let byte = if byte.is_ascii_digit() { b'0' } else { byte };
        if byte != b'0' || pattern.last() != Some(&b'0') {
            pattern.push(byte);
        }
    }
    pattern
}

/// Returns the extension of a file name in lower case and without the dot; the extension of a compression (`.gz`) at its
/// end is ignored. Empty without an extension. A number is not an extension, since UIDs are file names.
fn extension(row: &Row) -> Vec<u8> {
    let name = row.name();
    let stems = Compression::ALL.map(|compression| kind::without_extension(name, compression));
    let name = stems.into_iter().min_by_key(|stem| stem.len());
    let name = name.unwrap_or_default();
    let dot = name.iter().rposition(|&byte| byte == b'.');
    let extension = dot.and_then(|dot| name.get(dot.saturating_add(1)..));
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    if extension.iter().all(u8::is_ascii_digit) {
        return Vec::new();
    }
    extension
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(path: &[u8], kind: RowKind, fate: Fate, reason: &'static str) -> Row {
        let mut row = Row::new(path, &[], kind, fate);
        row.reason = reason.into();
        row
    }

    fn named(path: &[u8]) -> Row {
        Row::new(path, &[], RowKind::Other, Fate::Kept)
    }

    #[test]
    fn links_to_members_are_not_left_out() {
        let rows = [
            row(b"a/1.dcm", RowKind::Dicom, Fate::Sorted, ""),
            Row::new(b"x.zip!d/1.dcm", &[5], RowKind::Dicom, Fate::Sorted),
            row(b"y!1.dcm", RowKind::Dicom, Fate::Sorted, ""),
            row(
                b"a/f\xfc\\",
                RowKind::Other,
                Fate::Kept,
                NEITHER_DICOM_NOR_PARREC,
            ),
        ];
        let members = PacketMembers::of(&rows);
        let lacks_target = |path: &[u8], archive_ends: &[u32], reason: &'static str| {
            let mut link = Row::new(path, archive_ends, RowKind::Link, Fate::NoData);
            link.reason = reason.into();
            members.lack_target(&link)
        };
        let plain_lacks_target = |path: &[u8], reason| lacks_target(path, &[], reason);
        assert!(!plain_lacks_target(b"b/1", "a symbolic link to ../a/1.dcm"));
        assert!(!plain_lacks_target(b"b", "a symbolic link to ./a"));
        let to_member = "a symbolic link to ../d/1.dcm";
        assert!(!lacks_target(b"x.zip!e/1", &[5], to_member));
        assert!(!plain_lacks_target(
            b"c!/1",
            "a symbolic link to ../a/1.dcm"
        ));
        assert!(!plain_lacks_target(
            b"b",
            "a symbolic link to /p/a, which is in the packet"
        ));
        assert!(!plain_lacks_target(
            b"b/1",
            "a symbolic link to ../a/f\\xfc\\x5c"
        ));
        assert!(!plain_lacks_target(b"b", "a symbolic link to x.zip"));
        assert!(plain_lacks_target(b"b", "a symbolic link to y"));
        assert!(plain_lacks_target(
            b"b/1",
            "a symbolic link to ../../a/1.dcm"
        ));
        assert!(lacks_target(b"x.zip!e", &[5], "a symbolic link to a/1.dcm"));
        assert!(plain_lacks_target(b"b", "a symbolic link to /p/a"));
        assert!(plain_lacks_target(b"b", "a symbolic link"));
        assert!(!plain_lacks_target(
            b"b",
            "a hard link to a/1.dcm, whose row has the bytes"
        ));
    }

    #[test]
    fn what_is_no_dicom_counts_where_it_is_called_like_the_images() {
        let rows = [
            row(b"a/IM_0001", RowKind::Dicom, Fate::Sorted, ""),
            row(b"b/1.txt", RowKind::Dicom, Fate::Sorted, ""),
        ];
        let members = PacketMembers::of(&rows);
        for name in [&b"a/IM_0020"[..], b"c/x.dcm", b"X.IMA", b"c/x.dcm.gz"] {
            assert!(members.is_image_name(&named(name)), "{name:?}");
        }
        for name in [
            &b"a/LOCKFILE"[..],
            b"a/README1",
            b"b/2.txt",
            b"a/._IM_0020",
            b"c/IM_0001",
        ] {
            assert!(!members.is_image_name(&named(name)), "{name:?}");
        }
    }

    #[test]
    fn a_file_without_bytes_counts_where_an_image_could_have_its_name() {
        let rows = [row(b"a/IM_0001", RowKind::Dicom, Fate::Sorted, "")];
        let members = PacketMembers::of(&rows);
        for name in [&b"a/IM_0002"[..], b"b/1.2.840.5", b"c/x.dcm", b"c/X.IMA"] {
            assert!(members.may_be_image_name(&named(name)), "{name:?}");
        }
        for name in [&b"a/LOCKFILE"[..], b"a/.keep0", b"a/notes1.txt", b"b/done"] {
            assert!(!members.may_be_image_name(&named(name)), "{name:?}");
        }
    }
}
