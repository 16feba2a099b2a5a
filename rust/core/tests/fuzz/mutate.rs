//! Mutations in stable Rust, reproducible by seed.

/// A reproducible generator (xorshift, 64 bits).
pub struct Random(u64);

impl Random {
    /// Accepts any seed, also 0.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Returns a number below a limit; 0 for a limit of 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % (limit.max(1) as u64)).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }
}

const ODD: [u64; 18] = [
    0,
    1,
    2,
    7,
    8,
    0x1f,
    0x7f,
    0x80,
    0xfe,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    u64::MAX,
];

/// Changes bytes in one to five ways; `other` is a second input to copy from.
pub fn mutate(
    bytes: &mut Vec<u8>,
    other: &[u8],
    words: &[&[u8]],
    longest: usize,
    random: &mut Random,
) {
    for _ in 0..=random.below(5) {
        once(bytes, other, words, random);
    }
    bytes.truncate(longest);
}

fn once(bytes: &mut Vec<u8>, other: &[u8], words: &[&[u8]], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(256)).min(bytes.len());
    match random.below(11) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, copy).for_each(drop);
        }
        3 => {
            let (byte, count) = (random.byte(), random.below(20));
            bytes
                .splice(at..at, std::iter::repeat_n(byte, count))
                .for_each(drop);
        }
        4 => {
            let from = random.below(other.len() + 1);
            let piece = &other[from..(from + random.below(512)).min(other.len())];
            let over = if random.below(2) == 0 {
                at
            } else {
                (at + piece.len()).min(bytes.len())
            };
            bytes.splice(at..over, piece.iter().copied()).for_each(drop);
        }
        5 if !words.is_empty() => {
            let word = words[random.below(words.len())];
            let over = if random.below(2) == 0 {
                at
            } else {
                (at + word.len()).min(bytes.len())
            };
            bytes.splice(at..over, word.iter().copied()).for_each(drop);
        }
        6 | 7 => number(bytes, at, random),
        8 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.byte();
            }
        }
        _ => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
    }
}

/// Writes an interesting number, or one near the current one, into 1 to 8 bytes in either byte order.
fn number(bytes: &mut [u8], at: usize, random: &mut Random) {
    let size = 1 << random.below(4);
    let Some(field) = bytes.get_mut(at..at + size) else {
        return;
    };
    let odd = ODD[random.below(ODD.len())];
    let mut wide = [0; 8];
    wide[..size].copy_from_slice(field);
    let near = u64::from_le_bytes(wide)
        .wrapping_add(odd % 40)
        .wrapping_sub(8);
    let value = if random.below(3) == 0 { near } else { odd };
    field.copy_from_slice(&value.to_le_bytes()[..size]);
    if random.below(3) == 0 {
        field.reverse();
    }
}
