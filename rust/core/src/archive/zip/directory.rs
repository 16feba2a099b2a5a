//! The central directory: one record for each entry.

use super::super::skipped::SkippedBytes;
use super::super::source::{Fields, Source};
use super::super::{names_too_long, names_too_long_reason};
use super::encryption::Encryption;
use super::end::EndRecord;
use super::entry::Entry;
use super::extra::extra_field;
use super::gaps::Gap;
use super::names;

/// The entries of the directory, and problems of the whole archive.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// In the order of the central directory; members that `recover` found, in the order of their offsets.
    pub entries: Vec<Entry>,
    /// Damage of the archive itself, as texts: for example an unreadable record, a wrong number of members, or names
    /// above the limit.
    pub damage: Vec<String>,
    /// Notes on bytes before and after the archive.
    pub skipped: SkippedBytes,
    /// Gaps before the first member and after the last record of the directory. The gap after each member is known only
    /// when its local header is read ([`super::gaps::gap_after_member`]).
    pub gaps: Vec<Gap>,
    /// Number of entries that the archive states or lists, if it is more than the caller allows; `entries` is empty
    /// then. None for an archive without a usable central directory.
    pub count_over_limit: Option<u64>,
    /// Bytes of all names so far.
    name_bytes: u64,
}

impl Directory {
    /// Adds an entry and returns true. If all names together would become too long, adds a reason to the damage instead
    /// and returns false.
    pub(super) fn admit(&mut self, entry: Entry) -> bool {
        self.name_bytes = self.name_bytes.saturating_add(entry.name_bytes());
        self.entries.push(entry);
        let members = self.entries.len() as u64;
        if names_too_long(self.name_bytes, members) {
            self.entries.pop();
            self.damage.push(names_too_long_reason(members));
            return false;
        }
        true
    }
}

/// Length of a record without name, extra fields and comment.
const RECORD_LENGTH: usize = 46;

/// Reads all entries into `directory`. A broken record is damage, and so is another number of entries than that in the
/// end record. If there are more entries than `max_members`, only counts them; if all names together are too long,
/// stops. Returns the position after the last record that was read.
pub fn read_all(
    source: &dyn Source,
    end: &EndRecord,
    max_members: u64,
    directory: &mut Directory,
) -> u64 {
    let mut reader = Reader {
        source,
        at: end.directory,
        stop: end.directory + end.size,
        buffer: Vec::new(),
        buffer_start: 0,
    };
    let mut listed = 0u64;
    // More entries than the end record counts are damage, unless it counts modulo 65536. Up to 65536 entries are read
    // even if it counts fewer, so that the message has their number.
    while end.count_may_wrap || listed <= end.entries.max(0xffff) {
        let at = reader.at;
        match reader.entry(end.archive_start) {
            Ok(Some(entry)) => {
                listed += 1;
                if listed <= max_members && !directory.admit(entry) {
                    return reader.at;
                }
            }
            Ok(None) => break,
            Err(reason) => {
                directory.damage.push(format!(
                    "its central directory is broken at byte {at}: {reason}"
                ));
                break;
            }
        }
    }
    if listed > max_members {
        directory.entries.clear();
        directory.count_over_limit = Some(listed);
        return reader.at;
    }
    let agree = listed == end.entries || (end.count_may_wrap && listed % 65536 == end.entries);
    if !agree {
        directory.damage.push(format!(
            "its end record counts {} members, the directory lists {listed}",
            end.entries
        ));
    }
    reader.at
}

/// Reads the records through a window of [`WINDOW`] bytes, so that a directory of any size takes little memory.
struct Reader<'a> {
    source: &'a dyn Source,
    /// Offset of the next record.
    at: u64,
    /// Offset of the end of the directory.
    stop: u64,
    /// The bytes of the source from `buffer_start`.
    buffer: Vec<u8>,
    /// Offset of the first byte in the buffer.
    buffer_start: u64,
}

/// Bytes that are read at once.
const WINDOW: u64 = 1 << 20;

impl Reader<'_> {
    /// Returns the next bytes without consuming them; None if they are not in the directory or cannot be read.
    fn bytes(&mut self, len: usize) -> Option<&[u8]> {
        let need = self.at.checked_add(len as u64)?;
        if need > self.stop {
            return None;
        }
        if self.at < self.buffer_start || need > self.buffer_start + self.buffer.len() as u64 {
            let want = (self.stop - self.at).min(WINDOW.max(len as u64));
            self.buffer.resize(usize::try_from(want).ok()?, 0);
            self.buffer_start = self.at;
            self.source.read_exact_at(&mut self.buffer, self.at).ok()?;
        }
        let start = usize::try_from(self.at - self.buffer_start).ok()?;
        self.buffer.get(start..start + len)
    }

    /// Returns the next entry, or None at the end of the directory. An error says what is wrong with the record.
    /// `archive_start` is the number of bytes before the archive.
    fn entry(&mut self, archive_start: u64) -> Result<Option<Entry>, String> {
        if self.at == self.stop {
            return Ok(None);
        }
        let signature = self.bytes(4).ok_or("a record is cut short")?;
        if signature != b"PK\x01\x02" {
            // A digital signature may follow the last record (APPNOTE 4.3.13).
            return if signature == b"PK\x05\x05" {
                Ok(None)
            } else {
                Err("a record is missing".into())
            };
        }
        let record = self.bytes(RECORD_LENGTH).ok_or("a record is cut short")?;
        let fields = Fields(record);
        let length = |place| fields.u16(place).map(usize::from).unwrap_or_default();
        let (name_length, extra_length, comment_length) = (length(28), length(30), length(32));
        let whole = RECORD_LENGTH + name_length + extra_length + comment_length;
        let record = self.bytes(whole).ok_or("a record is cut short")?;
        let entry = parse(record, name_length, extra_length, archive_start)
            .ok_or("a zip64 field is too short, or an offset is too large")?;
        self.at += whole as u64;
        Ok(Some(entry))
    }
}

/// Returns the entry of a whole record; None if its zip64 field is too short or its offset too large.
fn parse(
    record: &[u8],
    name_length: usize,
    extra_length: usize,
    archive_start: u64,
) -> Option<Entry> {
    let fields = Fields(record);
    let name_end = RECORD_LENGTH + name_length;
    let raw = record.get(RECORD_LENGTH..name_end)?;
    let extra = record.get(name_end..name_end + extra_length)?;
    let made_by = fields.u16(4)? >> 8;
    let flags = fields.u16(8)?;
    let unix = made_by == 3 || made_by == 19; // Unix, or macOS (APPNOTE 4.4.2.2)
    let (packed, size, offset) = (fields.u32(20)?, fields.u32(24)?, fields.u32(42)?);
    let mut zip64 = Fields(extra_field(extra, 1).unwrap_or_default()).zip64_values();
    let size = zip64.value_or_zip64(size)?;
    let packed = zip64.value_or_zip64(packed)?;
    let offset = zip64.value_or_zip64(offset)?.checked_add(archive_start)?;
    let attributes = fields.u32(38)?;
    let unicode = extra_field(extra, 0x7075);
    let name = names::decode(raw, flags & 0x800 != 0, unix, unicode).into_boxed_slice();
    let (method, crc) = (fields.u16(10)?, fields.u32(16)?);
    Some(Entry {
        stored_name: (*name != *raw).then(|| raw.into()),
        name,
        method,
        flags,
        crc,
        packed_size: packed,
        size,
        offset,
        mode: if unix { attributes >> 16 } else { 0 },
        has_directory_attribute: attributes & 0x10 != 0,
        data_offset: None,
        encryption: Encryption::of(flags, method, crc, fields.u16(12)?, extra),
        extent: 0,
        fault: None,
    })
}
