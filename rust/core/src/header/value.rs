//! Values: padding, numbers as text, text as numbers (PS3.5 section 6.2).

use std::io::Write;

use super::vr::Vr;

/// A field's value, as a plural variant if the field has several values.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Absent, empty, or an unreadable number.
    None,
    /// One text.
    Text(String),
    /// Several texts; some may be empty.
    Texts(Vec<String>),
    /// One integer.
    Int(i64),
    /// Several integers.
    Ints(Vec<i64>),
    /// One decimal number.
    Float(f64),
    /// Several decimal numbers.
    Floats(Vec<f64>),
}

impl Value {
    /// Returns the value for these texts; `None` if all are empty.
    pub(super) fn of_texts(mut texts: Vec<String>) -> Self {
        if texts.iter().all(String::is_empty) {
            return Self::None;
        }
        match texts.pop() {
            Some(only) if texts.is_empty() => Self::Text(only),
            Some(last) => {
                texts.push(last);
                Self::Texts(texts)
            }
            None => Self::None,
        }
    }

    /// Returns the value for integers in DICOM notation; `None` if one of them is unreadable.
    pub(super) fn of_ints(raw: &[u8]) -> Self {
        let values: Option<Vec<i64>> = raw.split(|byte| *byte == b'\\').map(int).collect();
        match values.as_deref() {
            None | Some([]) => Self::None,
            Some([only]) => Self::Int(*only),
            Some(many) => Self::Ints(many.to_vec()),
        }
    }

    /// Returns the value for decimal numbers in DICOM notation; `None` if one of them is unreadable.
    pub(super) fn of_floats(raw: &[u8]) -> Self {
        let values: Option<Vec<f64>> = raw.split(|byte| *byte == b'\\').map(float).collect();
        match values.as_deref() {
            None | Some([]) => Self::None,
            Some([only]) => Self::Float(*only),
            Some(many) => Self::Floats(many.to_vec()),
        }
    }
}

/// Removes padding: spaces and NULs (PS3.5 section 6.2), and tabs and line ends that some writers leave.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    let padding = |byte: &u8| matches!(byte, b' ' | 0 | b'\t' | b'\r' | b'\n');
    if let (Some(first), Some(last)) = (bytes.first(), bytes.last()) {
        if !padding(first) && !padding(last) {
            return bytes;
        }
    }
    let start = bytes
        .iter()
        .position(|byte| !padding(byte))
        .unwrap_or(bytes.len());
    let end = bytes
        .iter()
        .rposition(|byte| !padding(byte))
        .map_or(start, |last| last.saturating_add(1));
    bytes.get(start..end).unwrap_or_default()
}

/// Removes padding from decoded text.
pub(super) fn trim_text(text: &str) -> &str {
    text.trim_matches([' ', '\0', '\t', '\r', '\n'])
}

/// Parses IS: an integer, or a decimal without a fraction. Returns None for other texts, and for numbers that neither
/// IS, SL nor UL can have (PS3.5 section 6.2).
pub(super) fn int(raw: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(trim(raw)).ok()?;
    let number = text.parse().ok().or_else(|| integer_of(float(raw)?))?;
    (i64::from(i32::MIN)..=i64::from(u32::MAX))
        .contains(&number)
        .then_some(number)
}

fn integer_of(number: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Parses DS: a finite decimal number.
pub(super) fn float(raw: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(trim(raw)).ok()?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Appends binary numbers, at most 512, to `out` as text, separated by backslashes; drops an incomplete last number.
pub(super) fn write_numbers(vr: Vr, bytes: &[u8], big_endian: bool, out: &mut Vec<u8>) {
    let size = match vr {
        Vr::SS | Vr::US => 2,
        Vr::FD => 8,
        _ => 4,
    };
    for (index, chunk) in bytes.chunks_exact(size).take(512).enumerate() {
        if index > 0 {
            out.push(b'\\');
        }
        // The number in little-endian, whatever the byte order of the file, followed by zeros.
        let mut padded = [0; 8];
        for (to, from) in padded.iter_mut().zip(chunk) {
            *to = *from;
        }
        if big_endian {
            padded.get_mut(..size).unwrap_or_default().reverse();
        }
        let [a, b, c, d, ..] = padded;
        // Writing to a Vec cannot fail.
        let _ = match vr {
            Vr::SS => write!(out, "{}", i16::from_le_bytes([a, b])),
            Vr::US => write!(out, "{}", u16::from_le_bytes([a, b])),
            Vr::SL => write!(out, "{}", i32::from_le_bytes([a, b, c, d])),
            Vr::FL => write!(out, "{}", f64::from(f32::from_le_bytes([a, b, c, d]))),
            Vr::FD => write!(out, "{}", f64::from_le_bytes(padded)),
            _ => write!(out, "{}", u32::from_le_bytes([a, b, c, d])),
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn whole_numbers_are_read_as_scanners_write_them() {
        for (raw, want) in [
            ("4", Some(4)),
            (" 04 ", Some(4)),
            ("+7", Some(7)),
            ("-3", Some(-3)),
            ("1.0", Some(1)),
            ("747197466", Some(747_197_466)),
            ("", None),
            ("1.5", None),
            ("abc", None),
            ("nan", None),
            ("1e300", None),
            ("-2147483648", Some(-2_147_483_648)),
            ("4294967295", Some(4_294_967_295)),
            ("4294967296", None),
            ("1e12", None),
            ("9223372036854775807", None),
            ("-9223372036854775808", None),
        ] {
            assert_eq!(int(raw.as_bytes()), want, "{raw:?}");
        }
    }

    #[test]
    fn one_unreadable_number_makes_the_field_unreadable() {
        assert_eq!(Value::of_floats(b"1\\2.5"), Value::Floats(vec![1.0, 2.5]));
        assert_eq!(Value::of_floats(b"1\\x"), Value::None);
        assert_eq!(Value::of_ints(b""), Value::None);
    }

    #[test]
    fn binary_numbers_become_text_in_either_byte_order() {
        let mut out = Vec::new();
        write_numbers(Vr::US, &[1, 0, 0, 1, 9], false, &mut out);
        assert_eq!(out, b"1\\256");
        out.clear();
        write_numbers(Vr::FD, &2.89_f64.to_be_bytes(), true, &mut out);
        assert_eq!(out, b"2.89");
        out.clear();
        write_numbers(Vr::SL, &(-5_i32).to_le_bytes(), false, &mut out);
        assert_eq!(out, b"-5");
    }
}
