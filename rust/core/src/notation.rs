//! Hashes and bytes as text, as ledgers and messages write them.

use std::fmt::Write;

/// SHA-256.
pub type Hash = [u8; 32];

/// Text for one cell of the ledger: control characters, backslash and bytes that are no UTF-8 become `\xNN`.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter == '\\' || letter.is_ascii_control() {
                let _ = write!(text, "\\x{:02x}", u32::from(letter));
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_no_tab_newline_or_broken_utf8() {
        assert_eq!(escape(b"a\tb\nc\\d\xff\r"), r"a\x09b\x0ac\x5cd\xff\x0d");
        assert_eq!(escape("Schädel/a!b".as_bytes()), "Schädel/a!b");
    }
}
