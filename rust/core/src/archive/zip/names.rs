//! Names of zip members: UTF-8 if a flag or a field says so, or if a Unix program wrote valid UTF-8, else code page
//! 437.

/// The characters 128 to 255 of code page 437.
const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Returns the name in UTF-8 where possible.
///
/// `unicode` is the body of the Info-ZIP extra field 0x7075, if the member has one. `utf8` is bit 11 of the flags.
/// `unix` says that the writer ran on Unix, where names are usually UTF-8: the archiver of macOS writes UTF-8 and does
/// not set the flag.
#[must_use]
pub fn decode(raw: &[u8], utf8: bool, unix: bool, unicode: Option<&[u8]>) -> Vec<u8> {
    if let Some(name) = unicode_field(raw, unicode) {
        return name.to_vec();
    }
    if utf8 || raw.is_ascii() || (unix && std::str::from_utf8(raw).is_ok()) {
        return raw.to_vec();
    }
    let upper: Vec<char> = UPPER.chars().collect();
    let text: String = raw
        .iter()
        .map(|&byte| match byte.checked_sub(128) {
            None => char::from(byte),
            Some(at) => upper.get(usize::from(at)).copied().unwrap_or('\u{fffd}'),
        })
        .collect();
    text.into_bytes()
}

/// Returns the name in the field, if the checksum in the field is that of `raw`. The checksum differs if a program
/// renamed the member and kept the field.
fn unicode_field<'a>(raw: &[u8], field: Option<&'a [u8]>) -> Option<&'a [u8]> {
    let (head, name) = field?.split_at_checked(5)?;
    let [1, a, b, c, d] = *head else { return None };
    let is_current = u32::from_le_bytes([a, b, c, d]) == crc32fast::hash(raw);
    (is_current && std::str::from_utf8(name).is_ok()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_page_437_has_128_upper_letters() {
        assert_eq!(UPPER.chars().count(), 128);
        assert_eq!(decode(b"\x82t\x82", false, false, None), "été".as_bytes());
    }

    #[test]
    fn flag_or_unix_keeps_utf8() {
        let name = "é.dcm".as_bytes();
        assert_eq!(decode(name, true, false, None), name);
        assert_eq!(decode(name, false, true, None), name);
        assert_ne!(decode(name, false, false, None), name);
    }

    #[test]
    fn unicode_field_counts_only_with_its_checksum() {
        let mut field = vec![1];
        field.extend(crc32fast::hash(b"plain").to_le_bytes());
        field.extend("ü".as_bytes());
        assert_eq!(decode(b"plain", false, false, Some(&field)), "ü".as_bytes());
        assert_eq!(decode(b"other", false, false, Some(&field)), b"other");
    }
}
