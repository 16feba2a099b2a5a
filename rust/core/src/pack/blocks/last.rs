//! The last block of a deflate stream.

use super::bits::Bits;
use super::code::{LITERAL, MATCH};
use super::codes::Codes;

/// Start and end of a stream's last block, in bits from the start of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastBlock {
    /// Start of the block: the bit that marks it as the last.
    pub begin: usize,
    /// End of the block.
    pub end: usize,
}

/// Returns the last block of a stream; None if the data do not start with a complete stream. Other bytes may follow it.
pub fn find_last_block(data: &[u8]) -> Option<LastBlock> {
    let mut bits = Bits::new(data);
    let mut codes = Codes::default();
    loop {
        bits.refill();
        let begin = bits.position();
        let head = bits.take(3)?;
        match head >> 1 {
            0 => bits.skip_stored()?,
            1 => {
                codes.set_fixed()?;
                skip_symbols(&mut bits, &codes)?;
            }
            2 => {
                codes.read(&mut bits)?;
                skip_symbols(&mut bits, &codes)?;
            }
            _ => return None,
        }
        if head & 1 == 1 {
            let end = bits.position();
            return (end <= data.len() * 8).then_some(LastBlock { begin, end });
        }
    }
}

/// Reads the symbols of a block to its end; returns None if one is invalid or the data end before.
fn skip_symbols(bits: &mut Bits<'_>, codes: &Codes) -> Option<()> {
    loop {
        bits.refill();
        // A literal or length takes up to 15 + 5 bits, a distance 15 + 13.
        while bits.bit_count() >= 20 {
            match codes.literals.next(bits)? {
                LITERAL => {}
                MATCH => {
                    if bits.bit_count() < 28 {
                        bits.refill();
                        bits.check_end()?;
                    }
                    codes.distances.next(bits)?;
                }
                _ => return Some(()),
            }
        }
        bits.check_end()?;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn data(kind: u32, size: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_u32.wrapping_add(kind);
        (0..size)
            .map(|at| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                let noise = state.to_le_bytes()[0];
                match kind {
                    0 => noise,
                    1 => noise & 15,
                    2 => u8::try_from(at / 1000 % 256).unwrap(),
                    3 => noise & u8::try_from(at / 50_000 % 256).unwrap(),
                    _ => 0,
                }
            })
            .collect()
    }

    #[test]
    fn the_last_block_ends_where_the_stream_ends() {
        for kind in 0..5 {
            for size in [0, 1, 100, 5000, 70_000, 300_000] {
                for level in [1, 2, 6, 9] {
                    let data = data(kind, size);
                    let level = libdeflater::CompressionLvl::new(level).unwrap();
                    let mut deflate = libdeflater::Compressor::new(level);
                    let mut packed = vec![0; deflate.deflate_compress_bound(data.len())];
                    let length = deflate.deflate_compress(&data, &mut packed).unwrap();
                    packed.truncate(length);
                    let block = find_last_block(&packed).unwrap();
                    assert_eq!(block.end.div_ceil(8), packed.len(), "{kind} {size}");
                    assert_eq!(packed[block.begin / 8] >> (block.begin % 8) & 1, 1);
                    assert!(find_last_block(&packed[..length / 2]).is_none() || length < 4);
                }
            }
        }
    }

    #[test]
    fn any_bytes_end_without_a_panic() {
        for seed in 0..3000 {
            let data = data(seed % 2, 1 + seed as usize % 60);
            let mut data: Vec<u8> = data.iter().map(|byte| byte.wrapping_mul(31)).collect();
            data[0] = (data[0] & 0xf8) | u8::try_from(seed % 8).unwrap();
            if let Some(block) = find_last_block(&data) {
                assert!(block.begin < block.end && block.end <= data.len() * 8);
            }
        }
    }
}
