//! Members that are missing from the central directory: they were removed from it, or inserted between others.

use super::super::source::{Fields, Source};
use super::end::End;
use super::entry::Entry;
use super::local::HEADER_LENGTH;

/// Lengths of a data descriptor (APPNOTE 4.3.9): no descriptor; 32-bit sizes without and with signature; 64-bit sizes
/// without and with signature.
const DESCRIPTORS: [usize; 5] = [0, 12, 16, 20, 24];
const MARK: &[u8] = b"PK\x03\x04";

/// Returns the position of the first member that the directory does not list.
pub fn find(source: &dyn Source, end: &End, entries: &[Entry]) -> Option<u64> {
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by_key(|entry| entry.offset);
    let mut before: Option<&Entry> = None;
    for entry in order {
        if let Some(position) = between(source, end.archive_start, before, entry.offset) {
            return Some(position);
        }
        before = Some(entry);
    }
    between(source, end.archive_start, before, end.directory)
}

/// Returns the position of an unlisted member after the data of `before` (for None, at `start`) and before `to`.
fn between(source: &dyn Source, start: u64, before: Option<&Entry>, to: u64) -> Option<u64> {
    let Some(entry) = before else {
        return member_in(source, start, to);
    };
    let least = entry.offset.saturating_add(entry.least_extent());
    if least.saturating_add(HEADER_LENGTH as u64) > to {
        return None;
    }
    member_in(source, data_end(source, entry)?, to)
}

/// Returns the position of a local header at `from`, or after a data descriptor at `from`, if there is room before
/// `to`.
fn member_in(source: &dyn Source, from: u64, to: u64) -> Option<u64> {
    if from.saturating_add(HEADER_LENGTH as u64) > to {
        return None;
    }
    let mut bytes = [0; 28];
    source.read_exact_at(&mut bytes, from).ok()?;
    let starts = |skip: &&usize| {
        bytes
            .get(**skip..)
            .is_some_and(|rest| rest.starts_with(MARK))
    };
    let skip = DESCRIPTORS.iter().find(starts)?;
    Some(from.saturating_add(*skip as u64))
}

/// Returns the end of a member's data, from its local header.
fn data_end(source: &dyn Source, entry: &Entry) -> Option<u64> {
    let mut bytes = [0; HEADER_LENGTH];
    source.read_exact_at(&mut bytes, entry.offset).ok()?;
    let fields = Fields(&bytes);
    let name = u64::from(fields.u16(26)?);
    let extra = u64::from(fields.u16(28)?);
    let header = (HEADER_LENGTH as u64)
        .saturating_add(name)
        .saturating_add(extra);
    Some(
        entry
            .offset
            .saturating_add(header)
            .saturating_add(entry.packed),
    )
}
