//! The members: names, kinds, and the block (data that are packed together) that contains the data of each.

use super::fields::{DAMAGED, END, FieldReader};
use super::streams::Block;

/// Ids of the properties of members (7zFormat.txt).
const EMPTY_STREAM: u8 = 0x0e;
const EMPTY_FILE: u8 = 0x0f;
const ANTI: u8 = 0x10;
const NAMES: u8 = 0x11;
const ATTRIBUTES: u8 = 0x15;
/// The attribute of a folder.
const DIRECTORY: u32 = 0x10;
/// The attribute that says that the upper half of the attributes is a Unix mode.
const UNIX: u32 = 0x8000;

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    /// A file, which may be empty.
    File,
    /// A folder.
    Directory,
    /// A link; its content is the target.
    Link,
    /// A device, FIFO or socket.
    Device,
    /// An anti-item: it asks to delete the file of that name.
    Anti,
}

/// One member.
#[derive(Debug)]
pub struct Member {
    /// The name as stored, in UTF-8; unpaired surrogates are kept.
    pub name: Vec<u8>,
    /// Its kind.
    pub kind: MemberKind,
    /// Its size in bytes.
    pub size: u64,
    /// CRC-32 of its bytes; some writers omit it.
    pub crc: Option<u32>,
    /// Index of the block that contains its data; None if it has none.
    pub block: Option<usize>,
}

/// The properties of the members. `empty_stream` has a bit for each member; `empty_file` and `anti` have one for each
/// member without a stream.
#[derive(Default)]
struct Properties {
    empty_stream: Vec<bool>,
    empty_file: Vec<bool>,
    anti: Vec<bool>,
    names: Vec<Vec<u8>>,
    attributes: Vec<Option<u32>>,
}

/// Reads the section with the members, after its id and their number, `count`.
pub fn parse(
    fields: &mut FieldReader<'_>,
    count: usize,
    blocks: &[Block],
) -> Result<Vec<Member>, String> {
    let properties = Properties::parse(fields, count)?;
    if properties.names.len() != count {
        return Err(DAMAGED.into());
    }
    // Members with data, in their order, have these streams: index of the block, size, CRC-32.
    let streams = blocks.iter().enumerate();
    let mut streams =
        streams.flat_map(|(at, block)| block.substreams.iter().map(move |it| (at, *it)));
    let mut names = properties.names.into_iter();
    let is_set = |bits: &[bool], at: usize| bits.get(at).copied().unwrap_or(false);
    let (mut members, mut empty) = (Vec::with_capacity(count), 0);
    for at in 0..count {
        let attributes = properties.attributes.get(at).copied().flatten();
        let mut member = Member {
            name: names.next().unwrap_or_default(),
            kind: kind_of(attributes.unwrap_or(0)),
            size: 0,
            crc: None,
            block: None,
        };
        if is_set(&properties.empty_stream, at) {
            member.kind = if is_set(&properties.anti, empty) {
                MemberKind::Anti
            } else if is_set(&properties.empty_file, empty) {
                MemberKind::File
            } else {
                MemberKind::Directory
            };
            empty += 1;
        } else {
            let (block, (size, crc)) = streams.next().ok_or(DAMAGED)?;
            (member.size, member.crc, member.block) = (size, crc, Some(block));
            if member.kind == MemberKind::Directory
                || member.kind == MemberKind::Device && member.size > 0
            {
                member.kind = MemberKind::File; // a folder or device with data is a file with odd attributes
            }
        }
        members.push(member);
    }
    if streams.next().is_some() {
        return Err(DAMAGED.into()); // data without a name
    }
    Ok(members)
}

/// Returns the kind of a member by its attributes.
fn kind_of(attributes: u32) -> MemberKind {
    match (attributes & UNIX != 0).then_some(attributes >> 16 & 0o170_000) {
        Some(0o120_000) => MemberKind::Link,
        Some(0o010_000 | 0o020_000 | 0o060_000 | 0o140_000) => MemberKind::Device,
        _ if attributes & DIRECTORY != 0 => MemberKind::Directory,
        _ => MemberKind::File,
    }
}

impl Properties {
    /// Reads the properties of `count` members, up to the end of the section.
    fn parse(fields: &mut FieldReader<'_>, count: usize) -> Result<Self, String> {
        let mut properties = Self::default();
        let mut empty = 0;
        loop {
            let kind = fields.byte()?;
            if kind == END {
                return Ok(properties);
            }
            let size = usize::try_from(fields.number()?).map_err(|_| DAMAGED)?;
            let mut body = FieldReader::new(fields.bytes(size)?);
            match kind {
                EMPTY_STREAM => {
                    properties.empty_stream = body.bits(count)?;
                    empty = properties.empty_stream.iter().filter(|bit| **bit).count();
                }
                EMPTY_FILE => properties.empty_file = body.bits(empty)?,
                ANTI => properties.anti = body.bits(empty)?,
                NAMES => {
                    body.expect(0)?;
                    properties.names = names(&mut body, count)?;
                }
                ATTRIBUTES => {
                    let defined = body.bits_or_all(count)?;
                    body.expect(0)?;
                    let read = |defined: bool| defined.then(|| body.u32()).transpose();
                    properties.attributes =
                        defined.into_iter().map(read).collect::<Result<_, _>>()?;
                }
                _ => {} // not needed, for example times and padding
            }
        }
    }
}

/// Reads UTF-16 names, each terminated by zero.
fn names(body: &mut FieldReader<'_>, count: usize) -> Result<Vec<Vec<u8>>, String> {
    let mut names = Vec::with_capacity(count.min(body.remaining() / 2));
    let bytes = body.bytes(body.remaining())?;
    let mut units = bytes.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    });
    for _ in 0..count {
        let mut ended = false;
        let name = std::iter::from_fn(|| {
            let unit = units.next()?;
            ended = unit == 0;
            (!ended).then_some(unit)
        });
        let mut text = Vec::new();
        for char in char::decode_utf16(name) {
            match char {
                Ok(char) => text.extend(char.encode_utf8(&mut [0; 4]).bytes()),
                Err(half) => text.extend(surrogate_bytes(half.unpaired_surrogate())),
            }
        }
        if !ended {
            return Err(DAMAGED.into());
        }
        names.push(text);
    }
    Ok(names)
}

/// Encodes an unpaired surrogate as three bytes, so that two different names stay different.
fn surrogate_bytes(half: u16) -> [u8; 3] {
    let [high, low] = half.to_be_bytes();
    [
        0xe0 | high >> 4,
        0x80 | (high & 15) << 2 | low >> 6,
        0x80 | low & 0x3f,
    ]
}
