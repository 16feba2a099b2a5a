//! Whether a file has all of its pixel data.

use super::object::Object;

/// Bytes that the frames of an object take uncompressed; None where its header does not say, or samples are left out of it.
pub(super) fn needed(object: &Object) -> Option<u64> {
    let encoding = &object.encoding;
    // Of YBR_FULL_422 and the like, not every pixel has all samples.
    if object.photometric.contains("42") {
        return None;
    }
    let pixels = u64::from(object.rows).saturating_mul(object.columns.into());
    let bits = pixels
        .saturating_mul(object.frame_count.into())
        .saturating_mul(encoding.samples.max(1).into())
        .saturating_mul(encoding.bits_allocated.into());
    // Pixels of 1 or 12 bits are packed without room between them (PS3.5 section 8.1.1).
    (bits > 0).then(|| bits.div_ceil(8))
}

/// Whether a file of that size ends within one of its fragments, or before the first one.
///
/// The sequence delimiter behind the last one may be missing: everything is there without it.
pub(super) fn ends_early(fragments: &[(u64, u32)], size: u64) -> bool {
    fragments
        .last()
        .is_none_or(|&(offset, length)| offset.saturating_add(length.into()) > size)
}
