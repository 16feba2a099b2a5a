//! Where reading a data set can stop, and which groups have private fields. All of it follows from the field table, mostly
//! when the core is compiled, so that a new field needs only a line of the table.
#![allow(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which refuses a wrong index"
)]

use super::field::{Field, SPECS};

/// Index of the first private element in the table of fields ([`SPECS`]).
pub(super) const FIRST_PRIVATE: usize = first_private();

const fn first_private() -> usize {
    let mut at = 0;
    while at < Field::COUNT && SPECS[at].private_creator.is_none() {
        at += 1;
    }
    at
}

/// The public tags of the table, followed by values beyond all tags.
pub(super) static PUBLIC_TAGS: [u32; Field::COUNT + 1] = public_tags();

const fn public_tags() -> [u32; Field::COUNT + 1] {
    let mut tags = [u32::MAX; Field::COUNT + 1];
    let mut at = 0;
    while at < FIRST_PRIVATE {
        tags[at] = SPECS[at].tag;
        at += 1;
    }
    tags
}

/// The highest public tag of the table.
pub(super) const LAST_PUBLIC: u32 = SPECS[FIRST_PRIVATE - 1].tag;

/// The groups of the table's private elements: each as the tag of its element 0.
pub(super) const PRIVATE_GROUPS: [u32; count_groups()] = groups();

/// Returns whether the line at an index is the table's first line of its private group.
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

/// Returns the last tag of the last private group that is read in objects of a manufacturer, but at least
/// [`LAST_PUBLIC`]. With an empty name, the groups of all manufacturers count.
pub(super) fn last_private(manufacturer: &[u8]) -> u32 {
    let mut last = LAST_PUBLIC;
    for spec in SPECS.iter().skip(FIRST_PRIVATE) {
        let end = spec.tag | 0xFFFF;
        if end > last && (manufacturer.is_empty() || is_of(manufacturer, spec.vendor)) {
            last = end;
        }
    }
    last
}

/// Returns whether a manufacturer's name starts with that of a vendor.
fn is_of(manufacturer: &[u8], vendor: &str) -> bool {
    manufacturer
        .get(..vendor.len())
        .is_some_and(|name| name.eq_ignore_ascii_case(vendor.as_bytes()))
}
