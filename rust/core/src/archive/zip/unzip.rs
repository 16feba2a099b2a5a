//! Unpacks one member: into memory, with a check of size and CRC, or as a stream. An encrypted member is decrypted
//! first, and then has the entry that [`Entry::decrypted_entry`] returns.

use std::cmp::Ordering;
use std::io::{self, BufRead, Read};

use liblzma::stream::Stream;

use super::super::counting_reader::{ByteCount, CountingReader};
use super::super::kind::Compression;
use super::super::source::{Range, Source};
use super::super::unpack::Unpack;
use super::super::{expands_too_much, expands_too_much_reason, invalid};
use super::encryption::Encryption;
use super::entry::Entry;

/// Most bytes to which deflate can expand one byte (RFC 1951: 258 bytes from 2 bits).
const MAX_DEFLATE_RATIO: u64 = 1032;
/// Limit on the memory of the decoder of an lzma or xz member, in bytes.
const LZMA_MEMORY: u64 = 100 << 20;

/// Buffers that one thread reuses.
pub struct Scratch {
    /// The packed bytes of the last deflated member, as a gzip member.
    packed: Vec<u8>,
    /// The content of the last member.
    pub content: Vec<u8>,
    deflate: libdeflater::Decompressor,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            packed: Vec::new(),
            content: Vec::new(),
            deflate: libdeflater::Decompressor::new(),
        }
    }
}

/// Returns why a member cannot be read, as far as its entry in the directory shows; None if it may be readable.
/// `max_ratio` is the limit on unpacked bytes for each packed byte.
#[must_use]
pub fn refusal(entry: &Entry, max_ratio: u64) -> Option<String> {
    if let Some(fault) = &entry.fault {
        return Some(fault.clone());
    }
    let decrypted_entry = match entry
        .encryption
        .map(|encryption| entry.decrypted_entry(encryption))
    {
        Some(Err(reason)) => return Some(reason),
        Some(Ok(decrypted_entry)) => Some(decrypted_entry),
        None => None,
    };
    let entry = decrypted_entry.as_ref().unwrap_or(entry);
    if expands_too_much(entry.size, entry.packed_size, max_ratio) {
        return Some(expands_too_much_reason(max_ratio));
    }
    match entry.method {
        0 if entry.packed_size != entry.size => {
            Some("stored, yet its packed and unpacked sizes differ".into())
        }
        8 if entry.size
            > entry
                .packed_size
                .saturating_mul(MAX_DEFLATE_RATIO)
                .saturating_add(64) =>
        {
            Some("it claims more bytes than its packed data can contain".into())
        }
        // The methods that `decoder` and `unpack` support: stored, deflate, deflate64, bzip2, lzma, zstd (also under
        // its earlier number 20), xz (APPNOTE 4.4.5).
        0 | 8 | 9 | 12 | 14 | 93 | 20 | 95 => None,
        method => Some(format!("compression method {method} is not known")),
    }
}

/// Reads a whole member into `scratch.content`, and checks its size and CRC; for members that fit into memory. `data` is
/// the offset of the packed (and decrypted) data in `source`. Returns how many packed bytes are not part of the content.
/// An error is the reason as text.
pub fn into_memory(
    source: &dyn Source,
    entry: &Entry,
    data: u64,
    scratch: &mut Scratch,
) -> Result<u64, String> {
    let size = usize::try_from(entry.size).map_err(|_| "too large for this machine")?;
    let packed = usize::try_from(entry.packed_size).map_err(|_| "too large for this machine")?;
    // Checked before allocating: a directory can claim any number of bytes.
    if entry.packed_size > source.len().saturating_sub(data) {
        return Err("cut short".into());
    }
    let unused_bytes = match entry.method {
        0 => {
            scratch.content.resize(size, 0);
            source
                .read_exact_at(&mut scratch.content, data)
                .map_err(|error| super::super::reason(&error))?;
            entry.packed_size.saturating_sub(entry.size)
        }
        8 if has_crc(entry) => return inflate(source, entry, data, (packed, size), scratch),
        _ => {
            scratch.content.clear();
            let mut reader =
                stream(source, entry, data).map_err(|error| super::super::reason(&error))?;
            Read::by_ref(&mut reader)
                .take(entry.size.saturating_add(1))
                .read_to_end(&mut scratch.content)
                .map_err(|error| super::super::reason(&error))?;
            check_size(entry, scratch.content.len() as u64)?;
            reader.unused_bytes()
        }
    };
    check_crc(entry, crc32fast::hash(&scratch.content))?;
    Ok(unused_bytes)
}

/// Reads a deflated member of `packed` bytes with a content of `size` bytes. Returns as [`into_memory`].
///
/// libdeflater does not return where a stream ended. But it accepts a gzip member only if the correct CRC and size of
/// the content follow the stream. So this function puts the packed bytes into a gzip member, with that CRC and size
/// after them. If libdeflater accepts it, and the bytes of CRC and size are in no other place, the stream ends at the
/// end of the packed bytes.
fn inflate(
    source: &dyn Source,
    entry: &Entry,
    data: u64,
    (packed, size): (usize, usize),
    scratch: &mut Scratch,
) -> Result<u64, String> {
    let end = GZIP_HEAD.len() + packed;
    let [a, b, c, d, ..] = entry.size.to_le_bytes();
    let [e, f, g, h] = entry.crc.to_le_bytes();
    let footer = [e, f, g, h, a, b, c, d];
    scratch.content.resize(size, 0);
    scratch.packed.resize(end + footer.len(), 0);
    let (head, rest) = scratch.packed.split_at_mut(GZIP_HEAD.len());
    let (stream, foot) = rest.split_at_mut(packed);
    head.copy_from_slice(GZIP_HEAD);
    foot.copy_from_slice(&footer);
    source
        .read_exact_at(stream, data)
        .map_err(|error| super::super::reason(&error))?;
    let got = scratch
        .deflate
        .gzip_decompress(&scratch.packed, &mut scratch.content);
    let stream = scratch.packed.get(GZIP_HEAD.len()..).unwrap_or_default();
    if got.is_ok_and(|got| got == size) && memchr::memmem::find(stream, &footer) == Some(packed) {
        return Ok(0);
    }
    let stream = stream.get(..packed).unwrap_or_default();
    inflate_without_crc(&mut scratch.deflate, stream, &mut scratch.content)?;
    check_crc(entry, crc32fast::hash(&scratch.content))?;
    let mut again = flate2::bufread::DeflateDecoder::new(stream);
    io::copy(&mut again, &mut io::sink()).map_err(|error| super::super::reason(&error))?;
    Ok((packed as u64).saturating_sub(again.total_in()))
}

/// A gzip header without optional parts (RFC 1952).
const GZIP_HEAD: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";

/// Inflates a stream into `content`, which must have the length of the inflated data; the caller compares the CRC.
fn inflate_without_crc(
    deflate: &mut libdeflater::Decompressor,
    packed: &[u8],
    content: &mut [u8],
) -> Result<(), String> {
    match deflate.deflate_decompress(packed, content) {
        Ok(got) if got == content.len() => Ok(()),
        Ok(got) => Err(format!(
            "it contains {got} bytes, its header states {}",
            content.len()
        )),
        Err(libdeflater::DecompressionError::InsufficientSpace) => Err(format!(
            "it contains more than the {} bytes that its header states",
            content.len()
        )),
        Err(libdeflater::DecompressionError::BadData) => {
            Err("its packed data are damaged or cut short".into())
        }
    }
}

/// Checks that the content has the length of the entry.
pub fn check_size(entry: &Entry, size: u64) -> Result<(), String> {
    match size.cmp(&entry.size) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(format!(
            "it contains more than the {} bytes that its header states",
            entry.size
        )),
        Ordering::Less => Err(format!(
            "it contains {size} bytes, its header states {}",
            entry.size
        )),
    }
}

/// Checks that the content has the CRC of the entry; an AE-2 member has none because its bytes were authenticated.
pub fn check_crc(entry: &Entry, crc: u32) -> Result<(), String> {
    if !has_crc(entry) || crc == entry.crc {
        Ok(())
    } else {
        Err(format!(
            "its CRC is {crc:08x}, its header says {:08x}",
            entry.crc
        ))
    }
}

/// Returns whether the entry has the CRC of the content; an AE-2 member has none.
fn has_crc(entry: &Entry) -> bool {
    !matches!(entry.encryption, Some(Encryption::Aes(field)) if !field.has_crc)
}

/// Returns a member's content as a stream; `data` is the offset of its packed data. The caller checks size and CRC.
pub fn stream<'a>(source: &'a dyn Source, entry: &Entry, data: u64) -> io::Result<Content<'a>> {
    let end = data
        .checked_add(entry.packed_size)
        .ok_or_else(|| invalid("a size beyond 64 bits"))?;
    if end > source.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    unpack(Range::new(source, data, end), entry)
}

/// The content of a member as a stream.
pub struct Content<'a> {
    decoder: Decoder<'a>,
    packed_size: u64,
}

enum Decoder<'a> {
    /// The decoder of a method other than zstd, and the number of packed bytes that it consumed.
    Other(Box<dyn Read + Send + 'a>, ByteCount),
    Zstd(Box<Unpack<'a>>),
}

impl Content<'_> {
    /// Returns how many of the packed bytes are not part of the content; known once its end was reached.
    pub fn unused_bytes(&self) -> u64 {
        match &self.decoder {
            Decoder::Other(_, consumed) => self.packed_size.saturating_sub(consumed.get()),
            Decoder::Zstd(unpack) => unpack.trailing_bytes().saturating_add(unpack.user_bytes()),
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.decoder {
            Decoder::Other(decoder, _) => decoder.read(buffer),
            Decoder::Zstd(unpack) => unpack.read(buffer),
        }
    }
}

/// Returns the content of a member as a stream, from its packed (and decrypted) bytes.
pub fn unpack<'a>(packed: impl Read + Send + 'a, entry: &Entry) -> io::Result<Content<'a>> {
    let decoder = if matches!(entry.method, 20 | 93) {
        Decoder::Zstd(Box::new(Unpack::open(Compression::Zstd, Box::new(packed))?))
    } else {
        let consumed = ByteCount::default();
        let packed = io::BufReader::with_capacity(128 << 10, packed);
        let packed = CountingReader::new(packed, consumed.clone());
        Decoder::Other(decoder(packed, entry)?, consumed)
    };
    Ok(Content {
        decoder,
        packed_size: entry.packed_size,
    })
}

/// Returns the decoder of each method except zstd.
fn decoder<'a>(
    packed: impl BufRead + Send + 'a,
    entry: &Entry,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match entry.method {
        0 => Box::new(packed),
        8 => Box::new(flate2::bufread::DeflateDecoder::new(packed)),
        9 => Box::new(deflate64::Deflate64Decoder::with_buffer(packed)),
        12 => Box::new(bzip2::bufread::BzDecoder::new(packed)),
        14 => Box::new(lzma(packed, entry)?),
        95 => {
            let stream = Stream::new_stream_decoder(LZMA_MEMORY, 0)
                .map_err(|error| invalid(error.to_string()))?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
        }
        method => return Err(invalid(format!("compression method {method} is not known"))),
    })
}

/// Returns the decoder of method 14 (APPNOTE 5.8): version, length of the properties, properties, raw data. The decoder
/// reads them as an .lzma file: the properties, the size, and the raw data.
fn lzma<'a>(
    mut packed: impl BufRead + Send + 'a,
    entry: &Entry,
) -> io::Result<impl Read + Send + 'a> {
    let mut head = [0; 9];
    packed.read_exact(&mut head)?;
    let [_, _, 5, 0, properties @ ..] = head else {
        return Err(invalid("lzma properties of another length than 5"));
    };
    // Bit 1 of the flags: the data end with a mark, which replaces the size.
    let size = if entry.flags & 2 != 0 {
        u64::MAX
    } else {
        entry.size
    };
    let mut header = properties.to_vec();
    header.extend(size.to_le_bytes());
    let stream =
        Stream::new_lzma_decoder(LZMA_MEMORY).map_err(|error| invalid(error.to_string()))?;
    let joined = io::Cursor::new(header).chain(packed);
    Ok(liblzma::bufread::XzDecoder::new_stream(joined, stream))
}
