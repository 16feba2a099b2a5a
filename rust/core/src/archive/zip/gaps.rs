//! Bytes of a zip that none of its records and members covers, and members that the directory does not list.

use super::super::skipped::{SkippedBytes, range_begins_like_images};
use super::super::source::{Fields, Source};
use super::encryption::Encryption;
use super::end::EndRecord;
use super::entry::Entry;
use super::local;

/// Signatures of a local header and of a data descriptor.
const LOCAL_HEADER_SIGNATURE: &[u8] = b"PK\x03\x04";
const DESCRIPTOR_SIGNATURE: &[u8] = b"PK\x07\x08";
/// Lengths of a data descriptor (APPNOTE 4.3.9): for zip64 and others, both with and without its signature.
const DESCRIPTOR_LENGTHS: [usize; 4] = [24, 20, 16, 12];
const LONGEST_DESCRIPTOR: usize = 24;
/// Signatures at the start of an archive that was written for several disks (APPNOTE 8.5.3), or for several disks of
/// which it needed only one (8.5.4).
const SEVERAL_DISKS: [[u8; 4]; 2] = [*b"PK\x07\x08", *b"PK00"];
/// The first bytes of a digital signature after the directory (APPNOTE 4.3.13), and number of bytes before its data.
const DIGITAL_SIGNATURE: &[u8] = b"PK\x05\x05";
const DIGITAL_SIGNATURE_HEAD_LENGTH: usize = 6;

/// Bytes that neither a record nor a member covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Offset of its first byte.
    at: u64,
    length: u64,
    /// Offset of a member that the directory does not list, at the start of the gap or after a data descriptor there.
    member: Option<u64>,
    /// Whether the gap begins like images ([`range_begins_like_images`]).
    begins_like_images: bool,
}

impl Gap {
    /// Returns the gap from `from` to `to`; None if it is empty or cannot be read.
    fn new(source: &dyn Source, from: u64, to: u64) -> Option<Self> {
        let length = to.checked_sub(from).filter(|length| *length > 0)?;
        let mut bytes = [0; LONGEST_DESCRIPTOR + LOCAL_HEADER_SIGNATURE.len()];
        let room = usize::try_from(length).map_or(bytes.len(), |room| room.min(bytes.len()));
        let start = bytes.get_mut(..room)?;
        source.read_exact_at(start, from).ok()?;
        // The gap may start with a data descriptor of the previous member, if its sizes differ from those in the
        // directory.
        let begins = |skip: &usize| {
            let rest = start.get(*skip..);
            rest.is_some_and(|rest| rest.starts_with(LOCAL_HEADER_SIGNATURE))
        };
        let mut skips = DESCRIPTOR_LENGTHS.into_iter().chain([0]).rev();
        let member = skips.find(begins).map(|skip| from + skip as u64);
        Some(Self {
            at: from,
            length,
            member,
            begins_like_images: range_begins_like_images(source, from, to),
        })
    }
}

/// Returns the gap before the first member, and the gaps between the directory, a digital signature after it, and the end
/// records. `stop` is the position after the last record of the directory.
pub fn gaps_outside_members(
    source: &dyn Source,
    end: &EndRecord,
    stop: u64,
    entries: &[Entry],
) -> Vec<Gap> {
    let first = entries.iter().map(|entry| entry.offset).min();
    let first = first.unwrap_or(end.directory);
    let mut start = end.archive_start;
    let mut signature = [0; 4];
    if first.saturating_sub(start) >= 4
        && source.read_exact_at(&mut signature, start).is_ok()
        && SEVERAL_DISKS.contains(&signature)
    {
        start += 4;
    }
    let mut gaps: Vec<Gap> = Gap::new(source, start, first).into_iter().collect();
    let mut records = end.records.clone();
    records.sort_unstable();
    let mut at = after_digital_signature(source, stop);
    for (position, length) in records {
        gaps.extend(Gap::new(source, at, position));
        at = at.max(position.saturating_add(length));
    }
    gaps
}

/// Returns the position after the digital signature at `at`, or `at` if there is none.
fn after_digital_signature(source: &dyn Source, at: u64) -> u64 {
    let mut head = [0; DIGITAL_SIGNATURE_HEAD_LENGTH];
    if source.read_exact_at(&mut head, at).is_err() || !head.starts_with(DIGITAL_SIGNATURE) {
        return at;
    }
    let length = Fields(&head).u16(4).map_or(0, u64::from);
    at.saturating_add(DIGITAL_SIGNATURE_HEAD_LENGTH as u64 + length)
}

/// Returns the gap after a member whose local header was read; `data_offset` is the offset of its data.
pub fn gap_after_member(source: &dyn Source, entry: &Entry, data_offset: u64) -> Option<Gap> {
    let next = entry.offset.saturating_add(entry.extent);
    let end = data_offset.saturating_add(entry.packed_size);
    let length = next.checked_sub(end).filter(|length| *length > 0)?;
    let skip = descriptor_length(source, entry, end, length);
    Gap::new(source, end.saturating_add(skip as u64), next)
}

/// Returns the gap after a member whose local header was not read. Reads it only if the extent leaves room for a gap.
pub fn gap_after_unread_member(source: &dyn Source, entry: &Entry) -> Option<Gap> {
    if entry.extent <= entry.least_extent() {
        return None;
    }
    gap_after_member(source, entry, local::read(source, entry).ok()?.data_offset)
}

/// Returns the length of the member's data descriptor at offset `at`; 0 without one. It takes at most `room` bytes.
fn descriptor_length(source: &dyn Source, entry: &Entry, at: u64, room: u64) -> usize {
    let mut bytes = [0; LONGEST_DESCRIPTOR];
    let room = usize::try_from(room).map_or(bytes.len(), |room| room.min(bytes.len()));
    let Some(start) = bytes.get_mut(..room) else {
        return 0;
    };
    if source.read_exact_at(start, at).is_err() {
        return 0;
    }
    let start: &[u8] = start;
    let fits = |length: &usize| {
        start
            .get(..*length)
            .is_some_and(|bytes| describes(bytes, entry))
    };
    DESCRIPTOR_LENGTHS.into_iter().find(fits).unwrap_or(0)
}

/// Returns whether these bytes are a data descriptor of the member, by its sizes and its CRC (with AES, by its
/// sizes).
fn describes(bytes: &[u8], entry: &Entry) -> bool {
    let with_signature = matches!(bytes.len(), 16 | 24);
    let Some(values) = bytes.strip_prefix(if with_signature {
        DESCRIPTOR_SIGNATURE
    } else {
        &[]
    }) else {
        return false;
    };
    let fields = Fields(values);
    let word = |at| fields.u32(at).map(u64::from);
    // Sizes that do not fit into 32 bits may be cut by a writer without zip64.
    let (sizes, limit) = match values.len() {
        20 => ((fields.u64(4), fields.u64(12)), u64::MAX),
        _ => ((word(4), word(8)), u64::from(u32::MAX)),
    };
    let any_crc = matches!(entry.encryption, Some(Encryption::Aes(_)));
    (any_crc || fields.u32(0) == Some(entry.crc))
        && sizes == (Some(entry.packed_size & limit), Some(entry.size & limit))
}

/// Returns the notes on gaps: one on the first member that the directory does not list, one on a gap at byte 0, one on
/// all other gaps without such a member.
#[must_use]
pub fn skipped(mut gaps: Vec<Gap>) -> SkippedBytes {
    gaps.sort_unstable();
    let may_contain_images = gaps
        .iter()
        .any(|gap| gap.member.is_some() || gap.begins_like_images);
    let mut notes = Vec::new();
    if let Some(at) = gaps.iter().find_map(|gap| gap.member) {
        notes.push(format!(
            "a member that its directory does not list is at byte {at}"
        ));
    }
    gaps.retain(|gap| gap.member.is_none());
    if let Some(gap) = gaps.first().copied().filter(|gap| gap.at == 0) {
        notes.push(format!("{} bytes precede the archive", gap.length));
        gaps.remove(0);
    }
    let total = gaps
        .iter()
        .map(|gap| gap.length)
        .fold(0, u64::saturating_add);
    match gaps.as_slice() {
        [] => {}
        [gap] => notes.push(format!(
            "no member contains {} at byte {}",
            bytes(total),
            gap.at
        )),
        [first, ..] => notes.push(format!(
            "no member contains {} in {} places, the first at byte {}",
            bytes(total),
            gaps.len(),
            first.at
        )),
    }
    SkippedBytes {
        notes,
        may_contain_images,
    }
}

fn bytes(count: u64) -> String {
    if count == 1 {
        "1 byte".into()
    } else {
        format!("{count} bytes")
    }
}
