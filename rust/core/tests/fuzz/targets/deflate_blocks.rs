//! The parser of deflate blocks: it finds the same end of a stream as an inflater.

use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};
use qxbatch_core::pack::blocks::{LastBlock, find_last_block};

/// Parses any bytes as a stream; then the stream that a compressor makes of them.
pub fn run(bytes: &[u8]) {
    agree(bytes);
    let Some((level, content)) = bytes.split_first() else {
        return;
    };
    // The slowest level takes ten times as long as the others, and makes the same kinds of blocks.
    let level = match level % 28 {
        27 => 12,
        other => i32::from(other % 9) + 1,
    };
    let packed = deflated(content, level);
    let found = agree(&packed).expect("a whole stream has a last block");
    assert_eq!(found.end.div_ceil(8), packed.len());
    // With that bit cleared, other blocks must follow: no reader accepts the rest as a complete stream.
    let mut open = packed.clone();
    open[found.begin / 8] ^= 1 << (found.begin % 8);
    assert!(find_last_block(&open).is_none());
    for cut in [packed.len() - 1, packed.len() / 2] {
        assert!(find_last_block(&packed[..cut]).is_none(), "cut at {cut}");
    }
}

fn agree(stream: &[u8]) -> Option<LastBlock> {
    let found = find_last_block(stream);
    if let Some(found) = found {
        assert!(found.begin < found.end && found.end <= stream.len() * 8);
        assert_eq!(stream[found.begin / 8] >> (found.begin % 8) & 1, 1);
    }
    match inflated(stream) {
        End::At(length) => {
            let found = found.expect("an inflater finds an end");
            assert_eq!(found.end.div_ceil(8), length);
        }
        End::None => assert_eq!(found, None, "an inflater needs more bytes"),
        // Only an inflater checks for distances too far back and sets of codes with gaps.
        End::Damaged => {}
    }
    found
}

/// How an inflater ends.
enum End {
    /// The stream has this many bytes.
    At(usize),
    /// The stream is valid but has no end.
    None,
    Damaged,
}

fn inflated(stream: &[u8]) -> End {
    let mut state = Decompress::new(false);
    let mut out = vec![0; 1 << 15];
    loop {
        let taken = usize::try_from(state.total_in()).unwrap();
        let total = state.total_out();
        let rest = &stream[taken..];
        match state.decompress(rest, &mut out, FlushDecompress::None) {
            Ok(Status::StreamEnd) => return End::At(usize::try_from(state.total_in()).unwrap()),
            Ok(_) if state.total_out() == total && state.total_in() == taken as u64 => {
                return End::None;
            }
            Ok(_) => {}
            Err(_) => return End::Damaged,
        }
    }
}

fn deflated(content: &[u8], level: i32) -> Vec<u8> {
    thread_local! {
        static COMPRESSORS: RefCell<Vec<Option<libdeflater::Compressor>>> = const { RefCell::new(Vec::new()) };
    }
    COMPRESSORS.with_borrow_mut(|known| {
        known.resize_with(13, || None);
        let compressor = known[usize::try_from(level).unwrap()].get_or_insert_with(|| {
            libdeflater::Compressor::new(libdeflater::CompressionLvl::new(level).unwrap())
        });
        let mut packed = vec![0; compressor.deflate_compress_bound(content.len())];
        let length = compressor.deflate_compress(content, &mut packed).unwrap();
        packed.truncate(length);
        packed
    })
}
