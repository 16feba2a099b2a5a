//! The Siemens CSA image header: named values in one private element (format SV10 and its predecessor).

/// Values that are read from it.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Csa {
    pub tiles: Option<u32>,
    pub normal: Option<[f64; 3]>,
    pub b_value: Option<f64>,
}

/// Limit on names in a header; real headers have about a hundred.
const MAX_NAMES: u32 = 512;
/// Bytes of a name, of its description with the name, and of the description of a value.
const NAME: usize = 64;
const TAG: usize = 84;
const ITEM: usize = 16;

/// Reads a CSA header; unreadable parts are skipped.
pub(super) fn read(bytes: &[u8]) -> Csa {
    let mut csa = Csa::default();
    each(bytes, &mut |name, values| {
        let numbers = values.iter().filter_map(|text| text.parse::<f64>().ok());
        csa.take(
            name,
            &numbers
                .filter(|number| number.is_finite())
                .collect::<Vec<_>>(),
        );
    });
    csa
}

/// Passes each name of a CSA header with its texts to `visit`, as far as they are readable.
pub(super) fn each(bytes: &[u8], visit: &mut dyn FnMut(&[u8], &[&str])) {
    let is_sv10 = bytes.starts_with(b"SV10");
    let mut rest = bytes.get(if is_sv10 { 8 } else { 0 }..).unwrap_or_default();
    let names = word(rest, 0).min(MAX_NAMES);
    rest = rest.get(8..).unwrap_or_default();
    for _ in 0..names {
        let Some((tag, after)) = rest.split_at_checked(TAG) else {
            return;
        };
        let name = tag.get(..NAME).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let count = word(tag, 76);
        rest = after;
        let mut values = Vec::new();
        for _ in 0..count.min(4096) {
            let Some((item, after)) = rest.split_at_checked(ITEM) else {
                return;
            };
            let length = word(item, if is_sv10 { 4 } else { 0 }) as usize;
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
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a small whole number"
    )]
    fn take(&mut self, name: &[u8], values: &[f64]) {
        match (name, values) {
            (b"NumberOfImagesInMosaic", [count, ..]) if (1.0..=4096.0).contains(count) => {
                self.tiles = Some(*count as u32);
            }
            (b"SliceNormalVector", [x, y, z]) => self.normal = Some([*x, *y, *z]),
            (b"B_value", [value, ..]) => self.b_value = Some(*value),
            _ => {}
        }
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..)
        .and_then(<[u8]>::first_chunk::<4>)
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}
