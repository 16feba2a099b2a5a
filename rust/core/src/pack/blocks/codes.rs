//! The two Huffman codes of a block: the fixed ones, or those at its start.

use super::bits::Bits;
use super::code::{Code, END, INVALID, LITERAL, MATCH};

/// The codes of a block.
#[derive(Default)]
pub struct Codes {
    /// Code of literals, lengths and the end of the block.
    pub literals: Code,
    /// Code of distances.
    pub distances: Code,
}

impl Codes {
    /// Sets the fixed codes (RFC 1951, 3.2.6).
    pub fn set_fixed(&mut self) -> Option<()> {
        let mut lengths = [8u8; 288];
        lengths.get_mut(144..256)?.fill(9);
        lengths.get_mut(256..280)?.fill(7);
        self.literals.set(&lengths, literal_entry)?;
        self.distances.set(&[5; 30], distance_entry)
    }

    /// Reads the codes at the start of a block (RFC 1951, 3.2.7); returns None if they are invalid.
    pub fn read(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        const ORDER: [usize; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        bits.refill();
        let literals = bits.take(5)? + 257;
        let distances = bits.take(5)? + 1;
        let count = bits.take(4)? + 4;
        let mut code_lengths = [0u8; 19];
        for &symbol in ORDER.get(..count)? {
            bits.refill();
            *code_lengths.get_mut(symbol)? = u8::try_from(bits.take(3)?).ok()?;
        }
        let mut code = Code::default();
        // The meaning of each symbol is its number. The extra bits of 16, 17 and 18 are read below: their value is
        // needed, and `Code::next` skips extra bits.
        code.set(&code_lengths, |symbol| symbol << 8)?;
        let mut lengths: Vec<u8> = Vec::with_capacity(320);
        while lengths.len() < literals + distances {
            bits.refill();
            let (value, times) = match code.next(bits)? {
                length @ 0..=15 => (u8::try_from(length).ok()?, 1),
                16 => (*lengths.last()?, 3 + bits.take(2)?),
                17 => (0, 3 + bits.take(3)?),
                _ => (0, 11 + bits.take(7)?),
            };
            lengths.resize(lengths.len() + times, value);
        }
        if lengths.len() != literals + distances {
            return None;
        }
        self.literals.set(lengths.get(..literals)?, literal_entry)?;
        self.distances.set(lengths.get(literals..)?, distance_entry)
    }
}

/// Returns the entry of a literal or length for [`Code::set`], `extra << 4 | meaning << 8`: the number of extra bits,
/// and the meaning (RFC 1951, 3.2.5).
fn literal_entry(symbol: u16) -> u16 {
    match symbol {
        0..=255 => LITERAL << 8,
        256 => END << 8,
        257..=264 | 285 => MATCH << 8,
        265..=284 => MATCH << 8 | ((symbol - 261) / 4) << 4,
        _ => INVALID,
    }
}

/// Returns the entry of a distance for [`Code::set`], `extra << 4`: the number of extra bits (RFC 1951, 3.2.5).
fn distance_entry(symbol: u16) -> u16 {
    match symbol {
        0..=3 => 0,
        4..=29 => (symbol / 2 - 1) << 4,
        _ => INVALID,
    }
}
