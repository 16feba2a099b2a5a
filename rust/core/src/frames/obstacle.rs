//! Whether the stored values of an object can be compared with an image.

use super::object::{Object, Pixels};
use super::stored::samples;

/// Returns why the values of an object cannot be compared with a converted image, as text; None if they can.
pub fn comparison_obstacle(object: &Object) -> Option<&'static str> {
    let length = match object.pixels {
        Pixels::Native { length, .. } | Pixels::Floating { length, .. } => length,
        Pixels::Rle if object.fragments.len() == object.frame_count as usize => u64::MAX,
        Pixels::LosslessJpeg if is_decodable_jpeg(object) => u64::MAX,
        Pixels::Rle | Pixels::Damaged => return Some("damaged pixel data"),
        // An object without pixels has no frames, so this text is never used for it.
        Pixels::LosslessJpeg | Pixels::Unreadable | Pixels::Absent => return Some("compressed"),
    };
    if object.is_truncated {
        return Some("a file that is cut short");
    }
    if object
        .frames
        .iter()
        .any(|frame| frame.attributes.has_lookup_table)
    {
        return Some("a lookup table of values");
    }
    let encoding = &object.encoding;
    let is_known_format = match object.pixels {
        Pixels::Floating { is_double, .. } => {
            encoding.bits_allocated == if is_double { 64 } else { 32 }
        }
        _ => {
            matches!(encoding.bits_allocated, 8 | 16 | 32)
                && (1..=encoding.bits_allocated).contains(&encoding.bits_stored)
                && encoding.high_bit < encoding.bits_allocated
                && encoding.high_bit.saturating_add(1) >= encoding.bits_stored
        }
    };
    let is_known_colour = match (object.photometric_interpretation.as_str(), encoding.samples) {
        ("MONOCHROME1" | "MONOCHROME2", 0 | 1) => true,
        ("RGB", 3) => encoding.bits_allocated == 8,
        _ => false,
    };
    if !is_known_format || !is_known_colour {
        return Some("an unusual pixel encoding");
    }
    // Functional groups may have more items than NumberOfFrames.
    let frames = match object.tiling {
        Some(_) => 1,
        None => (object.frame_count as usize).max(object.frames.len()) as u64,
    };
    let need = u64::from(object.rows)
        .saturating_mul(object.columns.into())
        .saturating_mul(frames)
        .saturating_mul(u64::from(encoding.bits_allocated / 8))
        .saturating_mul(samples(object));
    (length < need).then_some("pixel data that is too short")
}

/// Returns whether each frame of an object in lossless JPEG is grey, and its fragments are known.
fn is_decodable_jpeg(object: &Object) -> bool {
    let fragments = object.fragments.len();
    let is_divided = fragments == object.frame_count as usize || object.frame_count == 1;
    is_divided && fragments > 0 && samples(object) == 1 && object.encoding.bits_allocated <= 16
}

#[cfg(test)]
mod tests {
    use super::{Object, Pixels, comparison_obstacle};

    #[test]
    fn a_damaged_frame_is_not_reported_as_compressed() {
        for pixels in [Pixels::Damaged, Pixels::Rle] {
            let object = Object {
                pixels,
                frame_count: 2,
                fragments: vec![(0, 8)],
                ..Object::default()
            };
            assert_eq!(comparison_obstacle(&object), Some("damaged pixel data"));
        }
    }
}
