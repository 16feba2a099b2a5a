//! The local header before each member's data, and whether it agrees with the central directory.

use super::super::source::{Fields, Source};
use super::entry::{Entry, LOCAL_HEADER_LENGTH};
use super::extra::extra_field;

/// Position of a member's data, and oddities of its local header.
#[derive(Debug)]
pub struct LocalHeader {
    /// First byte of the packed data.
    pub data_offset: u64,
    /// Fields in which the local header differs from the central directory; empty if they agree, or for a member that
    /// `recover` found, which no directory lists.
    pub differing_fields: Vec<&'static str>,
    /// Whether the local header says that the member is encrypted; false for a member that `recover` found, whose
    /// [`Entry::encryption`] is from this header.
    pub is_encrypted: bool,
}

/// Reads the local header of an entry; an error is the reason as text.
pub fn read(source: &dyn Source, entry: &Entry) -> Result<LocalHeader, String> {
    if let Some(data) = entry.data_offset {
        return Ok(LocalHeader {
            data_offset: data,
            differing_fields: Vec::new(),
            is_encrypted: false,
        });
    }
    // One read for the header, the name and the usual extra fields.
    let length = source
        .len()
        .saturating_sub(entry.offset)
        .min((LOCAL_HEADER_LENGTH + entry.raw_name().len() + 64) as u64);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    source
        .read_exact_at(&mut bytes, entry.offset)
        .map_err(|error| super::super::reason(&error))?;
    let cut = || "cut short: its local header is past the end".to_owned();
    if bytes.len() < LOCAL_HEADER_LENGTH {
        return Err(cut());
    }
    if !bytes.starts_with(b"PK\x03\x04") {
        return Err("its local header is not where the central directory says".into());
    }
    let fields = Fields(&bytes);
    let name_length = usize::from(fields.u16(26).ok_or_else(cut)?);
    let extra_length = usize::from(fields.u16(28).ok_or_else(cut)?);
    let header_length = LOCAL_HEADER_LENGTH + name_length + extra_length;
    let data = entry.offset + header_length as u64;
    if bytes.len() < header_length {
        bytes.resize(header_length, 0);
        source
            .read_exact_at(&mut bytes, entry.offset)
            .map_err(|_| cut())?;
    }
    let differing_fields = compare(&bytes, name_length, entry).ok_or_else(cut)?;
    let encrypted = Fields(&bytes).u16(6).ok_or_else(cut)? & 1 != 0;
    Ok(LocalHeader {
        data_offset: data,
        differing_fields,
        is_encrypted: encrypted,
    })
}

/// Returns the fields in which a local header, the start of `bytes`, differs from its entry; None if it is cut short.
fn compare(bytes: &[u8], name_length: usize, entry: &Entry) -> Option<Vec<&'static str>> {
    let fields = Fields(bytes);
    let mut differs = Vec::new();
    if bytes.get(LOCAL_HEADER_LENGTH..LOCAL_HEADER_LENGTH + name_length)? != entry.raw_name() {
        differs.push("name");
    }
    if fields.u16(8)? != entry.method {
        differs.push("method");
    }
    // With bit 3, CRC and sizes are in a descriptor after the data, and the header usually contains zeros (APPNOTE
    // 4.4.4).
    let in_descriptor = fields.u16(6)? & 8 != 0;
    if fields.u32(14)? != entry.crc && !in_descriptor {
        differs.push("CRC");
    }
    let mut zip64 =
        Fields(extra_field(bytes.get(LOCAL_HEADER_LENGTH + name_length..)?, 1).unwrap_or_default())
            .zip64_values();
    let size = zip64.value_or_zip64(fields.u32(22)?);
    let packed = zip64.value_or_zip64(fields.u32(18)?);
    if !in_descriptor && (size != Some(entry.size) || packed != Some(entry.packed_size)) {
        differs.push("size");
    }
    Some(differs)
}
