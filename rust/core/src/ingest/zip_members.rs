//! The members of a zip, read in parallel.

use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::batch::{BATCH_SIZE, Members};
use super::member::{self, ProcessedMember};
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::process::process_member;
use super::row::{A_LINK, LONGEST_TARGET, RowKind, link_reason};
use super::spool::spool;
use super::stop::Stop;
use super::{encrypted, scratch};
use crate::archive::source::Source;
use crate::archive::zip::deflated::DeflateStream;
use crate::archive::zip::entry::{Entry, SpecialKind};
use crate::archive::zip::gaps::{self, Gap};
use crate::archive::zip::{list, local, unzip};
use crate::archive::{expands_too_much, expands_too_much_reason};
use crate::notation::escaped_len;

/// Reads all members. `zip_index` is the index of the archive in [`super::DeflateStreams::zips`]; None if the archive
/// is in staging and will be removed. `container` is the address of the zip as an archive.
pub fn read<'a>(
    pass: &'a Pass<'_>,
    source: &'a dyn Source,
    zip_index: Option<u32>,
    container: &'a Address,
) -> Result<Members<'a>, Stop> {
    let mut directory = list(source, pass.options.max_members);
    set_faults(pass, source.len(), container, &mut directory.entries)?;
    let gaps = Arc::new(Mutex::new(directory.gaps));
    let shared_gaps = Arc::clone(&gaps);
    let add_gap = move |gap: Option<Gap>| {
        let mut gaps = shared_gaps.lock().unwrap_or_else(PoisonError::into_inner);
        gaps.extend(gap);
    };
    let mut members = Members::in_batches(directory.entries, move |batch, entries: &[Entry]| {
        let entries = entries.par_iter().enumerate().with_max_len(16);
        entries
            .map(|(at, entry)| {
                let sequence = (batch * BATCH_SIZE + at) as u64 + 1;
                let address = container.member(&entry.name, sequence);
                read_member(pass, source, entry, zip_index, &address, &add_gap)
            })
            .collect()
    });
    members.damage = directory.damage;
    members.skipped = directory.skipped;
    members.skipped_at_end = Some(Box::new(move || {
        let gaps = std::mem::take(&mut *gaps.lock().unwrap_or_else(PoisonError::into_inner));
        gaps::skipped(gaps)
    }));
    if let Some(count) = directory.count_over_limit {
        members.damage.push(format!(
            "it has {count} members, more than {} (limit)",
            pass.options.max_members
        ));
    }
    Ok(members)
}

/// Counts the members, and sets the fault of each one that must not be read, in the order of the central directory. This
/// is done before threads read members, so the faults do not depend on the order of the threads. Fails if the members
/// exceed the free space of staging. `len` is the size of the zip in bytes.
fn set_faults(
    pass: &Pass<'_>,
    len: u64,
    container: &Address,
    entries: &mut [Entry],
) -> Result<(), Stop> {
    let mut total = 0u64;
    let mut largest = None;
    let prefix = escaped_len(&container.path);
    for entry in entries.iter_mut() {
        let target = match entry.special_kind() {
            Some(SpecialKind::Link) => entry.size.min(LONGEST_TARGET),
            _ => 0,
        };
        let within_limits = pass.count_member(prefix + escaped_len(&entry.name) + target);
        if entry.special_kind().is_some() {
            continue;
        }
        let fault = entry.fault.take();
        entry.fault = fault
            .or_else(|| encrypted::refusal(pass, entry))
            .or_else(|| unzip::refusal(entry, pass.options.max_ratio));
        if entry.fault.is_some() {
            continue;
        }
        total = total.saturating_add(entry.size);
        entry.fault = if expands_too_much(total, len, pass.options.max_ratio) {
            Some(expands_too_much_reason(pass.options.max_ratio))
        } else {
            within_limits
                .and_then(|()| pass.count_expanded(entry.size, &entry.name))
                .and_then(|()| container.add_to_expansion(entry.size))
                .err()
        };
        if entry.fault.is_none() && largest.is_none_or(|(size, _)| size < entry.size) {
            largest = Some((entry.size, &entry.name));
        }
    }
    match largest {
        Some((_, name)) => pass.check_free_space(total, name),
        None => Ok(()),
    }
}

/// Length of an empty deflate stream in bytes.
const EMPTY_DEFLATED: u64 = 2;

/// Reads one member. `zip_index` is that of [`read`]; `add_gap` records the bytes between this member and the next one.
fn read_member(
    pass: &Pass<'_>,
    source: &dyn Source,
    entry: &Entry,
    zip_index: Option<u32>,
    address: &Address,
    add_gap: &impl Fn(Option<Gap>),
) -> Result<ProcessedMember, Stop> {
    pass.check_cancelled()?;
    let refuse = |reason: String| {
        Ok(ProcessedMember::from(address.refused_row(
            RowKind::Other,
            entry.size,
            reason,
        )))
    };
    if let Some(special) = entry.special_kind() {
        add_gap(gaps::gap_after_unread_member(source, entry));
        return Ok(member_without_file(source, entry, special, address));
    }
    if let Some(reason) = &entry.fault {
        return refuse(reason.clone());
    }
    let local_header = match local::read(source, entry) {
        Ok(local_header) if local_header.is_encrypted && entry.encryption.is_none() => {
            return refuse("encrypted by its local header, not by the central directory".into());
        }
        Ok(local_header) => local_header,
        Err(reason) => return refuse(reason),
    };
    if entry.packed_size > source.len().saturating_sub(local_header.data_offset) {
        return refuse("cut short".into());
    }
    add_gap(gaps::gap_after_member(
        source,
        entry,
        local_header.data_offset,
    ));
    let mut member = if let Some(encryption) = entry.encryption {
        encrypted::read(
            pass,
            source,
            entry,
            encryption,
            local_header.data_offset,
            address,
        )?
    } else if entry.size.max(entry.packed_size) > pass.max_in_memory {
        read_large_member(pass, source, entry, local_header.data_offset, address)?
    } else {
        scratch::with(|scratch| {
            match unzip::into_memory(source, entry, local_header.data_offset, scratch) {
                Ok(unused) => {
                    let bytes = scratch.content.as_slice();
                    let data = MemberBytes::Bytes(bytes, None);
                    let member =
                        process_member(pass, address, data, entry.size, member::hash(bytes))?;
                    Ok(member.with_unused_bytes(unused))
                }
                Err(reason) => refuse(reason),
            }
        })?
    };
    if !member.row.is_decompressed && !member.row.has_extra_bytes {
        member.row.deflate_stream = zip_index
            .and_then(|zip_index| deflate_stream(entry, zip_index, local_header.data_offset));
    }
    Ok(with_note(member, &local_header.differing_fields))
}

/// Returns the position of a member's deflate stream; None if the member is encrypted, is not deflated, or has packed
/// bytes of 4 GiB or more. If the member is refused, its stream may be damaged.
fn deflate_stream(entry: &Entry, zip_index: u32, offset: u64) -> Option<DeflateStream> {
    let length = u32::try_from(entry.packed_size).ok()?;
    (entry.method == 8 && entry.encryption.is_none()).then_some(DeflateStream {
        zip: zip_index,
        length,
        offset,
        crc: entry.crc,
    })
}

/// Returns the member with a note in its reason on the fields in which its local header differs from the central
/// directory: two readers may see different members.
fn with_note(mut member: ProcessedMember, differing_fields: &[&str]) -> ProcessedMember {
    if !differing_fields.is_empty() {
        member.row.add_reason(format!(
            "its two headers in the zip disagree on {}",
            differing_fields.join(" and ")
        ));
    }
    member
}

/// Returns a member that is a folder, link or device. Only a link has content: its target. The packed bytes of a folder or
/// device are recorded as left out.
fn member_without_file(
    source: &dyn Source,
    entry: &Entry,
    special: SpecialKind,
    address: &Address,
) -> ProcessedMember {
    let (kind, text) = match special {
        SpecialKind::Directory => (RowKind::Directory, ""),
        SpecialKind::Device => (RowKind::Device, "a device"),
        SpecialKind::Link => {
            let (text, unused) = match short_content(source, entry) {
                Some((target, unused)) => (link_reason(&target), unused),
                None => (A_LINK.into(), 0),
            };
            let mut row = address.no_data_row(RowKind::Link, text);
            row.has_extra_bytes = unused > 0;
            return row.into();
        }
    };
    let unused = match entry.encryption {
        _ if entry.packed_size == 0 => 0,
        None => short_content(source, entry).map_or(entry.packed_size, |(_, unused)| unused),
        Some(encryption) => match entry.decrypted_entry(encryption) {
            Ok(decrypted) if decrypted.packed_size <= EMPTY_DEFLATED => 0,
            _ => entry.packed_size,
        },
    };
    ProcessedMember::from(address.no_data_row(kind, text)).with_unused_bytes(unused)
}

/// Returns the content of a short member, and how many of its packed bytes are not part of it; None if the member is
/// too long or cannot be read.
fn short_content(source: &dyn Source, entry: &Entry) -> Option<(Vec<u8>, u64)> {
    if entry.size.max(entry.packed_size) > LONGEST_TARGET {
        return None;
    }
    let local_header = local::read(source, entry).ok()?;
    scratch::with(|scratch| {
        let unused = unzip::into_memory(source, entry, local_header.data_offset, scratch).ok()?;
        Some((scratch.content.clone(), unused))
    })
}

/// Unpacks to disk an unencrypted member that is too large for memory.
fn read_large_member(
    pass: &Pass<'_>,
    source: &dyn Source,
    entry: &Entry,
    data_offset: u64,
    address: &Address,
) -> Result<ProcessedMember, Stop> {
    let refuse = |reason: String| {
        Ok(ProcessedMember::from(address.refused_row(
            RowKind::Other,
            entry.size,
            reason,
        )))
    };
    let content = match unzip::stream(source, entry, data_offset) {
        Ok(content) => content,
        Err(error) => return refuse(crate::archive::reason(&error)),
    };
    spool(pass, entry, content, address).or_else(|fault| refuse(fault.reason_or_stop()?))
}
