//! Reads a 7z archive (7zFormat.txt of the LZMA SDK): its header, and its blocks (data that are packed together) in one
//! pass each.
//!
//! The header follows the data; it is usually packed and sometimes encrypted. Before memory is allocated, each count in
//! it is compared with the number of bytes in the header, and the sizes of headers with a limit.

pub mod aes;
mod branch;
pub mod chain;
mod fields;
mod files;
mod gaps;
mod header;
mod method;
mod ppmd;
pub mod streams;
pub(crate) mod unused_input;

use std::collections::BTreeSet;
use std::io::Read;

use self::aes::Keys;
use self::fields::{FieldReader, START_LENGTH};
use self::gaps::ReferencedRanges;
use self::streams::Block;
use super::skipped::range_begins_like_images;
use super::source::Source;

pub use self::chain::Refusal;
pub use self::files::{Member, MemberKind};
pub use self::header::Listing;

/// Limit on the size of a header, packed or not: enough for about 500,000 members.
const MAX_HEADER_LENGTH: u64 = 64 << 20;

/// Ids with which a header begins: unpacked, or packed.
const HEADER: u8 = 1;
const ENCODED_HEADER: u8 = 0x17;

/// Returns what the header of an archive lists. If it has more than `max_members` members, only their number is known
/// ([`Listing::count_over_limit`]).
pub fn list(source: &dyn Source, max_members: u64, keys: &Keys<'_>) -> Result<Listing, Refusal> {
    let (at, size, crc) = start(source)?;
    let end = at.saturating_add(size);
    let mut listing = Listing {
        trailing_bytes: source.len().saturating_sub(end),
        trailing_begins_like_images: range_begins_like_images(source, end, source.len()),
        ..Listing::default()
    };
    let mut referenced = ReferencedRanges::default();
    referenced.add(0, START_LENGTH);
    referenced.add(at, size);
    if size == 0 {
        listing.gap_bytes = referenced.gap_bytes(at);
        return Ok(listing); // an archive without members has no header
    }
    let mut header_bytes = read(source, at, size)?;
    if crc32fast::hash(&header_bytes) != crc {
        return Err("its list of members is damaged (CRC)".into());
    }
    let mut bytes_behind_end = 0;
    // A packed header can unpack to another packed header. More than three of them are refused.
    for _ in 0..4 {
        let mut fields = FieldReader::new(&header_bytes);
        match fields.byte()? {
            HEADER => {
                header::parse(&mut fields, source.len(), max_members, &mut listing)?;
                let blocks = listing.members.iter().filter_map(|member| member.block);
                let blocks: BTreeSet<usize> = blocks.collect();
                for block in blocks.iter().filter_map(|at| listing.blocks.get(*at)) {
                    referenced.add_block(block);
                }
                bytes_behind_end += fields.remaining() as u64;
                listing.gap_bytes = referenced.gap_bytes(at + size) + bytes_behind_end;
                return Ok(listing);
            }
            ENCODED_HEADER => {
                let (unpacked_bytes, block, unused_bytes) =
                    unpacked_header(source, &mut fields, keys)?;
                bytes_behind_end += fields.remaining() as u64;
                header_bytes = unpacked_bytes;
                referenced.add_block(&block);
                listing.unused_header_bytes += unused_bytes;
            }
            _ => break,
        }
    }
    Err(fields::DAMAGED.into())
}

/// Returns offset, length and CRC-32 of the header, from the first 32 bytes.
fn start(source: &dyn Source) -> Result<(u64, u64, u32), Refusal> {
    let start = read(source, 0, START_LENGTH)?;
    let checked = start.get(12..).unwrap_or_default(); // offset, size and CRC of the header
    let mut fields = FieldReader::new(start.get(6..).unwrap_or_default());
    let (major, _minor) = (fields.byte()?, fields.byte()?);
    if major != 0 {
        return Err(format!("7z format {major}, which is not known").into());
    }
    if crc32fast::hash(checked) != fields.u32()? {
        return Err("its start is damaged (CRC)".into());
    }
    let (offset, size, crc) = (fields.u64()?, fields.u64()?, fields.u32()?);
    let at = START_LENGTH.checked_add(offset).ok_or(fields::DAMAGED)?;
    if at.checked_add(size).ok_or(fields::DAMAGED)? > source.len() {
        return Err("cut short: the list of its members, at the end, is missing".into());
    }
    Ok((at, size, crc))
}

/// Returns `size` bytes of the archive from offset `at`; refuses more than [`MAX_HEADER_LENGTH`].
fn read(source: &dyn Source, at: u64, size: u64) -> Result<Vec<u8>, Refusal> {
    if size > MAX_HEADER_LENGTH {
        return Err(too_long(size));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    source
        .read_exact_at(&mut bytes, at)
        .map_err(|error| super::reason(&error))?;
    Ok(bytes)
}

fn too_long(size: u64) -> Refusal {
    format!("its list of members takes {size} bytes, more than {MAX_HEADER_LENGTH} (limit)").into()
}

/// Unpacks a header that is packed like the data. Returns its bytes, its block, and how many bytes of the block are not
/// part of the header.
fn unpacked_header(
    source: &dyn Source,
    fields: &mut FieldReader<'_>,
    keys: &Keys<'_>,
) -> Result<(Vec<u8>, Block, u64), Refusal> {
    let mut blocks = streams::parse(fields, source.len(), 1)?;
    let (Some(block), true) = (blocks.pop(), blocks.is_empty()) else {
        return Err(fields::DAMAGED.into());
    };
    if block.size() > MAX_HEADER_LENGTH {
        return Err(too_long(block.size()));
    }
    let password_index = chain::find_password(source, &block, keys)?;
    let mut header_bytes = vec![0; usize::try_from(block.size()).unwrap_or(0)];
    let mut content = chain::open(source, &block, keys, password_index)?;
    content
        .read_exact(&mut header_bytes)
        .map_err(|error| super::reason(&error))?;
    if block
        .crc
        .is_some_and(|crc| crc32fast::hash(&header_bytes) != crc)
    {
        return Err("its list of members is damaged (CRC)".into());
    }
    let unused_bytes = content.unused_bytes();
    Ok((header_bytes, block, unused_bytes))
}
