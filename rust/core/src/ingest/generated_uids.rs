//! Generates a SOPInstanceUID or SeriesInstanceUID for DICOM objects without one, and records it in their rows; the
//! files do not change.

use super::row::Row;
use crate::header::{Field, Header};
use crate::series::{series_uid, uid_from_hash};

/// Returns the header with both UIDs. Sets the reason of the row: it names the generated UIDs, and is empty if there are
/// none.
pub fn with_generated_uids(row: &mut Row, header: Header) -> Header {
    let mut generated = Vec::new();
    if header.raw(Field::SopInstanceUid).is_empty() {
        let hash = row.content_sha256.or(row.sha256).unwrap_or_default();
        generated.push((Field::SopInstanceUid, uid_from_hash(&hash)));
    }
    if header.raw(Field::SeriesInstanceUid).is_empty() {
        generated.push((Field::SeriesInstanceUid, series_uid(&header, row.folder())));
    }
    let texts: Vec<String> = generated
        .iter()
        .map(|(field, uid)| format!("no {}: {uid} is used", field.keyword()))
        .collect();
    row.reason = texts.join("; ").into();
    if generated.is_empty() {
        return header;
    }
    let values: Vec<(Field, &str)> = generated
        .iter()
        .map(|(field, uid)| (*field, uid.as_str()))
        .collect();
    header.with(&values)
}
