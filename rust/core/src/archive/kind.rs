//! What a file is, told by its first bytes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::tar::header::is_header;

/// So many bytes are enough to tell the kind.
pub const HEAD: usize = 4096;
/// Length of a zip's end record without a comment.
pub const TAIL: usize = 22;

/// The kinds that matter here. DICOM without preamble is told by the header parser, a REC by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `DICM` behind a preamble (PS3.10, 7.1).
    Dicom,
    /// A Philips PAR file.
    Par,
    /// PKWARE zip.
    Zip,
    /// Any tar: v7, ustar, pax, GNU.
    Tar,
    /// One of the compressions.
    Packed(Packing),
    /// Nothing in it.
    Empty,
    /// None of these.
    Other,
}

/// Compressions of a single stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// Zstandard.
    Zstd,
    /// LZW of Unix compress, `.Z`.
    Compress,
}

impl Packing {
    /// The name that `sniff` reports and that reasons use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Compress => "compress",
        }
    }

    /// The extensions it goes by, in lower case.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Gzip => &["gz"],
            Self::Bzip2 => &["bz2", "bzip2"],
            Self::Xz => &["xz"],
            Self::Zstd => &["zst", "zstd"],
            Self::Compress => &["z"],
        }
    }
}

/// Tells the kind from the first [`HEAD`] bytes (fewer when the file is shorter).
#[must_use]
pub fn of(head: &[u8]) -> Kind {
    if head.is_empty() {
        return Kind::Empty;
    }
    // A preamble may hold another format's mark, so that one file serves two purposes (PS3.10, 7.1): DICM goes first.
    if head.get(128..132) == Some(b"DICM") {
        return Kind::Dicom;
    }
    if let Some(packing) = packing(head) {
        return Kind::Packed(packing);
    }
    if head.starts_with(b"PK\x03\x04")
        || head.starts_with(b"PK\x05\x06")
        || head.starts_with(b"PK00PK")
    {
        return Kind::Zip;
    }
    if head.get(..512).is_some_and(is_header) {
        return Kind::Tar;
    }
    if is_par(head) { Kind::Par } else { Kind::Other }
}

/// Tells the kind of bytes in memory. A zip may stand behind a program that unpacks it: then its end shows it.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> Kind {
    let tail = bytes.len().checked_sub(TAIL).and_then(|at| bytes.get(at..));
    with_tail(of(bytes.get(..HEAD).unwrap_or(bytes)), tail)
}

/// Tells the kind of a file.
pub fn of_file(file: &File) -> io::Result<Kind> {
    let mut head = vec![0; HEAD];
    let mut got = 0;
    loop {
        let more = file.read_at(head.get_mut(got..).unwrap_or_default(), got as u64)?;
        got += more;
        if more == 0 {
            break;
        }
    }
    head.truncate(got);
    let kind = of(&head);
    let mut tail = [0; TAIL];
    let len = file.metadata()?.len();
    let read = kind == Kind::Other && len >= TAIL as u64;
    let read = read && file.read_exact_at(&mut tail, len - TAIL as u64).is_ok();
    Ok(with_tail(kind, read.then_some(tail.as_slice())))
}

fn with_tail(kind: Kind, tail: Option<&[u8]>) -> Kind {
    match tail {
        Some([b'P', b'K', 5, 6, ..]) if kind == Kind::Other => Kind::Zip,
        _ => kind,
    }
}

fn packing(head: &[u8]) -> Option<Packing> {
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
            // A block, or the end mark of an empty stream, follows.
            if rest.starts_with(&[0x31, 0x41, 0x59, 0x26]) || rest.starts_with(&[0x17, 0x72, 0x45, 0x38]) =>
        {
            Some(Packing::Bzip2)
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Packing::Xz),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Packing::Zstd),
        [0x1f, 0x9d, flags, ..] if (9..=16).contains(&(flags & 0x1f)) => Some(Packing::Compress),
        _ => None,
    }
}

/// Archives that are not opened here, as the reason why such a file is kept; told by the first 8 bytes.
#[must_use]
pub fn foreign(start: &[u8]) -> Option<&'static str> {
    const MARKS: [(&[u8], &str); 4] = [
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive, which is not opened"),
        (b"Rar!\x1a\x07", "a RAR archive, which is not opened"),
        (b"070701", "a cpio archive, which is not opened"),
        (b"LZIP", "an lzip file, which is not opened"),
    ];
    MARKS
        .iter()
        .find(|(mark, _)| start.starts_with(mark))
        .map(|(_, reason)| *reason)
}

/// A PAR begins with its title line in every version (3 to 4.2).
fn is_par(head: &[u8]) -> bool {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let title = b"# === data description file";
    text.get(..title.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(title))
}

/// Whether a name says REC; such a file has no mark of its own.
#[must_use]
pub fn is_rec(name: &[u8]) -> bool {
    name.len() > 4
        && name
            .get(name.len() - 4..)
            .is_some_and(|end| end.eq_ignore_ascii_case(b".rec"))
}

/// A name without the extension of its compression: `a.dcm.gz` is `a.dcm`; other names come back whole.
#[must_use]
pub fn without_extension(name: &[u8], packing: Packing) -> &[u8] {
    let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else {
        return name;
    };
    let (stem, extension) = name.split_at(dot);
    let extension = extension.get(1..).unwrap_or_default();
    let known = packing
        .extensions()
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known.as_bytes()));
    if known && !stem.is_empty() && !stem.ends_with(b"/") {
        stem
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn dicom_in_the_preamble_of_which_a_tiff_begins_is_dicom() {
        let mut head = vec![0u8; 200];
        head[..4].copy_from_slice(b"PK\x03\x04");
        head[128..132].copy_from_slice(b"DICM");
        assert_eq!(of(&head), Kind::Dicom);
    }

    #[test]
    fn compressions_are_told_by_their_marks() {
        assert_eq!(of(b"\x1f\x8b\x08\0"), Kind::Packed(Packing::Gzip));
        assert_eq!(of(b"BZh91AY&SY"), Kind::Packed(Packing::Bzip2));
        assert_eq!(of(b"BZh9 is a sentence"), Kind::Other);
        assert_eq!(of(b"\xfd7zXZ\0"), Kind::Packed(Packing::Xz));
        assert_eq!(of(b"\x28\xb5\x2f\xfd"), Kind::Packed(Packing::Zstd));
        assert_eq!(of(b"\x1f\x9d\x90"), Kind::Packed(Packing::Compress));
        assert_eq!(of(b""), Kind::Empty);
    }

    #[test]
    fn par_is_told_with_either_case_and_byte_order_mark() {
        assert_eq!(
            of(b"\xef\xbb\xbf# === DATA DESCRIPTION FILE ===\r\n"),
            Kind::Par
        );
        assert_eq!(of(b"\r\n# === Data description file"), Kind::Par);
        assert_eq!(of(b"# === DATA"), Kind::Other);
    }

    #[test]
    fn extension_of_a_compression_is_taken_off_once() {
        assert_eq!(without_extension(b"a/b.dcm.GZ", Packing::Gzip), b"a/b.dcm");
        assert_eq!(without_extension(b"a/.gz", Packing::Gzip), b"a/.gz");
        assert_eq!(without_extension(b"a.gz", Packing::Xz), b"a.gz");
    }
}
