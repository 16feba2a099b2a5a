//! The kind of a file, from its first bytes; for a few kinds from bytes at its end or at another offset, or from its name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::foreign::{
    DMG_TRAILER_LENGTH, ForeignArchive, VOLUME_DESCRIPTOR_HEAD_LENGTH, VOLUME_DESCRIPTOR_OFFSET,
    is_part,
};
use super::source::Fields;
use super::tar::header::is_header;

/// Number of bytes at the start of a file that are enough to recognise most kinds.
pub const HEAD_LENGTH: usize = 4096;
/// The first bytes of a 7z archive.
const SEVENZ_MARK: [u8; 6] = *b"7z\xbc\xaf\x27\x1c";
/// Length of a zip end record without a comment.
pub const ZIP_END_LENGTH: usize = 22;
/// Number of bytes at the end of a file that are enough to recognise the kinds with a mark there.
pub const END_LENGTH: usize = DMG_TRAILER_LENGTH;

/// The kinds that are distinguished. The header parser recognises DICOM without preamble; a Philips REC is recognised
/// by name ([`is_rec`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `DICM` after a preamble (PS3.10, 7.1).
    Dicom,
    /// A Philips PAR file.
    Par,
    /// Zip (PKWARE).
    Zip,
    /// 7z.
    SevenZ,
    /// Any tar: v7, ustar, pax, GNU.
    Tar,
    /// An archive kind that is not opened.
    Foreign(ForeignArchive),
    /// A compressed file with one stream or several.
    Packed(Compression),
    /// An empty file.
    Empty,
    /// Any other file.
    Other,
}

/// Compressions of a file as a whole, in one stream or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// `.lzma`, the format before xz.
    Lzma,
    /// lzip.
    Lzip,
    /// Zstandard.
    Zstd,
    /// LZ4 in frames.
    Lz4,
    /// LZW of Unix `compress`, `.Z`.
    Compress,
}

impl Compression {
    /// All compressions.
    pub const ALL: [Self; 8] = [
        Self::Gzip,
        Self::Bzip2,
        Self::Xz,
        Self::Lzma,
        Self::Lzip,
        Self::Zstd,
        Self::Lz4,
        Self::Compress,
    ];

    /// Returns the name that `ingest::sniff` reports and that messages contain.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Lzma => "lzma",
            Self::Lzip => "lzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Compress => "compress",
        }
    }

    /// Returns its file extensions in lower case.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Gzip => &["gz"],
            Self::Bzip2 => &["bz2", "bzip2"],
            Self::Xz => &["xz"],
            Self::Lzma => &["lzma"],
            Self::Lzip => &["lz"],
            Self::Zstd => &["zst", "zstd"],
            Self::Lz4 => &["lz4"],
            Self::Compress => &["z"],
        }
    }
}

/// Returns the kind from the first [`HEAD_LENGTH`] bytes (fewer if the file is shorter).
#[must_use]
pub fn of(head: &[u8]) -> FileKind {
    if head.is_empty() {
        return FileKind::Empty;
    }
    // DICM is checked first: a preamble may contain the mark of another format so that one file serves two purposes
    // (PS3.10, 7.1).
    if head.get(128..132) == Some(b"DICM") {
        return FileKind::Dicom;
    }
    if let Some(compression) = compression(head) {
        return FileKind::Packed(compression);
    }
    if head.starts_with(b"PK\x03\x04")
        || head.starts_with(b"PK\x05\x06")
        || head.starts_with(b"PK00PK")
    {
        return FileKind::Zip;
    }
    if head.starts_with(&SEVENZ_MARK) {
        return FileKind::SevenZ;
    }
    if head.get(..512).is_some_and(is_header) {
        return FileKind::Tar;
    }
    if is_par(head) {
        return FileKind::Par;
    }
    ForeignArchive::of(head).map_or(FileKind::Other, FileKind::Foreign)
}

/// Returns the kind of a file whose bytes are all in memory.
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> FileKind {
    of_parts(bytes, bytes)
}

/// Returns the kind of a file from its first bytes, at least up to the first volume descriptor of a disc, and its last
/// [`END_LENGTH`] bytes. `end` is empty if the end is not known.
#[must_use]
pub fn of_parts(start: &[u8], end: &[u8]) -> FileKind {
    let kind = of(start.get(..HEAD_LENGTH).unwrap_or(start));
    let range = |bytes: &[u8], at: Option<usize>, buffer: &mut [u8]| {
        let bytes = bytes.get(at?..)?.get(..buffer.len())?;
        buffer.copy_from_slice(bytes);
        Some(())
    };
    with_other_offsets(kind, |region, buffer| {
        let copied = match region {
            Region::End => range(end, end.len().checked_sub(buffer.len()), buffer),
            Region::VolumeDescriptor => range(
                start,
                usize::try_from(VOLUME_DESCRIPTOR_OFFSET).ok(),
                buffer,
            ),
        };
        copied.is_some()
    })
}

/// Returns the kind of a file, from its bytes.
pub fn of_file(file: &File) -> io::Result<FileKind> {
    let mut head = vec![0; HEAD_LENGTH];
    let mut got = 0;
    loop {
        let more = file.read_at(head.get_mut(got..).unwrap_or_default(), got as u64)?;
        got += more;
        if more == 0 {
            break;
        }
    }
    head.truncate(got);
    let len = file.metadata()?.len();
    Ok(with_other_offsets(of(&head), |region, buffer| {
        let size = buffer.len() as u64;
        let at = match region {
            Region::End => len.checked_sub(size),
            Region::VolumeDescriptor => {
                (len >= VOLUME_DESCRIPTOR_OFFSET + size).then_some(VOLUME_DESCRIPTOR_OFFSET)
            }
        };
        at.is_some_and(|at| file.read_exact_at(buffer, at).is_ok())
    }))
}

/// The places of marks that are not at the start of a file: its end, and [`VOLUME_DESCRIPTOR_OFFSET`].
#[derive(Clone, Copy)]
enum Region {
    End,
    VolumeDescriptor,
}

/// Returns `kind`, or the kind that a mark at another offset shows: such a mark counts if `kind` is [`FileKind::Other`]
/// or a part of a split archive. The end record, for example, identifies a zip that follows a self-extracting program.
/// `read` fills its buffer from a region; it returns false if the file has no such region, or cannot be read.
fn with_other_offsets(kind: FileKind, mut read: impl FnMut(Region, &mut [u8]) -> bool) -> FileKind {
    if !matches!(
        kind,
        FileKind::Other | FileKind::Foreign(ForeignArchive::Split)
    ) {
        return kind;
    }
    let mut tail = [0; ZIP_END_LENGTH];
    if read(Region::End, &mut tail) && tail.starts_with(b"PK\x05\x06") {
        return FileKind::Zip;
    }
    let (mut descriptor, mut trailer) =
        ([0; VOLUME_DESCRIPTOR_HEAD_LENGTH], [0; DMG_TRAILER_LENGTH]);
    let iso_image = read(Region::VolumeDescriptor, &mut descriptor)
        .then(|| ForeignArchive::of_volume_descriptor(&descriptor));
    let macos_image = read(Region::End, &mut trailer).then(|| ForeignArchive::of_trailer(&trailer));
    let foreign = iso_image.flatten().or(macos_image.flatten());
    foreign.map_or(kind, FileKind::Foreign)
}

/// Returns `kind`, the kind by content; for a later part of a split archive, which has no mark, the kind by name.
#[must_use]
pub fn by_content_and_name(kind: FileKind, name: &[u8]) -> FileKind {
    if kind == FileKind::Other && is_part(name) {
        return FileKind::Foreign(ForeignArchive::Split);
    }
    kind
}

/// Returns the compression of a file from its first bytes; None if it has none.
fn compression(head: &[u8]) -> Option<Compression> {
    match head {
        [0x1f, 0x8b, 8, ..] => Some(Compression::Gzip),
        [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..]
            // A block, or the end mark of an empty stream, follows.
            if rest.starts_with(&[0x31, 0x41, 0x59, 0x26]) || rest.starts_with(&[0x17, 0x72, 0x45, 0x38]) =>
        {
            Some(Compression::Bzip2)
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Compression::Xz),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Compression::Zstd),
        [first, 0x2a, 0x4d, 0x18, ..] if first & 0xf0 == 0x50 && leads_to_zstd(head) => {
            Some(Compression::Zstd)
        }
        [4, 0x22, 0x4d, 0x18, ..] => Some(Compression::Lz4),
        [b'L', b'Z', b'I', b'P', 0 | 1, ..] => Some(Compression::Lzip),
        [0x5d, ..] if is_lzma(head) => Some(Compression::Lzma),
        [0x1f, 0x9d, flags, ..] if (9..=16).contains(&(flags & 0x1f)) => Some(Compression::Compress),
        _ => None,
    }
}

/// Returns whether a Zstandard frame follows the skippable frames (RFC 8878, 3.1.2) at the start; LZ4 has skippable
/// frames too. Returns true if the skippable frames are longer than `head`, so that the next frame is unknown.
fn leads_to_zstd(head: &[u8]) -> bool {
    let mut rest = head;
    while let [first, 0x2a, 0x4d, 0x18, a, b, c, d, after @ ..] = rest {
        if first & 0xf0 != 0x50 {
            return false;
        }
        let size = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX);
        rest = after.get(size..).unwrap_or_default();
        let zeros = rest.iter().take_while(|&&byte| byte == 0).count();
        rest = rest.get(zeros..).unwrap_or_default();
    }
    rest.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || (rest.len() < 8 && head.len() >= HEAD_LENGTH)
}

/// Returns whether a `.lzma` file may start here: the format has no mark. The first byte, checked before, has its usual
/// value. The dictionary size and the length must be plausible, and the first byte of the data must be zero.
fn is_lzma(head: &[u8]) -> bool {
    let fields = Fields(head);
    let (Some(dictionary), Some(len), Some(0)) = (fields.u32(1), fields.u64(5), head.get(13))
    else {
        return false;
    };
    let usual =
        dictionary.is_power_of_two() || (dictionary % 3 == 0 && (dictionary / 3).is_power_of_two());
    usual && dictionary >= 4096 && (len == u64::MAX || len < 1 << 40)
}

/// Returns whether a PAR starts here: in each version (3 to 4.2) it begins with the same title line.
fn is_par(head: &[u8]) -> bool {
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    let title = b"# === data description file";
    text.get(..title.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(title))
}

/// Returns whether a name has the extension REC; such a file has no mark.
#[must_use]
pub fn is_rec(name: &[u8]) -> bool {
    name.len() > 4
        && name
            .get(name.len() - 4..)
            .is_some_and(|end| end.eq_ignore_ascii_case(b".rec"))
}

/// Returns a name without its compression extension: `a.dcm.gz` becomes `a.dcm`; other names are unchanged.
#[must_use]
pub fn without_extension(name: &[u8], compression: Compression) -> &[u8] {
    let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else {
        return name;
    };
    let (stem, extension) = name.split_at(dot);
    let extension = extension.get(1..).unwrap_or_default();
    let known = compression
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
    fn dicom_with_a_zip_signature_in_its_preamble_is_dicom() {
        let mut head = vec![0u8; 200];
        head[..4].copy_from_slice(b"PK\x03\x04");
        head[128..132].copy_from_slice(b"DICM");
        assert_eq!(of(&head), FileKind::Dicom);
    }

    #[test]
    fn compressions_are_recognised_by_their_marks() {
        assert_eq!(of(b"\x1f\x8b\x08\0"), FileKind::Packed(Compression::Gzip));
        assert_eq!(of(b"BZh91AY&SY"), FileKind::Packed(Compression::Bzip2));
        assert_eq!(of(b"BZh9 is a sentence"), FileKind::Other);
        assert_eq!(of(b"\xfd7zXZ\0"), FileKind::Packed(Compression::Xz));
        assert_eq!(of(b"\x28\xb5\x2f\xfd"), FileKind::Packed(Compression::Zstd));
        assert_eq!(of(b"\x1f\x9d\x90"), FileKind::Packed(Compression::Compress));
        assert_eq!(of(b"\x04\x22\x4d\x18"), FileKind::Packed(Compression::Lz4));
        assert_eq!(of(b"LZIP\x01\x0c"), FileKind::Packed(Compression::Lzip));
        let lzma = b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0";
        assert_eq!(of(lzma), FileKind::Packed(Compression::Lzma));
        assert_eq!(of(b"]\0\0\x80\0 is a sentence"), FileKind::Other);
        assert_eq!(of(b""), FileKind::Empty);
    }

    #[test]
    fn zstandard_is_recognised_after_skippable_frames() {
        let skippable = |size: u32| {
            let mut frame = b"\x5e\x2a\x4d\x18".to_vec();
            frame.extend(size.to_le_bytes());
            frame.resize(frame.len() + size as usize, 1);
            frame
        };
        let zstd = FileKind::Packed(Compression::Zstd);
        for (start, rest, kind) in [
            (skippable(4), &b"\x28\xb5\x2f\xfd"[..], zstd),
            (skippable(4), b"\0\0\x28\xb5\x2f\xfd", zstd),
            (
                [skippable(0), skippable(9)].concat(),
                b"\x28\xb5\x2f\xfd",
                zstd,
            ),
            (skippable(5000), b"\x28\xb5\x2f\xfd", zstd),
            (skippable(4), b"\x04\x22\x4d\x18", FileKind::Other),
            (skippable(4), b"text that follows", FileKind::Other),
            (skippable(4), b"", FileKind::Other),
        ] {
            assert_eq!(of_bytes(&[&start, rest].concat()), kind);
        }
    }

    #[test]
    fn par_is_recognised_in_either_case_and_with_byte_order_mark() {
        assert_eq!(
            of(b"\xef\xbb\xbf# === DATA DESCRIPTION FILE ===\r\n"),
            FileKind::Par
        );
        assert_eq!(of(b"\r\n# === Data description file"), FileKind::Par);
        assert_eq!(of(b"# === DATA"), FileKind::Other);
    }

    #[test]
    fn extension_of_a_compression_is_taken_off_once() {
        assert_eq!(
            without_extension(b"a/b.dcm.GZ", Compression::Gzip),
            b"a/b.dcm"
        );
        assert_eq!(without_extension(b"a/.gz", Compression::Gzip), b"a/.gz");
        assert_eq!(without_extension(b"a.gz", Compression::Xz), b"a.gz");
    }
}
