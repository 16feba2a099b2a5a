//! One member of a zip, as its headers describe it.

use super::encryption::Encryption;

/// Length in bytes of the fixed part of a local header.
pub const LOCAL_HEADER_LENGTH: usize = 30;

/// One member, as its record in the central directory describes it. If that record is missing and `recover` found the
/// member, its local header describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The decoded name, UTF-8 where possible.
    pub name: Box<[u8]>,
    /// The name as the record or local header stores it, if it differs from `name`.
    pub stored_name: Option<Box<[u8]>>,
    /// Compression method (APPNOTE 4.4.5).
    pub method: u16,
    /// General purpose flags (APPNOTE 4.4.4).
    pub flags: u16,
    /// CRC-32 of the content.
    pub crc: u32,
    /// Size of the packed data in bytes.
    pub packed_size: u64,
    /// Size of the content in bytes.
    pub size: u64,
    /// Offset of the local header in the source.
    pub offset: u64,
    /// Unix mode; 0 if the writer stored none.
    pub mode: u32,
    /// The DOS directory attribute.
    pub has_directory_attribute: bool,
    /// Offset of the data of a member that `recover` found; None if `local` still has to read the local header.
    pub data_offset: Option<u64>,
    /// How it is encrypted; None for an unencrypted member.
    pub encryption: Option<Encryption>,
    /// Bytes from its local header to the next member or the central directory; 0 if this is not known.
    pub extent: u64,
    /// Why its content cannot be read, if this is known before the data are decoded.
    pub fault: Option<String>,
}

/// The kind of an entry that is not a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecialKind {
    /// A folder.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, FIFO or socket.
    Device,
}

impl Entry {
    /// Returns the name before decoding. The local header of the member should contain the same bytes.
    #[must_use]
    pub fn raw_name(&self) -> &[u8] {
        self.stored_name.as_deref().unwrap_or(&self.name)
    }

    /// Returns the memory that its name takes, in bytes.
    #[must_use]
    pub fn name_bytes(&self) -> u64 {
        let stored_name = self.stored_name.as_ref().map_or(0, |name| name.len());
        self.name.len() as u64 + stored_name as u64
    }

    /// Returns its minimum size in bytes: local header, name and packed data.
    #[must_use]
    pub fn least_extent(&self) -> u64 {
        self.packed_size
            .saturating_add((LOCAL_HEADER_LENGTH + self.raw_name().len()) as u64)
    }

    /// Returns the entry with the method and packed size of its decrypted data, or the reason why that is impossible.
    pub fn decrypted_entry(&self, encryption: Encryption) -> Result<Self, String> {
        if let Encryption::Unsupported(why) = encryption {
            return Err(why.reason().into());
        }
        let (before, after) = encryption.lengths_around_data();
        let packed = self.packed_size.checked_sub((before + after) as u64);
        let packed =
            packed.ok_or("encrypted, and too short for the bytes that its encryption adds")?;
        let method = match encryption {
            Encryption::Aes(field) => field.method,
            _ => self.method,
        };
        Ok(Self {
            method,
            packed_size: packed,
            ..self.clone()
        })
    }

    /// Returns the kind of a directory, link or device, by the Unix mode, the last character of the name and the DOS
    /// attribute; None for a file.
    #[must_use]
    pub fn special_kind(&self) -> Option<SpecialKind> {
        let slash = self.name.ends_with(b"/") || self.name.ends_with(b"\\");
        match self.mode & 0o170_000 {
            0o120_000 => Some(SpecialKind::Link),
            // A device or folder that has data is a file with an odd mode or name: its bytes must not be lost.
            0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 if self.size == 0 => {
                Some(SpecialKind::Device)
            }
            0o040_000 if self.size == 0 => Some(SpecialKind::Directory),
            _ if self.size == 0 && (slash || self.has_directory_attribute) => {
                Some(SpecialKind::Directory)
            }
            _ => None,
        }
    }
}
