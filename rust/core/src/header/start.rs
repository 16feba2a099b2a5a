//! Where an object starts, and its encoding by the transfer syntax.

use std::io;

use super::element::{EXPLICIT, Encoding, IMPLICIT};
use super::window::Window;

/// Deflated explicit VR little-endian.
pub(super) const DEFLATED: &[u8] = b"1.2.840.10008.1.2.1.99";

/// The start of an object.
pub(super) struct Start {
    pub at: u64,
    /// Whether the four letters of PS3.10 section 7.1 were found.
    pub marked: bool,
}

impl Start {
    pub(super) fn find<W: Window>(window: &mut W) -> io::Result<Option<Self>> {
        let head = window.at(0, 144)?;
        if head.get(128..132) == Some(b"DICM") {
            return Ok(Some(Self {
                at: 132,
                marked: true,
            }));
        }
        // Without preamble, only a meta header or the identifying group can come first, in either byte order.
        let begins = matches!(head.first_chunk::<2>(), Some([2 | 8, 0] | [0, 2 | 8]));
        let element = begins && Encoding::guess(head, EXPLICIT).is_some();
        Ok(element.then_some(Self {
            at: 0,
            marked: false,
        }))
    }
}

/// Returns whether the bytes after a deflated transfer syntax are not deflated.
pub(super) fn plain(head: &[u8]) -> bool {
    matches!(head.first_chunk::<2>(), Some([8, 0]))
        && Encoding::guess(head, EXPLICIT) == Some(EXPLICIT)
}

/// Returns the encoding that a transfer syntax states; explicit VR little-endian for an unknown one.
pub(super) fn encoding_of(syntax: &[u8]) -> Encoding {
    match syntax {
        // The second is private to GE: implicit VR, little-endian except for the pixels.
        b"1.2.840.10008.1.2" | b"1.2.840.113619.5.2" => IMPLICIT,
        b"1.2.840.10008.1.2.2" => Encoding {
            explicit: true,
            big_endian: true,
        },
        _ => EXPLICIT,
    }
}
