//! What the table of fields means for the way through a data set: computed by the compiler, so that a line of the
//! table is all that a field needs.
#![allow(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses a wrong index"
)]

use super::field::{Field, SPECS};

/// The first line of the table that is a private element.
pub(super) const FIRST_PRIVATE: usize = first_private();

const fn first_private() -> usize {
    let mut at = 0;
    while at < Field::COUNT && SPECS[at].owner.is_none() {
        at += 1;
    }
    at
}

/// The public tags of the table, and one that is beyond all tags.
pub(super) static PUBLIC: [u32; Field::COUNT + 1] = public();

const fn public() -> [u32; Field::COUNT + 1] {
    let mut tags = [u32::MAX; Field::COUNT + 1];
    let mut at = 0;
    while at < FIRST_PRIVATE {
        tags[at] = SPECS[at].tag;
        at += 1;
    }
    tags
}

/// The last public tag: past it nothing is wanted but private elements and functional groups.
pub(super) const LAST_PLAIN: u32 = SPECS[FIRST_PRIVATE - 1].tag;

/// Groups with wanted private elements.
pub(super) const PRIVATE_GROUPS: [u32; count_groups()] = groups();

/// Whether a line is the first one of its private group.
const fn begins_group(at: usize) -> bool {
    let mut before = FIRST_PRIVATE;
    while before < at {
        if SPECS[before].tag >> 16 == SPECS[at].tag >> 16 {
            return false;
        }
        before += 1;
    }
    true
}

const fn count_groups() -> usize {
    let (mut count, mut at) = (0, FIRST_PRIVATE);
    while at < Field::COUNT {
        if begins_group(at) {
            count += 1;
        }
        at += 1;
    }
    count
}

const fn groups() -> [u32; count_groups()] {
    let mut groups = [0; count_groups()];
    let (mut count, mut at) = (0, FIRST_PRIVATE);
    while at < Field::COUNT {
        if begins_group(at) {
            groups[count] = SPECS[at].tag & 0xFFFF_0000;
            count += 1;
        }
        at += 1;
    }
    groups
}

/// The end of the last private group in the objects of a vendor, or [`LAST_PLAIN`]. Without a name: of any vendor.
pub(super) fn last_private(manufacturer: &[u8]) -> u32 {
    let mut last = LAST_PLAIN;
    for spec in SPECS.iter().skip(FIRST_PRIVATE) {
        let end = spec.tag | 0xFFFF;
        if end > last && (manufacturer.is_empty() || is_of(manufacturer, spec.vendor)) {
            last = end;
        }
    }
    last
}

/// Whether the name of a manufacturer begins with that of a vendor.
fn is_of(manufacturer: &[u8], vendor: &str) -> bool {
    manufacturer
        .get(..vendor.len())
        .is_some_and(|name| name.eq_ignore_ascii_case(vendor.as_bytes()))
}
