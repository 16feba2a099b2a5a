//! Archives that are recognised by content but not opened; later parts of a split archive are recognised by name.

/// A kind of archive that is not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignArchive {
    /// RAR, version 4 or 5.
    Rar,
    /// An image of a disc: ISO 9660, UDF.
    Iso,
    /// cpio: binary, odc, newc, crc.
    Cpio,
    /// Microsoft's cabinet.
    Cab,
    /// LHA, LZH.
    Lha,
    /// ARJ.
    Arj,
    /// An image of a disk as macOS writes it.
    Dmg,
    /// One part of a split archive.
    Split,
}

/// Offset of the first volume descriptor of a disc.
pub const VOLUME_DESCRIPTOR_OFFSET: u64 = 32768;
/// Length in bytes of the start of this descriptor: its type (one byte), and its standard identifier.
pub const VOLUME_DESCRIPTOR_HEAD_LENGTH: usize = 6;
/// Length of the block at the end of a macOS disk image.
pub const DMG_TRAILER_LENGTH: usize = 512;

/// The end of every [`ForeignArchive::reason`]; `ingest` recognises such a reason by this text.
pub const NOT_OPENED: &str = "which qxbatch does not open";

impl ForeignArchive {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Rar,
        Self::Iso,
        Self::Cpio,
        Self::Cab,
        Self::Lha,
        Self::Arj,
        Self::Dmg,
        Self::Split,
    ];

    /// Returns the name that `ingest::sniff` reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rar => "rar",
            Self::Iso => "iso",
            Self::Cpio => "cpio",
            Self::Cab => "cab",
            Self::Lha => "lha",
            Self::Arj => "arj",
            Self::Dmg => "dmg",
            Self::Split => "split",
        }
    }

    /// Returns the reason why a file of this kind is kept as it is, without opening it.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Rar => "a RAR archive, which qxbatch does not open",
            Self::Iso => "an image of a disc (ISO), which qxbatch does not open",
            Self::Cpio => "a cpio archive, which qxbatch does not open",
            Self::Cab => "a cabinet archive (CAB), which qxbatch does not open",
            Self::Lha => "an LHA archive, which qxbatch does not open",
            Self::Arj => "an ARJ archive, which qxbatch does not open",
            Self::Dmg => "a disk image of macOS (DMG), which qxbatch does not open",
            Self::Split => "one part of a split archive, which qxbatch does not open",
        }
    }

    /// Returns the kind by the first bytes of a file; None if they show none.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        Some(match head {
            [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Self::Rar,
            [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => Self::Cab,
            [b'0', b'7', b'0', b'7', b'0', b'1' | b'2' | b'7', ..] => Self::Cpio,
            _ if is_binary_cpio(head) => Self::Cpio,
            [_, _, b'-', b'l', b'h' | b'z', method, b'-', ..] if method.is_ascii_alphanumeric() => {
                Self::Lha
            }
            // After the mark: the length of the first header in bytes. Byte 10 is the type of this header, 2 for the
            // archive header.
            [0x60, 0xea, low, high @ 0..=10, _, _, _, _, _, _, 2, ..]
                if u16::from_le_bytes([*low, *high]) > 30 =>
            {
                Self::Arj
            }
            [b'P', b'K', 7, 8, b'P', b'K', 3, 4, ..] => Self::Split,
            _ => return None,
        })
    }

    /// Returns [`Self::Iso`] for the first [`VOLUME_DESCRIPTOR_HEAD_LENGTH`] bytes at [`VOLUME_DESCRIPTOR_OFFSET`] of a
    /// disc image; None for other bytes.
    #[must_use]
    pub fn of_volume_descriptor(head: &[u8]) -> Option<Self> {
        let identifier = head.get(1..VOLUME_DESCRIPTOR_HEAD_LENGTH)?;
        matches!(
            identifier,
            b"CD001" | b"BEA01" | b"NSR02" | b"NSR03" | b"CDW02"
        )
        .then_some(Self::Iso)
    }

    /// Returns [`Self::Dmg`] for the last [`DMG_TRAILER_LENGTH`] bytes of a macOS disk image; None for other bytes.
    #[must_use]
    pub fn of_trailer(trailer: &[u8]) -> Option<Self> {
        trailer
            .starts_with(b"koly\0\0\0\x04\0\0\x02\0")
            .then_some(Self::Dmg)
    }
}

/// Returns whether a binary cpio starts here. Its mark has only two bytes, so its first header must be valid too.
fn is_binary_cpio(head: &[u8]) -> bool {
    let swapped = match head {
        [0xc7, 0x71, ..] => false,
        [0x71, 0xc7, ..] => true,
        _ => return false,
    };
    let word = |at: usize| match (head.get(at), head.get(at + 1), swapped) {
        (Some(&a), Some(&b), false) => u16::from_le_bytes([a, b]),
        (Some(&a), Some(&b), true) => u16::from_be_bytes([a, b]),
        _ => 0,
    };
    // The header has 26 bytes: at 6 the mode, at 20 the length of the name, which follows and ends with a zero byte.
    let (mode, name_length) = (word(6), usize::from(word(20)));
    let is_known_type = matches!(mode >> 12, 1 | 2 | 4 | 6 | 8 | 10 | 12);
    is_known_type
        && name_length > 1
        && head.get(25 + name_length) == Some(&0)
        && head.get(26).is_some_and(|&c| c != 0)
}

/// Returns whether a name is that of a part of a split archive: `.z01`, `.zip.001`, `.7z.002`, `.tar.gz.003`.
#[must_use]
pub fn is_part(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    let Some(dot) = name.iter().rposition(|&byte| byte == b'.') else {
        return false;
    };
    let (stem, extension) = name.split_at(dot);
    let numbered = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    match extension {
        [b'.', b'z', digits @ ..] => digits.len() == 2 && numbered(digits),
        [b'.', digits @ ..] if digits.len() == 3 && numbered(digits) => {
            let ends: [&[u8]; 7] = [b".zip", b".7z", b".rar", b".tar", b".gz", b".tgz", b".xz"];
            ends.iter().any(|end| stem.ends_with(end))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_says_that_it_is_not_opened() {
        for foreign in ForeignArchive::ALL {
            assert!(foreign.reason().ends_with(NOT_OPENED), "{foreign:?}");
        }
    }

    #[test]
    fn archives_are_recognised_by_their_first_bytes() {
        assert_eq!(
            ForeignArchive::of(b"Rar!\x1a\x07\0"),
            Some(ForeignArchive::Rar)
        );
        assert_eq!(
            ForeignArchive::of(b"Rar!\x1a\x07\x01\0"),
            Some(ForeignArchive::Rar)
        );
        assert_eq!(
            ForeignArchive::of(b"MSCF\0\0\0\0"),
            Some(ForeignArchive::Cab)
        );
        assert_eq!(ForeignArchive::of(b"070701000"), Some(ForeignArchive::Cpio));
        assert_eq!(
            ForeignArchive::of(b"\x20\x00-lh5-"),
            Some(ForeignArchive::Lha)
        );
        assert_eq!(
            ForeignArchive::of(b"PK\x07\x08PK\x03\x04"),
            Some(ForeignArchive::Split)
        );
        assert_eq!(ForeignArchive::of(b"Rar!"), None);
    }

    #[test]
    fn arj_is_recognised_by_the_length_of_its_header() {
        for (length, foreign) in [
            (30u16, None),
            (31, Some(ForeignArchive::Arj)),
            (256, Some(ForeignArchive::Arj)),
            (286, Some(ForeignArchive::Arj)),
            (2600, Some(ForeignArchive::Arj)),
            (3000, None),
        ] {
            let [low, high] = length.to_le_bytes();
            let head = [0x60, 0xea, low, high, 30, 11, 1, 0, 0, 0, 2, 0];
            assert_eq!(ForeignArchive::of(&head), foreign, "{length}");
        }
    }

    #[test]
    fn the_short_mark_of_cpio_is_not_enough() {
        let mut head = [0u8; 40];
        for (to, from) in head.iter_mut().zip(b"\xc7\x71") {
            *to = *from;
        }
        assert_eq!(ForeignArchive::of(&head), None);
        for (at, byte) in [(7, 0x81), (20, 3), (26, b'a'), (27, b'b')] {
            if let Some(to) = head.get_mut(at) {
                *to = byte;
            }
        }
        assert_eq!(ForeignArchive::of(&head), Some(ForeignArchive::Cpio));
    }

    #[test]
    fn parts_of_split_archives_are_recognised_by_their_names() {
        for name in ["a.z01", "a.Z12", "a.zip.001", "a.7z.002", "a.tar.gz.003"] {
            assert!(is_part(name.as_bytes()), "{name}");
        }
        for name in ["a.z1", "a.zip", "a.001", "a.dcm.001", "1.2.840.001", "z01"] {
            assert!(!is_part(name.as_bytes()), "{name}");
        }
    }
}
