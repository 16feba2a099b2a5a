//! Members that may contain images but were not sorted.

use std::collections::HashSet;

use super::left_out_cause::LeftOutCause;
use super::link_targets::MemberPaths;
use super::reading::Reading;
use super::row::{EMPTY, Fate, NEITHER_DICOM_NOR_PARREC, Row, RowKind, UNREADABLE, ZEROS};
use crate::archive::kind::{self, Compression};

impl Reading {
    /// Returns the indices of the rows that were left out, with the cause, in order.
    #[must_use]
    pub fn left_out(&self) -> Vec<(usize, LeftOutCause)> {
        let (mut names, mut paths) = (None, None);
        let rows = self.rows.iter().enumerate();
        rows.filter_map(|(at, row)| {
            let cause = match row.fate {
                Fate::Kept => self.cause_of_kept(row, &mut names)?,
                Fate::NoData if row.kind == RowKind::Link => {
                    let paths = paths.get_or_insert_with(|| MemberPaths::of(&self.rows));
                    paths.lack_target(row).then_some(LeftOutCause::Link)?
                }
                _ => return None,
            };
            Some((at, cause))
        })
        .collect()
    }

    /// Returns why a kept member was left out; None if nothing suggests that it contains an image. Fills `names` when
    /// they are needed for the first time.
    fn cause_of_kept(&self, row: &Row, names: &mut Option<ImageNames>) -> Option<LeftOutCause> {
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
                let names = names.get_or_insert_with(|| ImageNames::of(&self.rows));
                names.may_be_image_name(row).then_some(LeftOutCause::Empty)
            }
            RowKind::Other if is_no_image(row) => {
                let names = names.get_or_insert_with(|| ImageNames::of(&self.rows));
                names.is_image_name(row).then_some(LeftOutCause::NotDicom)
            }
            _ => None,
        }
    }
}

/// Returns whether a file that is empty, filled with zeros or not DICOM counts as left out if no other member is an image:
/// its name alone decides.
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

/// The names of images; they show whether another name could be that of an image.
struct ImageNames {
    /// Extensions of the DICOM, PAR and REC files.
    extensions: HashSet<Vec<u8>>,
    /// Patterns ([`pattern`]) of the paths of DICOM, PAR and REC files without an extension.
    patterns: HashSet<Vec<u8>>,
}

/// Extensions of DICOM files.
const DICOM_EXTENSIONS: [&[u8]; 3] = [b"dcm", b"ima", b"dicom"];
/// Extensions of DICOM and PAR/REC files.
const IMAGE_EXTENSIONS: [&[u8]; 5] = [b"dcm", b"ima", b"dicom", b"par", b"rec"];

impl ImageNames {
    fn of(rows: &[Row]) -> Self {
        let images = rows
            .iter()
            .filter(|row| matches!(row.kind, RowKind::Dicom | RowKind::Par | RowKind::Rec));
        let extensions = images.clone().map(extension).collect();
        let bare = images.filter(|row| extension(row).is_empty());
        let patterns = bare.map(|row| pattern(&row.path)).collect();
        Self {
            extensions,
            patterns,
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
    fn what_is_no_dicom_counts_where_it_is_called_like_the_images() {
        let rows = [
            row(b"a/IM_0001", RowKind::Dicom, Fate::Sorted, ""),
            row(b"b/1.txt", RowKind::Dicom, Fate::Sorted, ""),
        ];
        let names = ImageNames::of(&rows);
        for name in [&b"a/IM_0020"[..], b"c/x.dcm", b"X.IMA", b"c/x.dcm.gz"] {
            assert!(names.is_image_name(&named(name)), "{name:?}");
        }
        for name in [
            &b"a/LOCKFILE"[..],
            b"a/README1",
            b"b/2.txt",
            b"a/._IM_0020",
            b"c/IM_0001",
        ] {
            assert!(!names.is_image_name(&named(name)), "{name:?}");
        }
    }

    #[test]
    fn a_file_without_bytes_counts_where_an_image_could_have_its_name() {
        let rows = [row(b"a/IM_0001", RowKind::Dicom, Fate::Sorted, "")];
        let names = ImageNames::of(&rows);
        for name in [&b"a/IM_0002"[..], b"b/1.2.840.5", b"c/x.dcm", b"c/X.IMA"] {
            assert!(names.may_be_image_name(&named(name)), "{name:?}");
        }
        for name in [&b"a/LOCKFILE"[..], b"a/.keep0", b"a/notes1.txt", b"b/done"] {
            assert!(!names.may_be_image_name(&named(name)), "{name:?}");
        }
    }
}
