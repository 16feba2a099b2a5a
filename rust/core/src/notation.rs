//! Paths and hashes as text in ledgers and messages.

use std::fmt::Write;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Escapes text for a cell of the ledger: ASCII control characters, backslash and bytes that are not UTF-8 become
/// `\xNN`.
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

/// Returns the bytes of [`escape`]d text.
#[must_use]
pub fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split("\\x");
    bytes.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let code = part
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.extend(code);
        bytes.extend(part.bytes().skip(2));
    }
    bytes
}

/// Returns the length in bytes of what [`escape`] returns for the same bytes.
#[must_use]
pub fn escaped_len(bytes: &[u8]) -> u64 {
    let mut len = 0usize;
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        let escaped_bytes = valid
            .bytes()
            .filter(|byte| *byte == b'\\' || byte.is_ascii_control());
        len += valid.len() + 3 * escaped_bytes.count() + 4 * chunk.invalid().len();
    }
    len as u64
}

/// Bytes that an abridged path keeps at each end.
const ABRIDGED_END: usize = 500;

/// Returns an escaped path for messages and reasons. A path of more than 1500 bytes is returned without its middle.
#[must_use]
pub fn abridged_path(path: &[u8]) -> String {
    let ends = path
        .get(..ABRIDGED_END)
        .zip(path.len().checked_sub(ABRIDGED_END));
    match ends.filter(|(_, from)| *from > 2 * ABRIDGED_END) {
        Some((start, from)) => {
            let end = path.get(from..).unwrap_or_default();
            format!("{}...{}", escape(start), escape(end))
        }
        None => escape(path),
    }
}

/// Returns bytes in lower-case hexadecimal.
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
    fn cells_contain_no_tab_newline_or_broken_utf8() {
        assert_eq!(escape(b"a\tb\nc\\d\xff\r"), r"a\x09b\x0ac\x5cd\xff\x0d");
        assert_eq!(escape("Schädel/a!b".as_bytes()), "Schädel/a!b");
        for text in [&b"a\tb\nc\\d\xff\r"[..], "Schädel/a!b".as_bytes()] {
            assert_eq!(escaped_len(text), escape(text).len() as u64);
        }
    }

    #[test]
    fn escaped_text_can_be_read_back() {
        for text in [&b"a\tb\nc\\x41d\xff\r"[..], "Schädel/a!b".as_bytes(), b""] {
            assert_eq!(unescape(&escape(text)), text);
        }
    }

    #[test]
    fn a_long_path_is_shown_without_its_middle() {
        assert_eq!(abridged_path(&[b'a'; 1500]).len(), 1500);
        assert_eq!(abridged_path(&b"a".repeat(100_000)).len(), 1003);
    }
}
