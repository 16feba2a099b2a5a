//! Image objects, built byte by byte.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test code"
)]

use qxbatch_core::frames::{Object, parse};

use crate::object::Syntax;

/// ImagePositionPatient.
pub const PLACE: u32 = 0x0020_0032;
const DIRECTIONS: u32 = 0x0020_0037;
const PIXELS: u32 = 0x7FE0_0010;

/// Parses bytes that must be DICOM.
pub fn read(bytes: &[u8]) -> Object {
    let mut window = bytes;
    parse(&mut window).unwrap().expect("DICOM")
}

/// Returns a data set of 4 rows and 4 columns, with elements before the pixels.
pub fn image(syntax: Syntax, kind: &str, place: &str, between: &[u8], pixels: usize) -> Vec<u8> {
    let bits = [
        (0x0028_0010, 4),
        (0x0028_0011, 4),
        (0x0028_0100, 16),
        (0x0028_0101, 12),
        (0x0028_0102, 11),
        (0x0028_0103, 0),
    ];
    let mut set = syntax.text(0x0008_0008, "CS", kind);
    set.extend(syntax.text(PLACE, "DS", place));
    set.extend(syntax.text(DIRECTIONS, "DS", "1\\0\\0\\0\\1\\0"));
    for (tag, value) in bits {
        set.extend(syntax.short(tag, value));
    }
    set.extend(syntax.text(0x0028_0030, "DS", "2\\3"));
    set.extend(between);
    set.extend(syntax.element(PIXELS, "OW", &vec![0; pixels]));
    set
}

/// Returns a sequence of items, with defined or undefined lengths.
pub fn items(syntax: Syntax, tag: u32, items: &[Vec<u8>], defined: bool) -> Vec<u8> {
    let mut body = Vec::new();
    for item in items {
        let length = if defined {
            item.len().try_into().unwrap()
        } else {
            u32::MAX
        };
        body.extend(syntax.head(0xFFFE_E000, "", length));
        body.extend(item);
        if !defined {
            body.extend(syntax.head(0xFFFE_E00D, "", 0));
        }
    }
    let length = if defined {
        body.len().try_into().unwrap()
    } else {
        u32::MAX
    };
    let mut out = syntax.head(tag, "SQ", length);
    out.extend(body);
    if !defined {
        out.extend(syntax.head(0xFFFE_E0DD, "", 0));
    }
    out
}
