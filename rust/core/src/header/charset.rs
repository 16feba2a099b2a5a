//! Text in the character sets of PS3.3 C.12.1.1.2, with the code extensions of ISO 2022 (PS3.5 section 6.1.2.5).
//!
//! Decoding never fails: an undefined byte becomes U+FFFD, an unknown character set is read as ISO 8859-1.

use encoding_rs::{
    EUC_KR, Encoding, GB18030, GBK, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5, ISO_8859_6,
    ISO_8859_7, ISO_8859_8, ISO_8859_15, UTF_8, WINDOWS_874,
};

use super::iso2022::{Set, Switch, decode_character, parse_escape};

const ESC: u8 = 0x1B;

/// The character sets of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CharacterSets {
    /// A multi-byte character set without code extensions; None for other sets. In GBK and GB18030, a backslash may be
    /// the second byte of a character.
    multi_byte: Option<&'static Encoding>,
    /// The set of bytes from 128 on at the start of each value: the first one that SpecificCharacterSet names.
    first: Set,
}

impl Default for CharacterSets {
    /// Returns the sets of an object without SpecificCharacterSet.
    fn default() -> Self {
        Self::named(b"")
    }
}

impl CharacterSets {
    /// Returns the set of text that is UTF-8.
    pub(super) fn utf8() -> Self {
        Self {
            multi_byte: Some(UTF_8),
            first: Set::Latin1,
        }
    }

    /// Returns the sets named by a value of SpecificCharacterSet.
    pub(crate) fn named(raw: &[u8]) -> Self {
        let first = raw.split(|byte| *byte == b'\\').next().unwrap_or_default();
        let name = String::from_utf8_lossy(first).to_ascii_uppercase();
        let multi_byte = match name.trim() {
            "ISO_IR 192" => Some(UTF_8),
            "GB18030" => Some(GB18030),
            "GBK" => Some(GBK),
            other if other.ends_with(" 192") || other.contains("UTF") => Some(UTF_8),
            _ => None,
        };
        let digits = name
            .trim()
            .rsplit(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap_or_default();
        let first = match digits {
            "101" => Set::Single(ISO_8859_2),
            "109" => Set::Single(ISO_8859_3),
            "110" => Set::Single(ISO_8859_4),
            "144" => Set::Single(ISO_8859_5),
            "127" => Set::Single(ISO_8859_6),
            "126" => Set::Single(ISO_8859_7),
            "138" => Set::Single(ISO_8859_8),
            "148" => Set::Latin5,
            "203" => Set::Single(ISO_8859_15),
            "166" => Set::Single(WINDOWS_874),
            "13" => Set::Katakana,
            "149" => Set::Double(EUC_KR),
            "58" => Set::Double(GBK),
            _ => Set::Latin1,
        };
        Self { multi_byte, first }
    }

    /// Decodes a value, and splits it at its backslashes. `is_person_name`: its VR is PN.
    pub(crate) fn decode(self, raw: &[u8], is_person_name: bool) -> Vec<String> {
        if let Some(encoding) = self.multi_byte {
            let (text, _) = encoding.decode_without_bom_handling(raw);
            return text.split('\\').map(str::to_owned).collect();
        }
        if raw.is_ascii() && !raw.contains(&ESC) {
            let text = String::from_utf8_lossy(raw);
            return text.split('\\').map(str::to_owned).collect();
        }
        self.decode_extended(raw, is_person_name)
    }

    /// Decodes and splits a value that may contain escape sequences. `lower` is the current set of bytes below 128,
    /// `upper` that of bytes from 128 on.
    fn decode_extended(self, raw: &[u8], is_person_name: bool) -> Vec<String> {
        let mut texts = Vec::new();
        let mut text = String::new();
        let (mut lower, mut upper) = (Set::Latin1, self.first);
        let mut rest = raw;
        while let Some((&byte, tail)) = rest.split_first() {
            if byte == ESC {
                let (switch, length) = parse_escape(rest);
                match switch {
                    Some(Switch::Lower(set)) => lower = set,
                    Some(Switch::Upper(set)) => upper = set,
                    None => text.push(char::from(ESC)),
                }
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            let in_pair = matches!(lower, Set::Kanji | Set::SupplementaryKanji)
                && (0x21..0x7F).contains(&byte);
            if in_pair || byte >= 0x80 {
                let length = decode_character(if in_pair { lower } else { upper }, rest, &mut text);
                rest = rest.get(length..).unwrap_or_default();
                continue;
            }
            // PS3.5 section 6.1.2.5.3: after each of these characters, the sets of the first value of
            // SpecificCharacterSet are active again.
            let is_control = matches!(byte, b'\\' | b'\r' | b'\n' | b'\t' | 0x0C);
            if is_control || (is_person_name && matches!(byte, b'^' | b'=')) {
                (lower, upper) = (Set::Latin1, self.first);
            }
            if byte == b'\\' {
                texts.push(std::mem::take(&mut text));
            } else {
                text.push(char::from(byte));
            }
            rest = tail;
        }
        texts.push(text);
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of PS3.5 annexes H, I and J, and of the single-byte sets.
    #[test]
    fn names_of_the_standard_decode() {
        let cases: &[(&str, &[u8], &str)] = &[
            ("ISO_IR 100", b"Buc^J\xe9r\xf4me", "Buc^Jérôme"),
            ("ISO_IR 144", b"\xbb\xee\xda\xe1\xd5\xdc\xd1\xe3\xe0\xd3", "Люксембург"),
            ("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2", "Διονυσιος"),
            ("ISO_IR 148", b"\xd0\xfe", "Ğş"),
            ("ISO_IR 192", "Wang^XiaoDong=王^小東".as_bytes(), "Wang^XiaoDong=王^小東"),
            ("GB18030", b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"),
            (
                "\\ISO 2022 IR 87",
                b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B",
                "Yamada^Tarou=山田^太郎=やまだ^たろう",
            ),
            (
                "ISO 2022 IR 13\\ISO 2022 IR 87",
                b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J",
                "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎",
            ),
            (
                "\\ISO 2022 IR 149",
                b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7",
                "Hong^Gildong=洪^吉洞",
            ),
            ("\\ISO 2022 IR 58", b"Wang=\x1b$)A\xcd\xf5", "Wang=王"),
        ];
        for (sets, raw, want) in cases {
            assert_eq!(
                CharacterSets::named(sets.as_bytes()).decode(raw, true),
                [*want],
                "{sets}"
            );
        }
    }

    #[test]
    fn a_backslash_inside_a_character_does_not_split_values() {
        // 0x5C is the second byte of this character.
        let sets = CharacterSets::named(b"GB18030");
        assert_eq!(sets.decode(b"\x81\x5c\\b", false).len(), 2);
        let sets = CharacterSets::named(b"\\ISO 2022 IR 87");
        assert_eq!(sets.decode(b"\x1b$B!\\\x1b(B\\b", false).len(), 2);
    }

    #[test]
    fn component_delimiters_end_a_switch_only_in_names() {
        let sets = CharacterSets::named(b"\\ISO 2022 IR 149");
        let raw = b"\x1b$)C\xfb\xf3=\xd1\xce";
        assert_eq!(sets.decode(raw, false), ["洪=吉"]);
        assert_eq!(sets.decode(raw, true), ["洪=ÑÎ"]);
    }

    #[test]
    fn wrong_and_missing_sets_never_fail() {
        for name in [
            &b""[..],
            b"ISO_IR 999",
            b"\xff\\\\",
            b"ISO 2022 IR 87",
            b"utf-8",
        ] {
            for raw in [
                &b"\xff\xfe\x80"[..],
                b"\x1b",
                b"\x1b$B!",
                b"\x1b$)C\xfb",
                b"a\x1bZb",
            ] {
                assert!(!CharacterSets::named(name).decode(raw, false).is_empty());
            }
        }
        assert_eq!(
            CharacterSets::named(b"").decode(b"M\xfcller", true),
            ["Müller"]
        );
    }
}
