//! Where an object starts, and its encoding by the transfer syntax.

use std::io;

use super::element::{EXPLICIT, Encoding, IMPLICIT};
use super::window::Window;

/// TransferSyntaxUID of deflated explicit VR little-endian.
pub(super) const DEFLATED: &[u8] = b"1.2.840.10008.1.2.1.99";

/// The start of an object.
pub(super) struct Start {
    /// Offset of the first element: after the preamble and the prefix, if the object has them.
    pub at: u64,
    /// Whether the prefix `DICM` was found (PS3.10 section 7.1).
    pub has_prefix: bool,
}

impl Start {
    /// Returns the start of the object; None if the bytes cannot be DICOM.
    pub(super) fn find<W: Window>(window: &mut W) -> io::Result<Option<Self>> {
        let head = window.at(0, 144)?;
        if head.get(128..132) == Some(b"DICM") {
            return Ok(Some(Self {
                at: 132,
                has_prefix: true,
            }));
        }
        // Without a preamble, the first group must be 0002 (the meta header) or 0008, in either byte order.
        let has_first_group = matches!(head.first_chunk::<2>(), Some([2 | 8, 0] | [0, 2 | 8]));
        let is_element = has_first_group && Encoding::guess(head, EXPLICIT).is_some();
        Ok(is_element.then_some(Self {
            at: 0,
            has_prefix: false,
        }))
    }
}

/// Returns whether the first bytes of a data set show that it is not deflated, although its transfer syntax says that
/// it is.
pub(super) fn is_uncompressed(head: &[u8]) -> bool {
    matches!(head.first_chunk::<2>(), Some([8, 0]))
        && Encoding::guess(head, EXPLICIT) == Some(EXPLICIT)
}

/// Returns the encoding that a transfer syntax states; explicit VR little-endian for an unknown one.
pub(super) fn encoding_of(syntax: &[u8]) -> Encoding {
    match syntax {
        // The second UID is private to GE: implicit VR, little-endian except for the pixels.
        b"1.2.840.10008.1.2" | b"1.2.840.113619.5.2" => IMPLICIT,
        b"1.2.840.10008.1.2.2" => Encoding {
            explicit: true,
            big_endian: true,
        },
        _ => EXPLICIT,
    }
}
