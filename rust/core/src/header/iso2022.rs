//! Character sets and the escape sequences that switch between them (ISO 2022, PS3.3 C.12.1.1.2).

use encoding_rs::{
    EUC_JP, EUC_KR, Encoding, GBK, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6,
    ISO_8859_7, ISO_8859_8, ISO_8859_15, WINDOWS_874,
};

/// A character set of bytes from 128 on, or of pairs of bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Set {
    /// ISO 8859-1, and ASCII below 128.
    Latin1,
    /// ISO 8859-9.
    Latin5,
    /// A single-byte set.
    Single(&'static Encoding),
    /// JIS X 0201: half-width katakana above 160.
    Katakana,
    /// JIS X 0208, two bytes below 128.
    Kanji,
    /// JIS X 0212, two bytes below 128.
    SupplementaryKanji,
    /// KS X 1001 or GB 2312, two bytes above 160.
    Double(&'static Encoding),
}

/// What an escape sequence switches.
pub(super) enum Switch {
    /// The set of bytes below 128 (G0).
    Lower(Set),
    /// The set of bytes from 128 on (G1).
    Upper(Set),
}

/// Returns the meaning of an escape sequence and its length (PS3.3 tables C.12-3 and C.12-4); None and 1 for an unknown
/// one.
pub(super) fn parse_escape(bytes: &[u8]) -> (Option<Switch>, usize) {
    let switch = match bytes
        .get(1..4)
        .or_else(|| bytes.get(1..3))
        .unwrap_or_default()
    {
        [b'$', b'B' | b'@', ..] => (Switch::Lower(Set::Kanji), 3),
        b"$(D" => (Switch::Lower(Set::SupplementaryKanji), 4),
        b"$)C" => (Switch::Upper(Set::Double(EUC_KR)), 4),
        b"$)A" => (Switch::Upper(Set::Double(GBK)), 4),
        [b'(', b'B' | b'J', ..] => (Switch::Lower(Set::Latin1), 3),
        [b')', b'I', ..] => (Switch::Upper(Set::Katakana), 3),
        [b'-', b'A', ..] => (Switch::Upper(Set::Latin1), 3),
        [b'-', b'B', ..] => (Switch::Upper(Set::Single(ISO_8859_2)), 3),
        [b'-', b'C', ..] => (Switch::Upper(Set::Single(ISO_8859_3)), 3),
        [b'-', b'D', ..] => (Switch::Upper(Set::Single(ISO_8859_4)), 3),
        [b'-', b'L', ..] => (Switch::Upper(Set::Single(ISO_8859_5)), 3),
        [b'-', b'G', ..] => (Switch::Upper(Set::Single(ISO_8859_6)), 3),
        [b'-', b'F', ..] => (Switch::Upper(Set::Single(ISO_8859_7)), 3),
        [b'-', b'H', ..] => (Switch::Upper(Set::Single(ISO_8859_8)), 3),
        [b'-', b'M', ..] => (Switch::Upper(Set::Latin5), 3),
        [b'-', b'T', ..] => (Switch::Upper(Set::Single(WINDOWS_874)), 3),
        [b'-', b'b', ..] => (Switch::Upper(Set::Single(ISO_8859_15)), 3),
        _ => return (None, 1),
    };
    (Some(switch.0), switch.1)
}

/// Decodes the first character of the bytes by `set`, and appends it to a text. Returns the number of bytes of the
/// character. An incomplete pair becomes U+FFFD and takes one byte.
pub(super) fn decode_character(set: Set, bytes: &[u8], text: &mut String) -> usize {
    let first = bytes.first().copied().unwrap_or_default();
    let second = bytes.get(1).copied().unwrap_or_default();
    let has_second = if matches!(set, Set::Double(_)) {
        second >= 0x80
    } else {
        second > 0x20
    };
    match set {
        Set::Kanji if has_second => {
            append(EUC_JP, &[first | 0x80, second | 0x80], text);
        }
        Set::SupplementaryKanji if has_second => {
            append(EUC_JP, &[0x8F, first | 0x80, second | 0x80], text);
        }
        Set::Double(encoding) if has_second => append(encoding, &[first, second], text),
        Set::Kanji | Set::SupplementaryKanji | Set::Double(_) => {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        Set::Single(encoding) => append(encoding, &[first], text),
        Set::Katakana | Set::Latin1 | Set::Latin5 => text.push(decode_single(set, first)),
    }
    let pairs = matches!(set, Set::Kanji | Set::SupplementaryKanji | Set::Double(_));
    if pairs && has_second { 2 } else { 1 }
}

/// Decodes a byte of a character set for which `encoding_rs` has no table.
fn decode_single(set: Set, byte: u8) -> char {
    match (set, byte) {
        (Set::Katakana, 0xA1..=0xDF) => {
            char::from_u32(0xFF61 - 0xA1 + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        (Set::Katakana, _) => char::REPLACEMENT_CHARACTER,
        (Set::Latin5, 0xD0) => 'Ğ',
        (Set::Latin5, 0xDD) => 'İ',
        (Set::Latin5, 0xDE) => 'Ş',
        (Set::Latin5, 0xF0) => 'ğ',
        (Set::Latin5, 0xFD) => 'ı',
        (Set::Latin5, 0xFE) => 'ş',
        _ => char::from(byte),
    }
}

/// Appends decoded bytes to a text.
fn append(encoding: &'static Encoding, bytes: &[u8], text: &mut String) {
    let (decoded, _) = encoding.decode_without_bom_handling(bytes);
    text.push_str(&decoded);
}
