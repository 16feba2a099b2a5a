//! Entries of the central directory.

use super::super::source::{Fields, Source};
use super::end::End;
use super::lock::Lock;
use super::{Directory, names};

/// One member as the central directory describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Decoded, UTF-8 where possible.
    pub name: Box<[u8]>,
    /// As it stands in the record, where that is something else.
    pub undecoded: Option<Box<[u8]>>,
    /// Compression method (APPNOTE 4.4.5).
    pub method: u16,
    /// General purpose flags (4.4.4).
    pub flags: u16,
    /// CRC-32 of the content.
    pub crc: u32,
    /// Packed bytes.
    pub packed: u64,
    /// Bytes of content.
    pub size: u64,
    /// Where the local header is, in the source.
    pub offset: u64,
    /// Unix mode, when the writer gave one.
    pub mode: u32,
    /// The DOS attribute for folders.
    pub dos_directory: bool,
    /// Where the data begin, when that is known without the local header (found by searching).
    pub data: Option<u64>,
    /// How it is encrypted; None for a member in clear.
    pub lock: Option<Lock>,
    /// Why its bytes cannot be had, when the directory already shows that.
    pub fault: Option<String>,
}

/// What an entry is, besides a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// A folder.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, FIFO or socket.
    Device,
}

impl Entry {
    /// The name as it stands in the record, and must in the local header.
    #[must_use]
    pub fn raw_name(&self) -> &[u8] {
        self.undecoded.as_deref().unwrap_or(&self.name)
    }

    /// Bytes it takes at least: local header, name and packed data.
    #[must_use]
    pub fn least_extent(&self) -> u64 {
        self.packed
            .saturating_add(30 + self.raw_name().len() as u64)
    }

    /// Folders, links and devices, by the name's last character and the Unix mode; None for a file.
    #[must_use]
    pub fn special(&self) -> Option<Special> {
        let slash = self.name.ends_with(b"/") || self.name.ends_with(b"\\");
        match self.mode & 0o170_000 {
            0o120_000 => Some(Special::Link),
            0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 => Some(Special::Device),
            // A name that ends in a slash and yet has data is a file with an odd name: its bytes must not be dropped.
            0o040_000 if self.size == 0 => Some(Special::Directory),
            _ if self.size == 0 && (slash || self.dos_directory) => Some(Special::Directory),
            _ => None,
        }
    }
}

const RECORD: usize = 46;

/// Reads all entries; damage is what does not fit the end record.
pub fn read_all(source: &dyn Source, end: &End, directory: &mut Directory) {
    let mut reader = Reader {
        source,
        at: end.directory,
        stop: end.directory + end.size,
        buffer: Vec::new(),
        from: 0,
    };
    loop {
        let at = reader.at;
        match reader.entry(end.shift) {
            Ok(Some(entry)) => directory.entries.push(entry),
            Ok(None) => break,
            Err(reason) => {
                directory.damage.push(format!(
                    "its central directory is broken at byte {at}: {reason}"
                ));
                break;
            }
        }
        if directory.entries.len() as u64 > end.entries.max(0xffff) {
            break;
        }
    }
    let found = directory.entries.len() as u64;
    let agree = found == end.entries || (end.short_count && found % 65536 == end.entries);
    if !agree {
        directory.damage.push(format!(
            "its end record counts {} members, the directory lists {found}",
            end.entries
        ));
    }
}

/// Walks over the records through a window, so that a directory of any size takes little memory.
struct Reader<'a> {
    source: &'a dyn Source,
    at: u64,
    stop: u64,
    buffer: Vec<u8>,
    from: u64,
}

const WINDOW: u64 = 1 << 20;

impl Reader<'_> {
    fn bytes(&mut self, len: usize) -> Option<&[u8]> {
        let need = self.at.checked_add(len as u64)?;
        if need > self.stop {
            return None;
        }
        if self.at < self.from || need > self.from + self.buffer.len() as u64 {
            let want = (self.stop - self.at).min(WINDOW.max(len as u64));
            self.buffer.resize(usize::try_from(want).ok()?, 0);
            self.from = self.at;
            self.source.read_exact_at(&mut self.buffer, self.at).ok()?;
        }
        let start = usize::try_from(self.at - self.from).ok()?;
        self.buffer.get(start..start + len)
    }

    fn entry(&mut self, shift: u64) -> Result<Option<Entry>, String> {
        if self.at == self.stop {
            return Ok(None);
        }
        let record = self.bytes(RECORD).ok_or("a record is cut short")?;
        if !record.starts_with(b"PK\x01\x02") {
            // A digital signature may follow the last record (4.3.13).
            return if record.starts_with(b"PK\x05\x05") {
                Ok(None)
            } else {
                Err("no record where one must be".into())
            };
        }
        let fields = Fields(record);
        let length = |place| fields.u16(place).map(usize::from).unwrap_or_default();
        let (name, extra, comment) = (length(28), length(30), length(32));
        let whole = RECORD + name + extra + comment;
        let record = self.bytes(whole).ok_or("a record is cut short")?;
        let entry =
            parse(record, name, extra, shift).ok_or("a zip64 field is missing or too short")?;
        self.at += whole as u64;
        Ok(Some(entry))
    }
}

fn parse(record: &[u8], name: usize, extra: usize, shift: u64) -> Option<Entry> {
    let fields = Fields(record);
    let raw = record.get(RECORD..RECORD + name)?;
    let extra = record.get(RECORD + name..RECORD + name + extra)?;
    let made_by = fields.u16(4)? >> 8;
    let flags = fields.u16(8)?;
    let unix = made_by == 3 || made_by == 19;
    let (packed, size, offset) = (fields.u32(20)?, fields.u32(24)?, fields.u32(42)?);
    let mut wide = Fields(extra_field(extra, 1).unwrap_or_default()).wide();
    let size = wide.value(size)?;
    let packed = wide.value(packed)?;
    let offset = wide.value(offset)?.checked_add(shift)?;
    let attributes = fields.u32(38)?;
    let unicode = extra_field(extra, 0x7075);
    let name = names::decode(raw, flags & 0x800 != 0, unix, unicode).into_boxed_slice();
    let (method, crc) = (fields.u16(10)?, fields.u32(16)?);
    Some(Entry {
        undecoded: (*name != *raw).then(|| raw.into()),
        name,
        method,
        flags,
        crc,
        packed,
        size,
        offset,
        mode: if unix { attributes >> 16 } else { 0 },
        dos_directory: attributes & 0x10 != 0,
        data: None,
        lock: Lock::of(flags, method, crc, fields.u16(12)?, extra),
        fault: None,
    })
}

/// The body of one extra field.
#[must_use]
pub fn extra_field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let fields = Fields(extra);
        let (id, len) = (fields.u16(0)?, usize::from(fields.u16(2)?));
        let body = extra.get(4..4 + len)?;
        if id == wanted {
            return Some(body);
        }
        extra = extra.get(4 + len..)?;
    }
}

/// The zip64 field (4.5.3): a 64-bit value for each 32-bit one that is all ones, in a fixed order.
pub struct Wide<'a> {
    fields: Fields<'a>,
    at: usize,
}

impl<'a> Fields<'a> {
    /// Reads this as a zip64 field.
    #[must_use]
    pub fn wide(self) -> Wide<'a> {
        Wide {
            fields: self,
            at: 0,
        }
    }
}

impl Wide<'_> {
    /// The value itself, or the next of the zip64 field where the value says that it is there.
    pub fn value(&mut self, short: u32) -> Option<u64> {
        if short != u32::MAX {
            return Some(u64::from(short));
        }
        // Some writers mean the number itself, and have no zip64 field.
        if self.fields.0.is_empty() {
            return Some(u64::from(short));
        }
        let value = self.fields.u64(self.at);
        self.at += 8;
        value
    }
}
