//! The content of a compressed member that is kept compressed: its hash, and whether it may be or contain an image.

use super::expansion::ExpansionReader;
use super::member_bytes::MemberBytes;
use super::pass::{Address, Pass};
use super::row::{EMPTY, NEITHER_DICOM_NOR_PARREC, Reason, Row, ZEROS};
use super::staging::read_through;
use super::stop::{ReadError, Stop};
use crate::archive::kind::{self, Compression, END_LENGTH, FileKind};
use crate::archive::unpack::Unpack;
use crate::notation::Hash;

/// Limit on unpacked bytes per packed byte of a compression other than gzip: the content is only searched for the marks
/// of archives at its end, and archives are barely compressible.
const MAX_SEARCH_RATIO: u64 = 32;

/// The content of a compressed member that begins like no image and no archive. The default is that of a content that
/// could not be unpacked to its end.
#[derive(Default)]
pub struct CompressedContent {
    /// Its SHA-256; None if it was not unpacked to its end.
    pub sha256: Option<Hash>,
    size: u64,
    /// Its last [`END_LENGTH`] bytes.
    end: Vec<u8>,
    is_zeros: bool,
    /// Whether the bytes after the compressed data begin like an archive, a compressed file or a DICOM file.
    pub trailing_begins_like_images: bool,
}

impl CompressedContent {
    /// Returns whether a mark at its end shows that it is an archive.
    #[must_use]
    pub fn is_archive(&self) -> bool {
        matches!(
            kind::of_parts(b"\0", &self.end),
            FileKind::Zip | FileKind::Foreign(_)
        )
    }

    /// Returns the reason of a content that is neither an image nor an archive.
    #[must_use]
    pub fn why_other(&self) -> Reason {
        Reason::Borrowed(match self.sha256 {
            Some(_) if self.size == 0 => EMPTY,
            Some(_) if self.is_zeros => ZEROS,
            _ => NEITHER_DICOM_NOR_PARREC,
        })
    }

    /// Adds the next bytes of the content.
    fn add(&mut self, block: &[u8]) {
        self.is_zeros = self.is_zeros && block.iter().all(|&byte| byte == 0);
        let last = block.len().saturating_sub(END_LENGTH);
        self.end
            .extend_from_slice(block.get(last..).unwrap_or_default());
        let before = self.end.len().saturating_sub(END_LENGTH);
        self.end.drain(..before);
    }
}

/// Unpacks a compressed member to its end; None if that fails, or if the content exceeds a limit.
pub fn read(
    pass: &Pass<'_>,
    address: &Address,
    row: &Row,
    data: &MemberBytes<'_>,
    compression: Compression,
) -> Result<Option<CompressedContent>, Stop> {
    // Other content than that of gzip is not stored, and does not count as expansion.
    let (max_ratio, expansion) = match compression {
        Compression::Gzip => (pass.options.max_ratio, address.expansion()),
        _ => (MAX_SEARCH_RATIO.min(pass.options.max_ratio), None),
    };
    let limit = max_ratio.saturating_mul(row.size.max(crate::archive::MIN_PACKED));
    let Ok(reader) = Unpack::open(compression, data.reader(pass)?) else {
        return Ok(None);
    };
    let mut reader = ExpansionReader::new(reader, expansion);
    let mut content = CompressedContent {
        is_zeros: true,
        ..CompressedContent::default()
    };
    match read_through(&mut reader, limit, pass.monitor, |block| {
        content.add(block);
        Ok(())
    }) {
        Ok(checksums) => {
            content.size = checksums.size;
            content.sha256 = Some(checksums.sha256);
            content.trailing_begins_like_images = reader.get_ref().trailing_begins_like_images();
            Ok(Some(content))
        }
        Err(ReadError::Data(_)) => Ok(None),
        Err(ReadError::Stop(stop)) => Err(stop),
    }
}
