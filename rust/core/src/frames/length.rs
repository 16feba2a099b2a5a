//! Whether the pixel data of a file are complete, and whether another object follows them.

use super::object::Object;
use crate::header::{ParseError, Reader, Window};

/// Length of the preamble of a file (PS3.10 section 7.1).
const PREAMBLE: u64 = 128;
/// The prefix after the preamble.
const PREFIX: &[u8] = b"DICM";
/// Length of the sequence delimiter after the last fragment.
const DELIMITER: u64 = 8;

/// Returns the uncompressed size of an object's frames in bytes; None if the header lacks a size, or if colours are
/// subsampled.
pub(super) fn needed_bytes(object: &Object) -> Option<u64> {
    let encoding = &object.encoding;
    // In YBR_FULL_422 and similar formats, some pixels lack samples.
    if object.photometric_interpretation.contains("42") {
        return None;
    }
    let pixels = u64::from(object.rows).saturating_mul(object.columns.into());
    let bits = pixels
        .saturating_mul(object.frame_count.into())
        .saturating_mul(encoding.samples.max(1).into())
        .saturating_mul(encoding.bits_allocated.into());
    // Pixels of 1 or 12 bits are packed without gaps (PS3.5 section 8.1.1).
    (bits > 0).then(|| bits.div_ceil(8))
}

/// Returns whether a file of `size` bytes ends within its last fragment, or has no fragment. `fragments` are offsets and
/// lengths.
///
/// The sequence delimiter after the last fragment may be missing: the data are complete without it.
pub(super) fn ends_early(fragments: &[(u64, u32)], size: u64) -> bool {
    fragments
        .last()
        .is_none_or(|&(offset, length)| offset.saturating_add(length.into()) > size)
}

/// Returns the offset after the delimiter of encapsulated pixel data; `u64::MAX` if there are no fragments.
pub(super) fn end_of_fragments(fragments: &[(u64, u32)]) -> u64 {
    fragments.last().map_or(u64::MAX, |&(offset, length)| {
        offset
            .saturating_add(length.into())
            .saturating_add(DELIMITER)
    })
}

/// Returns whether a DICOM file with a preamble begins at an offset.
pub(super) fn file_begins_at<W: Window>(
    reader: &mut Reader<'_, W>,
    at: u64,
) -> Result<bool, ParseError> {
    reader.has_bytes(at.saturating_add(PREAMBLE), PREFIX)
}
