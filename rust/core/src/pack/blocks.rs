//! Finds the last block of a deflate stream (RFC 1951), without unpacking it.

/// Codes of up to so many bits are looked up at once; longer ones are rare and read bit by bit.
const FAST: u32 = 10;
/// Longest code.
const LONGEST: usize = 15;

/// Where a stream's last block begins, and where it ends, in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Last {
    /// The bit that says that the block is the last one.
    pub begin: usize,
    /// Behind its last bit.
    pub end: usize,
}

/// Walks over all blocks; None when the data are no whole stream.
pub fn last(data: &[u8]) -> Option<Last> {
    let mut bits = Bits {
        data,
        next: 0,
        hold: 0,
        held: 0,
    };
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
            return (end <= data.len() * 8).then_some(Last { begin, end });
        }
    }
}

/// Makes the stream in the first `length` bytes one that goes on; its new length. Needs up to 5 bytes of room
/// behind them. None when they are no whole stream, or more than one.
pub fn open_end(packed: &mut [u8], length: usize) -> Option<usize> {
    let found = last(packed.get(..length)?)?;
    if found.end.div_ceil(8) != length {
        return None;
    }
    *packed.get_mut(found.begin / 8)? &= !(1 << (found.begin % 8));
    // Three zero bits begin a stored block that is not the last; zeros fill up the byte.
    let end = (found.end + 3).div_ceil(8);
    if found.end % 8 != 0 {
        *packed.get_mut(found.end / 8)? &= (1 << (found.end % 8)) - 1;
    }
    packed.get_mut(length..end)?.fill(0);
    let empty = packed.get_mut(end..end + 4)?;
    empty.copy_from_slice(&[0, 0, 0xff, 0xff]);
    Some(end + 4)
}

/// Bits of a byte string, the low bit of each byte first.
struct Bits<'a> {
    data: &'a [u8],
    next: usize,
    hold: u64,
    held: u32,
}

impl Bits<'_> {
    /// Holds at least 56 bits; zeros stand for what is behind the end.
    #[inline]
    fn refill(&mut self) {
        if let Some(word) = self
            .data
            .get(self.next..)
            .and_then(<[u8]>::first_chunk::<8>)
        {
            self.hold |= u64::from_le_bytes(*word) << self.held;
            let bytes = (63 - self.held) / 8;
            self.next += bytes as usize;
            self.held += bytes * 8;
            // What was taken twice above `held` is the same next time.
            return;
        }
        while self.held <= 56 {
            let byte = self.data.get(self.next).copied().unwrap_or(0);
            self.hold |= u64::from(byte) << self.held;
            self.next += 1;
            self.held += 8;
        }
    }

    /// None once nothing but the zeros behind the end are left.
    fn within(&self) -> Option<()> {
        (self.next <= self.data.len() + 16).then_some(())
    }

    #[inline]
    fn drop_bits(&mut self, count: u32) {
        self.hold >>= count;
        self.held = self.held.saturating_sub(count);
    }

    /// Up to 32 bits; a refill was before.
    fn take(&mut self, count: u32) -> Option<usize> {
        let value = self.hold & ((1 << count) - 1);
        self.drop_bits(count);
        usize::try_from(value).ok()
    }

    fn position(&self) -> usize {
        self.next * 8 - self.held as usize
    }

    /// Passes a stored block: its length and the length's complement stand at the next whole byte.
    fn skip_stored(&mut self) -> Option<()> {
        let at = self.position().div_ceil(8);
        let head: &[u8; 4] = self.data.get(at..)?.first_chunk()?;
        let [a, b, c, d] = *head;
        let length = u16::from_le_bytes([a, b]);
        if length != !u16::from_le_bytes([c, d]) {
            return None;
        }
        self.next = at + 4 + usize::from(length);
        (self.hold, self.held) = (0, 0);
        (self.next <= self.data.len()).then_some(())
    }
}

/// What a symbol means for one who only passes it.
const LITERAL: u16 = 0;
const MATCH: u16 = 1;
const END: u16 = 2;

/// One Huffman code: symbols by their first bits, and what is needed to read longer ones (RFC 1951, 3.2.2).
#[derive(Default)]
struct Code {
    /// Code length, extra bits and meaning, `length | extra << 4 | meaning << 8`; 0 for longer codes and none.
    fast: Vec<u16>,
    counts: [u16; LONGEST + 1],
    symbols: Vec<u16>,
}

#[derive(Default)]
struct Codes {
    literals: Code,
    distances: Code,
}

fn literal_entry(symbol: u16) -> u16 {
    match symbol {
        0..=255 => LITERAL << 8,
        256 => END << 8,
        257..=264 | 285 => MATCH << 8,
        265..=284 => MATCH << 8 | ((symbol - 261) / 4) << 4,
        _ => u16::MAX,
    }
}

fn distance_entry(symbol: u16) -> u16 {
    match symbol {
        0..=3 => 0,
        4..=29 => (symbol / 2 - 1) << 4,
        _ => u16::MAX,
    }
}

impl Code {
    /// Makes the code from the length of each symbol's code, 0 for symbols that do not occur.
    fn set(&mut self, lengths: &[u8], entry: fn(u16) -> u16) -> Option<()> {
        self.counts = [0; LONGEST + 1];
        for &length in lengths {
            *self.counts.get_mut(usize::from(length))? += 1;
        }
        if let Some(none) = self.counts.first_mut() {
            *none = 0;
        }
        let mut starts = [0u16; LONGEST + 2];
        let mut first_codes = [0u32; LONGEST + 2];
        let (mut start, mut code) = (0u16, 0u32);
        for (length, &count) in self.counts.iter().enumerate().skip(1) {
            code <<= 1;
            *starts.get_mut(length)? = start;
            *first_codes.get_mut(length)? = code;
            start += count;
            code += u32::from(count);
            if code > 1 << length {
                return None;
            }
        }
        self.symbols.clear();
        self.symbols.resize(usize::from(start), u16::MAX);
        self.fast.clear();
        self.fast.resize(1 << FAST, 0);
        for (symbol, &length) in (0u16..).zip(lengths) {
            if length == 0 {
                continue;
            }
            let place = starts.get_mut(usize::from(length))?;
            let meaning = entry(symbol);
            *self.symbols.get_mut(usize::from(*place))? = meaning;
            *place += 1;
            let code = first_codes.get_mut(usize::from(length))?;
            self.set_fast(*code, u32::from(length), meaning);
            *code += 1;
        }
        Some(())
    }

    fn set_fast(&mut self, code: u32, length: u32, meaning: u16) {
        if length > FAST || meaning == u16::MAX {
            return;
        }
        let reversed = code.reverse_bits() >> (32 - length);
        let value = meaning | u16::try_from(length).unwrap_or(0);
        for high in 0..1u32 << (FAST - length) {
            if let Some(place) = self.fast.get_mut((high << length | reversed) as usize) {
                *place = value;
            }
        }
    }

    /// The next symbol's entry; its code and extra bits are dropped.
    #[inline]
    fn next(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let at = usize::try_from(bits.hold & ((1 << FAST) - 1)).ok()?;
        let entry = *self.fast.get(at)?;
        if entry == 0 {
            return self.slow(bits);
        }
        bits.drop_bits(u32::from(entry & 15) + u32::from(entry >> 4 & 15));
        Some(entry >> 8)
    }

    #[cold]
    fn slow(&self, bits: &mut Bits<'_>) -> Option<u16> {
        let (mut code, mut first, mut index) = (0u32, 0u32, 0u32);
        for length in 1..=LONGEST {
            code |= u32::try_from(bits.take(1)?).ok()?;
            let count = u32::from(*self.counts.get(length)?);
            if code < first + count {
                let symbol = *self.symbols.get((index + code - first) as usize)?;
                if symbol == u16::MAX {
                    return None;
                }
                bits.drop_bits(u32::from(symbol >> 4 & 15));
                return Some(symbol >> 8);
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

impl Codes {
    /// RFC 1951, 3.2.6.
    fn set_fixed(&mut self) -> Option<()> {
        let mut lengths = [8u8; 288];
        lengths.get_mut(144..256)?.fill(9);
        lengths.get_mut(256..280)?.fill(7);
        self.literals.set(&lengths, literal_entry)?;
        self.distances.set(&[5; 30], distance_entry)
    }

    /// RFC 1951, 3.2.7.
    fn read(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        const ORDER: [usize; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        bits.refill();
        let literals = bits.take(5)? + 257;
        let distances = bits.take(5)? + 1;
        let count = bits.take(4)? + 4;
        let mut short = [0u8; 19];
        for &place in ORDER.get(..count)? {
            bits.refill();
            *short.get_mut(place)? = u8::try_from(bits.take(3)?).ok()?;
        }
        let mut code = Code::default();
        // The symbol itself is wanted here, and has no extra bits of its own.
        code.set(&short, |symbol| symbol << 8)?;
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

fn skip_symbols(bits: &mut Bits<'_>, codes: &Codes) -> Option<()> {
    loop {
        bits.refill();
        // A literal or length takes up to 15 + 5 bits, a distance 15 + 13.
        while bits.held >= 20 {
            match codes.literals.next(bits)? {
                LITERAL => {}
                MATCH => {
                    if bits.held < 28 {
                        bits.refill();
                        bits.within()?;
                    }
                    codes.distances.next(bits)?;
                }
                _ => return Some(()),
            }
        }
        bits.within()?;
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
                    let found = last(&packed).unwrap();
                    assert_eq!(found.end.div_ceil(8), packed.len(), "{kind} {size}");
                    assert_eq!(packed[found.begin / 8] >> (found.begin % 8) & 1, 1);
                    assert!(last(&packed[..length / 2]).is_none() || length < 4);
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
            if let Some(found) = last(&data) {
                assert!(found.begin < found.end && found.end <= data.len() * 8);
            }
        }
    }
}
