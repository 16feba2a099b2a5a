//! Notes on the bytes of an archive or compressed file that are skipped because they belong to no member or content.

use super::kind::{self, FileKind, HEAD_LENGTH};
use super::source::Source;

/// What was skipped, as texts, and whether images may be in it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct SkippedBytes {
    /// One text for each group of bytes.
    pub notes: Vec<String>,
    /// Whether a group of these bytes begins like images ([`begins_like_images`]).
    pub may_contain_images: bool,
}

impl SkippedBytes {
    /// Returns whether nothing was skipped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.notes.is_empty()
    }

    /// Adds the note "`count` `what`", unless `count` is 0. `begins_like_images` says whether the
    /// counted bytes begin like images ([`begins_like_images`]).
    pub fn add(&mut self, count: u64, what: &str, begins_like_images: bool) {
        if count > 0 {
            self.notes.push(format!("{count} {what}"));
            self.may_contain_images |= begins_like_images;
        }
    }

    /// Adds what `other` contains.
    pub fn extend(&mut self, other: Self) {
        self.notes.extend(other.notes);
        self.may_contain_images |= other.may_contain_images;
    }
}

/// Returns whether bytes begin like an archive with members (also of a kind that is not opened), a compressed stream,
/// or a DICOM file with a preamble. `head` is their first [`HEAD_LENGTH`] bytes (fewer if there are fewer).
#[must_use]
pub fn begins_like_images(head: &[u8]) -> bool {
    // After a compressed stream, zeros are skipped as padding. If a DICOM file with a preamble of zeros follows, its
    // remaining bytes begin with DICM.
    head.starts_with(b"DICM")
        || match kind::of(head) {
            FileKind::Zip => !head.starts_with(b"PK\x05\x06"), // the end record alone has no member
            FileKind::Dicom
            | FileKind::SevenZ
            | FileKind::Tar
            | FileKind::Packed(_)
            | FileKind::Foreign(_) => true,
            FileKind::Par | FileKind::Empty | FileKind::Other => false,
        }
}

/// Returns whether the bytes from `at` to `end` of a source begin like images ([`begins_like_images`]); false if they
/// cannot be read.
#[must_use]
pub fn range_begins_like_images(source: &dyn Source, at: u64, end: u64) -> bool {
    let length = end.min(source.len()).saturating_sub(at);
    let length = usize::try_from(length).map_or(HEAD_LENGTH, |length| length.min(HEAD_LENGTH));
    let mut head = vec![0; length];
    source.read_exact_at(&mut head, at).is_ok() && begins_like_images(&head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_record_and_padding_are_no_images() {
        assert!(begins_like_images(b"PK\x03\x04\x14\0"));
        assert!(begins_like_images(b"DICM\x02\0"));
        assert!(begins_like_images(b"\x1f\x8b\x08\0"));
        assert!(!begins_like_images(b"PK\x05\x06\0\0"));
        assert!(!begins_like_images(&[0; 600]));
        assert!(!begins_like_images(b""));
    }
}
