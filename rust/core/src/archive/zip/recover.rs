//! Finds the members of a zip without using its central directory, by their local headers.

use std::io::Read;

use super::super::source::{Fields, Range, Source};
use super::directory::Directory;
use super::encryption::Encryption;
use super::entry::{Entry, LOCAL_HEADER_LENGTH};
use super::extra::extra_field;
use super::names;

/// Limit on the size of a member in bytes, if only its data show the size.
const MAX_SIZE: u64 = 1 << 36;

/// Adds the members that can be found to `directory`, until it has `max_members` or their names are too long in total.
pub fn scan(source: &dyn Source, max_members: u64, directory: &mut Directory) {
    let Some(mut at) = first_local_header(source) else {
        return;
    };
    while let Some((entry, next)) = member(source, at) {
        let admitted = directory.admit(entry);
        if !admitted || directory.entries.len() as u64 >= max_members || next <= at {
            break;
        }
        at = next;
    }
}

/// Returns the position of the first local header in the first MiB; the program of a self-extractor may precede it.
fn first_local_header(source: &dyn Source) -> Option<u64> {
    let mut head = vec![0; usize::try_from(source.len().min(1 << 20)).ok()?];
    source.read_exact_at(&mut head, 0).ok()?;
    head.windows(4)
        .position(|window| window == b"PK\x03\x04")
        .map(|at| at as u64)
}

/// Returns the member whose local header is at `at`, and the position after it, where the next one may be; None if
/// there is no readable local header.
fn member(source: &dyn Source, at: u64) -> Option<(Entry, u64)> {
    let mut header = [0; LOCAL_HEADER_LENGTH];
    source.read_exact_at(&mut header, at).ok()?;
    if !header.starts_with(b"PK\x03\x04") {
        return None;
    }
    let fields = Fields(&header);
    let (name, extra) = (usize::from(fields.u16(26)?), usize::from(fields.u16(28)?));
    let mut bytes = vec![0; name + extra];
    source
        .read_exact_at(&mut bytes, at + LOCAL_HEADER_LENGTH as u64)
        .ok()?;
    let (raw, extra) = bytes.split_at_checked(name)?;
    let flags = fields.u16(6)?;
    let data = at + (LOCAL_HEADER_LENGTH + bytes.len()) as u64;
    let unicode = extra_field(extra, 0x7075);
    // A local header does not name the system of the writer: valid UTF-8 is read as UTF-8.
    let unix = true;
    let name = names::decode(raw, flags & 0x800 != 0, unix, unicode).into_boxed_slice();
    let mut entry = Entry {
        stored_name: (*name != *raw).then(|| raw.into()),
        name,
        method: fields.u16(8)?,
        flags,
        crc: fields.u32(14)?,
        offset: at,
        data_offset: Some(data),
        ..Entry::default()
    };
    entry.encryption = Encryption::of(flags, entry.method, entry.crc, fields.u16(10)?, extra);
    let mut zip64 = Fields(extra_field(extra, 1).unwrap_or_default()).zip64_values();
    entry.size = zip64.value_or_zip64(fields.u32(22)?)?;
    entry.packed_size = zip64.value_or_zip64(fields.u32(18)?)?;
    let mut next = data.checked_add(entry.packed_size)?;
    if flags & 8 != 0 && entry.packed_size == 0 {
        next = set_sizes_from_data(source, &mut entry, data);
    }
    if next > source.len() {
        entry.fault = Some("cut short".into());
    }
    Some((entry, next))
}

/// Sets sizes and CRC of a member that stores them in a descriptor after its data, and returns the position after it.
/// The end of the data is found only for an undamaged, unencrypted deflate stream. For other data, and if the source
/// ends before the CRC, the position is past the end of the source.
fn set_sizes_from_data(source: &dyn Source, entry: &mut Entry, data: u64) -> u64 {
    let past_end = source.len() + 1;
    if entry.method != 8 || entry.encryption.is_some() {
        return past_end;
    }
    let packed = std::io::BufReader::new(Range::new(source, data, source.len()));
    let mut inflate = flate2::bufread::DeflateDecoder::new(packed);
    // Only the size is needed here; the content is read again later.
    let Ok(size) = std::io::copy(&mut inflate.by_ref().take(MAX_SIZE), &mut std::io::sink()) else {
        return past_end;
    };
    (entry.size, entry.packed_size) = (size, inflate.total_in());
    let mut bytes = [0; 24];
    let at = data + entry.packed_size;
    let room = usize::try_from(source.len().saturating_sub(at).min(24)).unwrap_or(0);
    let descriptor = bytes.get_mut(..room).unwrap_or_default();
    if source.read_exact_at(descriptor, at).is_err() {
        return past_end;
    }
    // The signature before the descriptor is optional (APPNOTE 4.3.9.3); sizes have 4 or 8 bytes.
    let skip = if descriptor.starts_with(b"PK\x07\x08") {
        4
    } else {
        0
    };
    let fields = Fields(descriptor);
    let Some(crc) = fields.u32(skip) else {
        return past_end;
    };
    entry.crc = crc;
    let has_32_bit_sizes = fields.u32(skip + 4).map(u64::from)
        == Some(entry.packed_size & 0xffff_ffff)
        && fields.u32(skip + 8).map(u64::from) == Some(size & 0xffff_ffff);
    at + skip as u64 + if has_32_bit_sizes { 12 } else { 20 }
}
