//! Reads the part of a 7z header that describes packed streams, blocks (the format calls them "folders"), and the sizes
//! and checksums of the members in each block.

use super::fields::{DAMAGED, END, FieldReader, START_LENGTH};
use super::method::Coder;

/// Ids of the sections and properties that this module reads (7zFormat.txt).
const PACK_INFO: u8 = 6;
const UNPACK_INFO: u8 = 7;
const SUBSTREAMS: u8 = 8;
const SIZE: u8 = 9;
const CRC: u8 = 0x0a;
const FOLDER: u8 = 0x0b;
const UNPACK_SIZE: u8 = 0x0c;
const COUNT: u8 = 0x0d;
/// Limit on coders, and on their inputs, in one block: that of the LZMA SDK 9.20 (later versions allow 64 coders).
const MAX_CODERS: usize = 32;
/// Limit on blocks, all of which are in memory at once.
const MAX_BLOCKS: usize = 1 << 18;

/// Data that are packed together and read in one pass.
#[derive(Debug, Default)]
pub struct Block {
    /// The decompressors, filters and ciphers whose outputs lead to the content.
    pub coders: Vec<Coder>,
    /// Connections: an input, and the coder whose output it reads. Inputs are numbered across all coders.
    pub bonds: Vec<(usize, usize)>,
    /// For each packed stream: the number of the input that reads it, its offset, and its length in bytes.
    pub packed_streams: Vec<(usize, u64, u64)>,
    /// Length of the output of each coder.
    pub output_sizes: Vec<u64>,
    /// CRC-32 of the whole content; None if the header has none.
    pub crc: Option<u32>,
    /// For each member of the block, in the order of their content: size in bytes, and CRC-32 if the header has one. The
    /// format calls these members substreams.
    pub substreams: Vec<(u64, Option<u32>)>,
}

impl Block {
    /// Returns the index of the coder whose output no other coder reads: its output is the content. None without
    /// coders.
    pub fn last_coder(&self) -> Option<usize> {
        (0..self.coders.len()).find(|out| self.bonds.iter().all(|(_, bound)| bound != out))
    }

    /// Returns the length of the content in bytes.
    pub fn size(&self) -> u64 {
        let size = self
            .last_coder()
            .and_then(|last| self.output_sizes.get(last));
        size.copied().unwrap_or(0)
    }

    /// Returns the packed size in bytes.
    pub fn packed_size(&self) -> u64 {
        let sizes = self.packed_streams.iter().map(|(.., size)| *size);
        sizes.fold(0, u64::saturating_add)
    }
}

/// Reads the section about streams; its id byte was already read. `max_members` is the limit on members with data. An
/// error is the reason as text.
pub fn parse(
    fields: &mut FieldReader<'_>,
    archive_len: u64,
    max_members: usize,
) -> Result<Vec<Block>, String> {
    let mut id = fields.byte()?;
    let mut packed = Vec::new();
    if id == PACK_INFO {
        packed = pack_info(fields, archive_len)?;
        id = fields.byte()?;
    }
    let mut blocks = Vec::new();
    if id == UNPACK_INFO {
        blocks = unpack_info(fields, &packed)?;
        id = fields.byte()?;
    }
    if id == SUBSTREAMS {
        substreams(fields, &mut blocks, max_members)?;
        id = fields.byte()?;
    } else {
        for block in &mut blocks {
            block.substreams = vec![(block.size(), block.crc)];
        }
    }
    if id == END {
        Ok(blocks)
    } else {
        Err(DAMAGED.into())
    }
}

/// Returns offset (in the archive) and length of each packed stream, in bytes.
fn pack_info(fields: &mut FieldReader<'_>, archive_len: u64) -> Result<Vec<(u64, u64)>, String> {
    let mut at = START_LENGTH.checked_add(fields.number()?).ok_or(DAMAGED)?;
    let count = fields.count(fields.remaining())?;
    let mut streams = Vec::new();
    let mut id = fields.byte()?;
    if id == SIZE {
        for _ in 0..count {
            let size = fields.number()?;
            streams.push((at, size));
            at = at.checked_add(size).ok_or(DAMAGED)?;
        }
        id = fields.byte()?;
    }
    if id == CRC {
        fields.digests(count)?; // not compared: the unpacked content usually has its own checksums
        id = fields.byte()?;
    }
    if at > archive_len {
        return Err("cut short".into());
    }
    if id == END {
        Ok(streams)
    } else {
        Err(DAMAGED.into())
    }
}

/// Returns the blocks, still without their members; `packed` has offset and length of each packed stream.
fn unpack_info(fields: &mut FieldReader<'_>, packed: &[(u64, u64)]) -> Result<Vec<Block>, String> {
    fields.expect(FOLDER)?;
    let count = fields.count(fields.remaining())?;
    if count > MAX_BLOCKS {
        return Err(format!(
            "it has {count} blocks, more than {MAX_BLOCKS} (limit)"
        ));
    }
    fields.expect(0)?; // external data are not supported
    let mut unassigned = packed.iter().copied();
    let mut blocks = Vec::new();
    for _ in 0..count {
        blocks.push(block(fields, &mut unassigned)?);
    }
    fields.expect(UNPACK_SIZE)?;
    for block in &mut blocks {
        for _ in 0..block.coders.len() {
            block.output_sizes.push(fields.number()?);
        }
    }
    let mut id = fields.byte()?;
    if id == CRC {
        let digests = fields.digests(count)?;
        for (block, crc) in blocks.iter_mut().zip(digests) {
            block.crc = crc;
        }
        id = fields.byte()?;
    }
    if id == END {
        Ok(blocks)
    } else {
        Err(DAMAGED.into())
    }
}

/// Reads one block without its sizes. It takes its packed streams (offset, length) from the start of `unassigned`.
fn block(
    fields: &mut FieldReader<'_>,
    unassigned: &mut impl Iterator<Item = (u64, u64)>,
) -> Result<Block, String> {
    let mut block = Block::default();
    let mut inputs = 0usize;
    for _ in 0..fields.count(MAX_CODERS)? {
        let coder = Coder::parse(fields, MAX_CODERS)?;
        inputs += coder.inputs;
        block.coders.push(coder);
    }
    let outputs = block.coders.len();
    if outputs == 0 || inputs > MAX_CODERS || inputs < outputs - 1 {
        return Err(DAMAGED.into());
    }
    for _ in 0..outputs - 1 {
        // `count` also reads an index.
        let (input, output) = (fields.count(inputs)?, fields.count(outputs)?);
        block.bonds.push((input, output));
    }
    let free = inputs - block.bonds.len();
    for _ in 0..free {
        let input = if free == 1 {
            let bound = |input: &usize| block.bonds.iter().any(|(bound, _)| bound == input);
            (0..inputs).find(|input| !bound(input)).ok_or(DAMAGED)?
        } else {
            fields.count(inputs)?
        };
        let (at, size) = unassigned.next().ok_or(DAMAGED)?;
        block.packed_streams.push((input, at, size));
    }
    Ok(block)
}

/// Reads the members of each block.
fn substreams(
    fields: &mut FieldReader<'_>,
    blocks: &mut [Block],
    max_members: usize,
) -> Result<(), String> {
    // If the counts are omitted, each block has one member.
    let mut counts = vec![1; blocks.len()];
    let mut id = fields.byte()?;
    if id == COUNT {
        for count in &mut counts {
            *count = fields.count(max_members)?;
        }
        id = fields.byte()?;
    }
    if counts.iter().sum::<usize>() > max_members {
        return Err(DAMAGED.into());
    }
    let has_sizes = id == SIZE;
    for (block, &count) in blocks.iter_mut().zip(&counts) {
        let mut remaining = block.size();
        for _ in 1..count {
            let size = if has_sizes {
                fields.number()?
            } else {
                return Err(DAMAGED.into());
            };
            remaining = remaining.checked_sub(size).ok_or(DAMAGED)?;
            block.substreams.push((size, None));
        }
        // The size of the last member of a block is not stored.
        if count > 0 {
            let crc = (count == 1).then_some(block.crc).flatten();
            block.substreams.push((remaining, crc));
        }
    }
    if has_sizes {
        id = fields.byte()?;
    }
    if id == CRC {
        let members = blocks.iter_mut().flat_map(|block| &mut block.substreams);
        let mut without_crc: Vec<_> = members.filter(|(_, crc)| crc.is_none()).collect();
        let digests = fields.digests(without_crc.len())?;
        for (member, crc) in without_crc.iter_mut().zip(digests) {
            member.1 = crc;
        }
        id = fields.byte()?;
    }
    if id == END {
        Ok(())
    } else {
        Err(DAMAGED.into())
    }
}
