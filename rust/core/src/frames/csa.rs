//! The Siemens CSA headers: named values in one private element (format SV10, also called CSA2, and its predecessor
//! CSA1).

use super::elements::finite_number;

/// The values of a CSA header that are used.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Csa {
    /// NumberOfImagesInMosaic.
    pub tile_count: Option<u32>,
    /// SliceNormalVector: the direction in which the slices of a mosaic follow each other.
    pub normal: Option<[f64; 3]>,
    /// B_value, s/mm2.
    pub b_value: Option<f64>,
}

/// Limit on names in a header; real headers have about a hundred.
const MAX_NAMES: u32 = 512;
/// Limit on the items (values) of a name.
const MAX_ITEMS: u32 = 4096;
/// Length of a name in bytes.
const NAME_LENGTH: usize = 64;
/// Length in bytes of a tag (here not a DICOM tag): a name and the description of its values.
const TAG_LENGTH: usize = 84;
/// Length of an item's header in bytes: the description of one value.
const ITEM_LENGTH: usize = 16;

/// Reads a CSA header, as far as it is readable.
pub(super) fn read(bytes: &[u8]) -> Csa {
    let mut csa = Csa::default();
    each_name(bytes, &mut |name, values| {
        let numbers = values.iter().filter_map(|text| finite_number(text));
        csa.set(name, &numbers.collect::<Vec<_>>());
    });
    csa
}

/// Passes each name of a CSA header and its values, as texts, to `visit`, as far as the header is readable.
pub(super) fn each_name(bytes: &[u8], visit: &mut dyn FnMut(&[u8], &[&str])) {
    let is_sv10 = bytes.starts_with(b"SV10");
    let mut rest = bytes.get(if is_sv10 { 8 } else { 0 }..).unwrap_or_default();
    let name_count = word(rest, 0).min(MAX_NAMES);
    rest = rest.get(8..).unwrap_or_default();
    // In CSA1, each stored length of a value has the number of items of the first tag added to it.
    let mut added = 0;
    for index in 0..name_count {
        let Some((tag, after)) = rest.split_at_checked(TAG_LENGTH) else {
            return;
        };
        let name = tag.get(..NAME_LENGTH).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let count = word(tag, 76);
        if index == 0 && !is_sv10 {
            added = count;
        }
        rest = after;
        let mut values = Vec::new();
        for _ in 0..count.min(MAX_ITEMS) {
            let Some((item, after)) = rest.split_at_checked(ITEM_LENGTH) else {
                return;
            };
            let Some(length) = word(item, if is_sv10 { 4 } else { 0 }).checked_sub(added) else {
                break; // CSA1 has no more items
            };
            let length = length as usize;
            // Values are padded to four bytes.
            let padded = length.saturating_add(3) & !3;
            let Some((value, after)) = after.split_at_checked(padded) else {
                return;
            };
            rest = after;
            let text = value.split(|byte| *byte == 0).next().unwrap_or_default();
            values.extend(std::str::from_utf8(text).ok().map(str::trim));
        }
        visit(name, &values);
    }
}

impl Csa {
    /// Sets the field for a name, if there is one and the values fit.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be between 1 and 4096"
    )]
    fn set(&mut self, name: &[u8], values: &[f64]) {
        match (name, values) {
            (b"NumberOfImagesInMosaic", [count, ..]) if (1.0..=4096.0).contains(count) => {
                self.tile_count = Some(*count as u32);
            }
            (b"SliceNormalVector", [x, y, z]) => self.normal = Some([*x, *y, *z]),
            (b"B_value", [value, ..]) => self.b_value = Some(*value),
            _ => {}
        }
    }
}

/// Returns 32 bits at an offset, little-endian; 0 past the end.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk::<4>)
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
