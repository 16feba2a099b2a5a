//! The next line of the field table, and the private blocks found so far.

use super::bounds::{FIRST_PRIVATE, PRIVATE_GROUPS, PUBLIC_TAGS};
use super::field::SPECS;

/// The next elements to read.
#[derive(Debug, Default)]
pub(super) struct WantedElements {
    /// Index of the first line of the table whose tag is not below the current tag.
    next: usize,
    /// The previous tag.
    pub previous_tag: u32,
    /// Private elements of the creators found so far: tag and line of the table.
    private: Vec<(u32, usize)>,
}

impl WantedElements {
    /// Returns the next public tag to read; `u32::MAX` after the last one.
    #[inline]
    pub(super) fn next_tag(&self) -> u32 {
        PUBLIC_TAGS.get(self.next).copied().unwrap_or(u32::MAX)
    }

    /// Skips the lines below a tag, and returns the index of the tag's line if the table has one.
    #[inline]
    pub(super) fn advance(&mut self, tag: u32) -> Option<usize> {
        while self.next_tag() < tag {
            self.next = self.next.saturating_add(1);
        }
        (self.next_tag() == tag).then_some(self.next)
    }

    /// Returns whether a private element is read: a creator in a group of the table, or an element of the table whose
    /// creator was recorded.
    #[inline]
    pub(super) fn wants_private(&self, tag: u32) -> bool {
        if tag & 0xFF00 == 0 {
            return PRIVATE_GROUPS.contains(&(tag & 0xFFFF_0000));
        }
        self.private.iter().any(|(wanted, _)| *wanted == tag)
    }

    /// Records the tag of an element. Tags ascend (PS3.5 section 7.1); after one that does not, the table is searched
    /// from its beginning.
    pub(super) fn note_tag(&mut self, tag: u32) {
        if tag <= self.previous_tag {
            self.next = 0;
        }
        self.previous_tag = tag;
    }

    /// Records the private creator in an element: from then on, the table's elements in its block are read (PS3.5
    /// section 7.8).
    pub(super) fn note_creator(&mut self, tag: u32, creator: &[u8]) {
        for (index, spec) in SPECS.iter().enumerate().skip(FIRST_PRIVATE) {
            let is_creator = spec.private_creator.is_some_and(|private_creator| {
                private_creator.as_bytes().eq_ignore_ascii_case(creator)
            });
            if is_creator && spec.tag & 0xFFFF_0000 == tag & 0xFFFF_0000 {
                self.private.push((spec.tag | (tag & 0xFFFF) << 8, index));
            }
        }
    }

    /// Returns the index of the table's line of a private element; None unless its creator was recorded.
    pub(super) fn private_line(&self, tag: u32) -> Option<usize> {
        let line = self.private.iter().find(|(wanted, _)| *wanted == tag);
        line.map(|(_, index)| *index)
    }
}
