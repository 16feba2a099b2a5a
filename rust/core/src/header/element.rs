//! One data element: tag, VR, length (PS3.5 section 7.1), in each encoding.

use super::vr::{is_long, is_short};

/// How data elements are written: with or without a VR, and in which byte order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Encoding {
    /// Whether elements state their VR.
    pub explicit: bool,
    /// Whether numbers are big-endian.
    pub big_endian: bool,
}

/// Implicit VR little-endian, the default (PS3.5 section 10.1).
pub(crate) const IMPLICIT: Encoding = Encoding {
    explicit: false,
    big_endian: false,
};
/// Explicit VR little-endian.
pub(crate) const EXPLICIT: Encoding = Encoding {
    explicit: true,
    big_endian: false,
};

// Tags of items and delimiters (PS3.5 section 7.5).
pub(crate) const ITEM: u32 = 0xFFFE_E000;
pub(crate) const ITEM_END: u32 = 0xFFFE_E00D;
pub(crate) const SEQUENCE_END: u32 = 0xFFFE_E0DD;
/// The undefined length: a delimiter ends the element.
const UNDEFINED: u32 = u32::MAX;

/// Longest header of an element, in bytes.
pub(crate) const ELEMENT_HEADER_LENGTH: usize = 12;

/// The header of a data element: tag, VR, length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element {
    pub tag: u32,
    /// The VR in the file; None if the file has none.
    pub vr: Option<[u8; 2]>,
    /// None for an undefined length.
    pub length: Option<u32>,
    /// Offset of the value.
    pub value_offset: u64,
}

impl Element {
    pub(crate) fn group(&self) -> u32 {
        self.tag >> 16
    }

    /// Returns whether this is, or may be, a sequence.
    pub(crate) fn may_be_sequence(&self) -> bool {
        matches!(self.vr.as_ref(), None | Some(b"SQ" | b"UN"))
    }

    /// Returns the tag in the notation of the standard, such as `(0008,0005)`.
    pub(crate) fn tag_text(&self) -> String {
        format!("({:04X},{:04X})", self.tag >> 16, self.tag & 0xFFFF)
    }
}

impl Encoding {
    fn word(self, bytes: [u8; 2]) -> u16 {
        if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    fn double_word(self, bytes: [u8; 4]) -> u32 {
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    /// Parses the header of the element at offset `at` from its first bytes; returns None if there are too few bytes.
    #[inline]
    pub(crate) fn element(self, bytes: &[u8], at: u64) -> Option<Element> {
        let [g0, g1, e0, e1, v0, v1, l0, l1] = *bytes.first_chunk::<8>()?;
        let tag = (u32::from(self.word([g0, g1])) << 16) | u32::from(self.word([e0, e1]));
        let vr = [v0, v1];
        let value_offset = at.saturating_add(8);
        let explicit = self.explicit && tag >> 16 != 0xFFFE;
        if explicit && is_short(vr) {
            let length = Some(u32::from(self.word([l0, l1])));
            return Some(Element {
                tag,
                vr: Some(vr),
                length,
                value_offset,
            });
        }
        // A VR that is not in the standard yet has the long form (PS3.5 section 7.1.2); if its reserved bytes are in
        // use, the writer used the short form by mistake. Other characters are not a VR: some writers switch to
        // implicit VR within an explicit file.
        let letters = v0.is_ascii_uppercase() && v1.is_ascii_uppercase();
        if explicit && (is_long(vr) || letters) {
            if !is_long(vr) && [l0, l1] != [0, 0] {
                let length = Some(u32::from(self.word([l0, l1])));
                return Some(Element {
                    tag,
                    vr: Some(vr),
                    length,
                    value_offset,
                });
            }
            let length = self.double_word(*bytes.get(8..)?.first_chunk::<4>()?);
            let length = (length != UNDEFINED).then_some(length);
            return Some(Element {
                tag,
                vr: Some(vr),
                length,
                value_offset: at.saturating_add(12),
            });
        }
        let length = self.double_word([v0, v1, l0, l1]);
        Some(Element {
            tag,
            vr: None,
            length: (length != UNDEFINED).then_some(length),
            value_offset,
        })
    }

    /// Returns the encoding of a data set that starts with these bytes; None if no element can start like this, or if
    /// there are fewer than 8 bytes.
    ///
    /// `claimed`, the encoding that the transfer syntax states, decides only if the bytes are ambiguous: files with a
    /// wrong transfer syntax are common, and the first group (usually 0008) shows the byte order.
    pub(crate) fn guess(bytes: &[u8], claimed: Self) -> Option<Self> {
        let [g0, g1, _, _, v0, v1, ..] = *bytes.first_chunk::<8>()?;
        let low = |group: u16| group <= 0x00FF;
        let other = Self {
            big_endian: !claimed.big_endian,
            ..claimed
        };
        let byte_order = match (low(claimed.word([g0, g1])), low(other.word([g0, g1]))) {
            (true, _) => claimed,
            (false, true) => other,
            // For a private or high first group, only a known VR, or a transfer syntax without VRs, makes this an
            // element.
            (false, false) if !claimed.explicit || is_short([v0, v1]) || is_long([v0, v1]) => {
                claimed
            }
            (false, false) => return None,
        };
        Some(Self {
            explicit: is_short([v0, v1]) || is_long([v0, v1]),
            ..byte_order
        })
    }

    /// Returns the encoding in an item whose first element has these bytes.
    ///
    /// A sequence in an element of VR UN is implicit VR (PS3.5 section 6.2.2, note 2), but some writers ignore
    /// this, and some write implicit items in explicit files. `remaining` is the number of bytes from the item's first
    /// element to the end of the object.
    pub(crate) fn of_item(self, bytes: &[u8], remaining: u64) -> Self {
        let Some([g0, g1, _, _, v0, v1, l0, l1]) = bytes.first_chunk::<8>().copied() else {
            return self;
        };
        if self.word([g0, g1]) == 0xFFFE {
            return self;
        }
        let has_vr = is_short([v0, v1]) || is_long([v0, v1]);
        if self.explicit {
            return Self {
                explicit: has_vr,
                ..self
            };
        }
        let implicit_length = self.double_word([v0, v1, l0, l1]);
        let too_long = implicit_length != UNDEFINED && u64::from(implicit_length) > remaining;
        Self {
            explicit: has_vr && too_long,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BIG: Encoding = Encoding {
        explicit: true,
        big_endian: true,
    };

    #[test]
    fn each_encoding_reads_its_own_head() {
        let short = EXPLICIT.element(b"\x08\0\x60\0CS\x02\0MR", 100).unwrap();
        assert_eq!(
            (short.tag, short.length, short.value_offset),
            (0x0008_0060, Some(2), 108)
        );
        let long = EXPLICIT
            .element(b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff", 0)
            .unwrap();
        assert_eq!(
            (long.tag, long.length, long.value_offset),
            (0x0008_1140, None, 12)
        );
        let implicit = IMPLICIT.element(b"\x08\0\x60\0\x02\0\0\0MR", 0).unwrap();
        assert_eq!(
            (implicit.vr, implicit.length, implicit.value_offset),
            (None, Some(2), 8)
        );
        let big = BIG.element(b"\0\x08\0\x60CS\0\x02MR", 0).unwrap();
        assert_eq!((big.tag, big.length), (0x0008_0060, Some(2)));
    }

    #[test]
    fn an_item_has_no_vr_in_any_encoding() {
        let item = EXPLICIT.element(b"\xfe\xff\0\xe0\x10\0\0\0", 0).unwrap();
        assert_eq!((item.tag, item.vr, item.length), (ITEM, None, Some(16)));
    }

    #[test]
    fn too_few_bytes_are_no_element() {
        assert_eq!(EXPLICIT.element(b"\x08\0\x60\0CS\x02", 0), None);
        assert_eq!(EXPLICIT.element(b"\x08\0\x40\x11SQ\0\0\xff\xff", 0), None);
    }

    #[test]
    fn the_bytes_win_over_a_wrong_claim() {
        assert_eq!(
            Encoding::guess(b"\x08\0\x05\0CS\x0a\0", IMPLICIT),
            Some(EXPLICIT)
        );
        assert_eq!(
            Encoding::guess(b"\x08\0\x05\0\x0a\0\0\0", EXPLICIT),
            Some(IMPLICIT)
        );
        assert_eq!(
            Encoding::guess(b"\0\x08\0\x05CS\0\x0a", EXPLICIT),
            Some(BIG)
        );
        assert_eq!(Encoding::guess(b"garbage!", EXPLICIT), None);
    }
}
