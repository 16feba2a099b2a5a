//! Streams spliced into a gzip member, and gzip files read by pieces: the same content as with the general reader, or
//! an error.

use std::io::{self, Read};

use flate2::read::DeflateDecoder;
use qxbatch_core::archive::kind::Compression;
use qxbatch_core::archive::unpack::Unpack;
use qxbatch_core::pack::blocks::{find_last_block, make_extendable};
use qxbatch_core::pack::reread::{Buffers, PiecesReader};

pub const WORDS: &[&[u8]] = &[&[0, 0, 0xff, 0xff], &[1, 0, 0, 0xff, 0xff], &[3, 0]];

const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// An empty block that is the last one.
const END: [u8; 2] = [3, 0];
/// Limits on the content of one stream and of a file: more content comes from the same few bytes again.
const MOST: u64 = 1 << 16;
const OF_FILE: u64 = 4 * MOST;
/// Bytes that are read at a time. Marks and ends cross blocks as they do in files of many megabytes.
const BLOCKS: [usize; 3] = [16, 300, 5000];

/// Reads any bytes as a gzip file after its header; then, if they are a deflate stream, splices it twice into one gzip
/// member.
pub fn run(bytes: &[u8]) {
    agree(&[&HEAD, bytes].concat());
    let mut content = Vec::new();
    let read = DeflateDecoder::new(bytes)
        .take(MOST)
        .read_to_end(&mut content);
    let whole = find_last_block(bytes).is_some_and(|found| found.end.div_ceil(8) == bytes.len());
    if read.is_err() || content.len() as u64 == MOST || !whole {
        return;
    }
    let mut extendable = bytes.to_vec();
    extendable.resize(bytes.len() + 8, 0);
    let length = make_extendable(&mut extendable, bytes.len())
        .expect("a whole stream can be made extendable");
    extendable.truncate(length);
    let twice = [content.as_slice(), &content].concat();
    let sums = [
        crc32fast::hash(&twice).to_le_bytes(),
        (twice.len() as u32).to_le_bytes(),
    ]
    .concat();
    // The second stream keeps its own end, or gets an empty block as its end.
    for end in [[&*extendable, &END].concat(), bytes.to_vec()] {
        let file = [&HEAD, &*extendable, &end, &sums].concat();
        assert_eq!(agree(&file).as_deref(), Some(&*twice));
    }
}

/// Returns the content of a file if it is valid.
fn agree(file: &[u8]) -> Option<Vec<u8>> {
    let mut unpack = Unpack::open(Compression::Gzip, Box::new(file)).ok()?;
    let mut content = Vec::new();
    let sound = (&mut unpack)
        .take(OF_FILE)
        .read_to_end(&mut content)
        .is_ok();
    let more = content.len() as u64 == OF_FILE;
    let by_pieces = pieces(file);
    if let (Ok(fast), false) = (by_pieces, more) {
        assert!(
            sound && unpack.trailing_bytes() == 0,
            "only the general reader finds fault"
        );
        assert!(fast == content, "two contents of one file");
    }
    sound.then_some(content)
}

fn pieces(file: &[u8]) -> io::Result<Vec<u8>> {
    let buffers = Buffers {
        block_length: BLOCKS[file.len() % BLOCKS.len()],
        max_piece_length: OF_FILE as usize,
    };
    let mut content = Vec::new();
    PiecesReader::with_buffers(file, buffers)?
        .take(OF_FILE)
        .read_to_end(&mut content)?;
    Ok(content)
}
