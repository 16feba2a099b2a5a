//! The compressions: recognised by content, independent of the chunking of the stream, and consistent with other
//! readers.

use std::io::{Read, Write};

use liblzma::stream::Stream;
use qxbatch_core::archive::foreign::ForeignArchive;
use qxbatch_core::archive::kind::{self, Compression, FileKind, HEAD_LENGTH};
use qxbatch_core::archive::unpack::Unpack;

use super::pieces::{Slow, drained};

pub const WORDS: &[&[u8]] = &[
    b"\x1f\x8b\x08\x00\0\0\0\0\0\xff",
    b"BZh1\x31\x41\x59\x26\x53\x59",
    b"BZh9\x17\x72\x45\x38\x50\x90",
    b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46",
    b"YZ",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18\x64\x40\xa7",
    b"LZIP\x01\x0c",
    b"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff\0",
    b"\x50\x2a\x4d\x18",
    b"\x1f\x9d\x90",
    b"\x1f\x9d\x8c",
    b"\x1f\x9d\x10",
    b"\0\0\0\0\0\0\0\0",
];

const MEMORY: u64 = 100 << 20;
/// Limit on the content that is read.
const MOST: u64 = 1 << 17;

/// If the first byte is below 8, the rest is packed here.
pub fn run(bytes: &[u8]) {
    match bytes.split_first() {
        Some((how @ 0..8, rest)) => written(*how, rest),
        _ => any(bytes),
    }
}

/// The content before an error, the result, and the number of bytes after it.
type Found = (Vec<u8>, Result<(), String>, u64);

fn unpacked<'a>(compression: Compression, input: impl Read + Send + 'a) -> Found {
    match Unpack::open(compression, Box::new(input)) {
        Err(error) => (Vec::new(), Err(error.to_string()), 0),
        Ok(mut stream) => {
            let (content, done) = drained(&mut stream, MOST);
            (content, done, stream.trailing_bytes())
        }
    }
}

fn any(bytes: &[u8]) {
    let kind = kind::of_bytes(bytes);
    let by_head = kind::of(bytes.get(..HEAD_LENGTH).unwrap_or(bytes));
    let further = matches!(kind, FileKind::Zip | FileKind::Foreign(_));
    let open = matches!(
        by_head,
        FileKind::Other | FileKind::Foreign(ForeignArchive::Split)
    );
    assert!(kind == by_head || (further && open));
    assert_eq!(kind == FileKind::Empty, bytes.is_empty());
    let FileKind::Packed(compression) = kind else {
        return;
    };
    let found = unpacked(compression, bytes);
    let slow = unpacked(compression, Slow(bytes));
    // libzstd refuses some frames that no writer makes (for example, a run in a frame without content) if they arrive
    // in parts, and accepts them if they are in memory at once, with the same content. Error texts differ in any case.
    let both = slow.1.is_ok() && found.1.is_ok();
    if compression != Compression::Zstd || both {
        let outcome = |found: &Found| (found.1.is_ok(), found.2);
        let words = (&slow.1, &found.1);
        assert_eq!(outcome(&slow), outcome(&found), "{compression:?} {words:?}");
    }
    if both {
        assert_eq!(
            slow.0, found.0,
            "the answer depends on how the stream comes"
        );
    }
    if found.1.is_ok() {
        assert!(found.2 < bytes.len() as u64);
        // Without trailing bytes, each reader of that format agrees that it is complete.
        if found.2 == 0 && (found.0.len() as u64) < MOST && !sums_of_headers(compression, bytes) {
            let other = elsewhere(compression, bytes);
            assert!(
                other.as_ref() == Some(&found.0),
                "{compression:?}: another reader differs"
            );
        }
    }
}

/// Returns whether a gzip header may have its own checksum, which other readers check. This reader ignores it: the
/// content has its own checksum, and a wrong name does not make the content wrong.
fn sums_of_headers(compression: Compression, bytes: &[u8]) -> bool {
    let header = |at: &[u8]| at.starts_with(&[0x1f, 0x8b, 8]) && at[3] & 2 != 0;
    compression == Compression::Gzip && bytes.windows(4).any(header)
}

/// Returns the content according to another reader: stream by stream, with zeros as padding between them.
fn elsewhere(compression: Compression, mut bytes: &[u8]) -> Option<Vec<u8>> {
    if compression == Compression::Compress {
        return simple_lzw(bytes);
    }
    let mut out = Vec::new();
    while !bytes.is_empty() {
        bytes = match compression {
            Compression::Bzip2 => {
                let mut reader = bzip2::bufread::BzDecoder::new(bytes);
                reader.read_to_end(&mut out).ok()?;
                reader.into_inner()
            }
            Compression::Xz | Compression::Lzma | Compression::Lzip => {
                let stream = match compression {
                    Compression::Lzma => Stream::new_lzma_decoder(MEMORY),
                    Compression::Lzip => Stream::new_lzip_decoder(MEMORY, 0),
                    _ => Stream::new_stream_decoder(MEMORY, 0),
                };
                let stream = stream.ok()?;
                let mut reader = liblzma::bufread::XzDecoder::new_stream(bytes, stream);
                reader.read_to_end(&mut out).ok()?;
                reader.into_inner()
            }
            Compression::Lz4 => {
                let mut reader = lz4_flex::frame::FrameDecoder::new(bytes);
                reader.read_to_end(&mut out).ok()?;
                reader.into_inner()
            }
            Compression::Zstd => {
                let mut reader = zstd::stream::read::Decoder::with_buffer(bytes)
                    .ok()?
                    .single_frame();
                reader.read_to_end(&mut out).ok()?;
                reader.finish()
            }
            Compression::Gzip | Compression::Compress => {
                let mut reader = flate2::bufread::GzDecoder::new(bytes);
                reader.read_to_end(&mut out).ok()?;
                reader.into_inner()
            }
        };
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes = &bytes[zeros..];
    }
    Some(out)
}

/// Textbook LZW with a table of strings. Returns None if the bytes are not such a stream.
fn simple_lzw(bytes: &[u8]) -> Option<Vec<u8>> {
    let (head, data) = bytes.split_at_checked(3)?;
    let (most, clears) = (u32::from(head[2] & 0x1f), head[2] & 0x80 != 0);
    let first = if clears { 257 } else { 256 };
    let fresh = || -> Vec<Vec<u8>> {
        let mut table: Vec<Vec<u8>> = (0..=255_u8).map(|byte| vec![byte]).collect();
        table.resize(first, Vec::new());
        table
    };
    let (mut table, mut width, mut last) = (fresh(), 9_u32, None::<Vec<u8>>);
    // Codes come in groups of eight, which take `width` bytes; a group that ends early for a new width or a clear code
    // is padded.
    let (mut out, mut group, mut bit) = (Vec::new(), 0, 0);
    loop {
        if table.len() > (1 << width) - 1 && width < most {
            group += if bit == 0 { 0 } else { width as usize };
            (width, bit) = (width + 1, 0);
        }
        let from = group * 8 + bit;
        let code = (0..width as usize).try_fold(0, |code, k| {
            let byte = data.get((from + k) / 8)?;
            Some(code | usize::from(byte >> ((from + k) % 8) & 1) << k)
        });
        let Some(code) = code else { return Some(out) };
        bit += width as usize;
        if bit == 8 * width as usize {
            (group, bit) = (group + width as usize, 0);
        }
        if clears && code == 256 {
            group += if bit == 0 { 0 } else { width as usize };
            (table, width, bit, last) = (fresh(), 9, 0, None);
            continue;
        }
        let text = match (table.get(code), &last) {
            (Some(text), _) => text.clone(),
            (None, Some(last)) if code == table.len() => [&last[..], &last[..1]].concat(),
            _ => return None,
        };
        out.extend(&text);
        if let Some(mut longer) = last.filter(|_| table.len() < 1 << most) {
            longer.push(text[0]);
            table.push(longer);
        }
        last = Some(text);
        if out.len() as u64 > MOST {
            return None;
        }
    }
}

/// Packs the input and reads it back, once or twice; if it is cut, that is an error; trailing bytes are counted.
fn written(how: u8, content: &[u8]) {
    let compression = match how {
        0..3 => Compression::Gzip,
        3 | 4 => Compression::Compress,
        5 => Compression::Bzip2,
        6 if content.len() % 2 == 0 => Compression::Xz,
        6 => Compression::Lz4,
        _ => Compression::Zstd,
    };
    // The other compressions are slow, so they get less content.
    let content = match compression {
        Compression::Gzip | Compression::Compress => content,
        _ => &content[..content.len().min(120)],
    };
    let packed = pack(compression, content);
    assert_eq!(kind::of_bytes(&packed), FileKind::Packed(compression));
    let right = (content.to_vec(), Ok(()), 0);
    assert!(
        unpacked(compression, Slow(&packed)) == right,
        "{compression:?}"
    );
    if compression == Compression::Compress {
        return;
    }
    let cut = content
        .iter()
        .fold(7, |sum, byte| sum * 31 % 65_521 + usize::from(*byte))
        % packed.len();
    assert!(
        unpacked(compression, &packed[..cut]).1.is_err(),
        "{compression:?} cut at {cut}"
    );
    let more = [&packed[..], b"\0\0\0\0other bytes"].concat();
    assert!(
        unpacked(compression, &more[..]) == (right.0, right.1, 11),
        "{compression:?}"
    );
    let twice = [&packed[..], &packed].concat();
    let right = ([content, content].concat(), Ok(()), 0);
    assert!(
        unpacked(compression, &twice[..]) == right,
        "{compression:?}"
    );
}

fn pack(compression: Compression, content: &[u8]) -> Vec<u8> {
    match compression {
        Compression::Gzip => {
            let mut deflate = libdeflater::Compressor::new(libdeflater::CompressionLvl::fastest());
            let mut out = vec![0; deflate.gzip_compress_bound(content.len())];
            let length = deflate.gzip_compress(content, &mut out).unwrap();
            out.truncate(length);
            out
        }
        Compression::Bzip2 => {
            let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::new(1));
            out.write_all(content).unwrap();
            out.finish().unwrap()
        }
        Compression::Xz => {
            let mut out = liblzma::write::XzEncoder::new(Vec::new(), 0);
            out.write_all(content).unwrap();
            out.finish().unwrap()
        }
        Compression::Zstd => {
            let mut out = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
            out.include_checksum(true).unwrap();
            out.write_all(content).unwrap();
            out.finish().unwrap()
        }
        Compression::Lz4 => {
            let mut out = lz4_flex::frame::FrameEncoder::new(Vec::new());
            out.write_all(content).unwrap();
            out.finish().unwrap()
        }
        Compression::Compress => literals(content),
        Compression::Lzma | Compression::Lzip => unreachable!(),
    }
}

/// Returns a `.Z` of nine-bit codes for one byte each, with a clear code before the table is full.
fn literals(content: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x9d, 0x90];
    // After 256 codes the width would grow: 31 groups of eight, then a clear code and the padding of its group.
    for part in content.chunks(248) {
        let mut codes: Vec<u32> = part.iter().map(|byte| u32::from(*byte)).collect();
        if part.len() == 248 {
            codes.extend([256, 0, 0, 0, 0, 0, 0, 0]);
        }
        let (mut bits, mut held) = (0_u32, 0);
        for code in codes {
            bits |= code << held;
            held += 9;
            while held >= 8 {
                out.push(bits.to_le_bytes()[0]);
                bits >>= 8;
                held -= 8;
            }
        }
        if held > 0 {
            out.push(bits.to_le_bytes()[0]);
        }
    }
    out
}
