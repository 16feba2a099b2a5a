//! The header: properties of the archive, streams, members.

use super::fields::{DAMAGED, END, FieldReader};
use super::files::{self, Member};
use super::streams::{self, Block};

/// Ids of the sections of a header (7zFormat.txt).
const ARCHIVE_PROPERTIES: u8 = 2;
const ADDITIONAL_STREAMS: u8 = 3;
const MAIN_STREAMS: u8 = 4;
const FILES: u8 = 5;
/// Limit on members, all of which are in memory at once.
const MAX_MEMBERS: u64 = 1 << 20;

/// The content of an archive.
#[derive(Default)]
pub struct Listing {
    /// All members, in the order of the archive.
    pub members: Vec<Member>,
    /// The blocks: data that are packed together.
    pub blocks: Vec<Block>,
    /// Bytes after the archive.
    pub trailing_bytes: u64,
    /// Whether these bytes begin like an archive, a compressed file or a DICOM file.
    pub trailing_begins_like_images: bool,
    /// Bytes before the end of the archive that its header does not refer to, and bytes behind the end of a header.
    pub gap_bytes: u64,
    /// Bytes in the packed streams of a packed header that do not belong to the header.
    pub unused_header_bytes: u64,
    /// The number of members and the limit, if there are more members than allowed; `members` is empty then.
    pub count_over_limit: Option<(u64, u64)>,
}

/// Reads an unpacked header, after its id, into `listing`.
pub fn parse(
    fields: &mut FieldReader<'_>,
    archive_len: u64,
    max_members: u64,
    listing: &mut Listing,
) -> Result<(), String> {
    let mut id = fields.byte()?;
    if id == ARCHIVE_PROPERTIES {
        while fields.byte()? != END {
            let size = usize::try_from(fields.number()?).map_err(|_| DAMAGED)?;
            fields.bytes(size)?;
        }
        id = fields.byte()?;
    }
    if id == ADDITIONAL_STREAMS {
        return Err("its list of members is in additional streams, which are not supported".into());
    }
    if id == MAIN_STREAMS {
        // The number of remaining bytes limits the members: the name of each takes at least two bytes.
        listing.blocks = streams::parse(fields, archive_len, fields.remaining())?;
        id = fields.byte()?;
    }
    if id == FILES {
        // More members than remaining bytes are damage: the name of each takes at least two.
        let count = fields.count(fields.remaining())?;
        let most = max_members.min(MAX_MEMBERS);
        if count as u64 > most {
            listing.count_over_limit = Some((count as u64, most));
            return Ok(());
        }
        listing.members = files::parse(fields, count, &listing.blocks)?;
        id = fields.byte()?;
    }
    if id == END {
        Ok(())
    } else {
        Err(DAMAGED.into())
    }
}
