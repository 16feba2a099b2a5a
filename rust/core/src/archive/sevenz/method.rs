//! The coders of a block (data that are packed together): methods with their properties.

use super::fields::{DAMAGED, FieldReader};

/// A coder's method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Stored without compression.
    Copy,
    /// LZMA.
    Lzma,
    /// LZMA2.
    Lzma2,
    /// PPMd, variant H.
    Ppmd,
    /// bzip2.
    Bzip2,
    /// Deflate.
    Deflate,
    /// Deflate64.
    Deflate64,
    /// Zstandard, as some builds of 7-Zip write it.
    Zstd,
    /// Delta filter.
    Delta,
    /// Branch filter for machine code.
    Branch(Machine),
    /// Branch filter for x86 with four streams (BCJ2).
    Bcj2,
    /// AES-256 with a key derived by SHA-256.
    Aes,
    /// An unknown method.
    Unknown,
}

/// Processor types of branch filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// x86.
    X86,
    /// PowerPC.
    Ppc,
    /// Itanium.
    Ia64,
    /// ARM.
    Arm,
    /// ARM Thumb.
    ArmThumb,
    /// SPARC.
    Sparc,
    /// ARM, 64 bit.
    Arm64,
    /// RISC-V.
    Riscv,
}

impl Method {
    /// Returns the method with this id (Methods.txt of the LZMA SDK).
    fn of(id: &[u8]) -> Self {
        match id {
            [0] => Self::Copy,
            [3] => Self::Delta,
            [0x21] => Self::Lzma2,
            [3, 1, 1] => Self::Lzma,
            [3, 4, 1] => Self::Ppmd,
            [4, 1, 8] => Self::Deflate,
            [4, 1, 9] => Self::Deflate64,
            [4, 2, 2] => Self::Bzip2,
            [4, 0xf7, 0x11, 1] => Self::Zstd,
            [6, 0xf1, 7, 1] => Self::Aes,
            [3, 3, 1, 0x1b] => Self::Bcj2,
            [4] | [3, 3, 1, 3] => Self::Branch(Machine::X86),
            [5] | [3, 3, 2, 5] => Self::Branch(Machine::Ppc),
            [6] | [3, 3, 4, 1] => Self::Branch(Machine::Ia64),
            [7] | [3, 3, 5, 1] => Self::Branch(Machine::Arm),
            [8] | [3, 3, 7, 1] => Self::Branch(Machine::ArmThumb),
            [9] | [3, 3, 8, 5] => Self::Branch(Machine::Sparc),
            [0x0a] => Self::Branch(Machine::Arm64),
            [0x0b] => Self::Branch(Machine::Riscv),
            _ => Self::Unknown,
        }
    }
}

/// One coder of a block.
#[derive(Debug)]
pub struct Coder {
    /// Its method.
    pub method: Method,
    /// The id of the method, for messages about an unknown one.
    pub id: Box<[u8]>,
    /// Number of input streams.
    pub inputs: usize,
    /// Its properties.
    pub properties: Box<[u8]>,
}

impl Coder {
    /// Reads one coder, with at most `most` input streams; each coder has one output stream.
    pub fn parse(fields: &mut FieldReader<'_>, most: usize) -> Result<Self, String> {
        let flags = fields.byte()?;
        let id: Box<[u8]> = fields.bytes(usize::from(flags & 15))?.into();
        let mut inputs = 1;
        if flags & 0x10 != 0 {
            inputs = fields.count(most)?;
            fields.expect(1)?;
        }
        let mut properties = Box::default();
        if flags & 0x20 != 0 {
            let size = fields.count(fields.remaining())?;
            properties = fields.bytes(size)?.into();
        }
        let method = Method::of(&id);
        let takes = if method == Method::Bcj2 { 4 } else { 1 };
        if flags & 0xc0 != 0 || (method != Method::Unknown && inputs != takes) {
            return Err(DAMAGED.into());
        }
        Ok(Self {
            method,
            id,
            inputs,
            properties,
        })
    }

    /// Returns the memory in bytes of the decoder's dictionary or model, for `size` bytes of content; 0 for methods
    /// whose properties do not state it.
    pub fn memory(&self, size: u64) -> u64 {
        let word = |at: usize| {
            let bytes = self
                .properties
                .get(at..at + 4)
                .and_then(<[u8]>::first_chunk);
            bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
        };
        match self.method {
            // A dictionary never needs more than the content.
            Method::Lzma => word(1).min(size),
            Method::Lzma2 => {
                lzma2_dictionary(self.properties.first().copied().unwrap_or(0)).min(size)
            }
            Method::Ppmd => word(1),
            _ => 0,
        }
    }
}

/// Returns the dictionary size for the property byte of LZMA2.
pub fn lzma2_dictionary(byte: u8) -> u64 {
    u64::from(2 | byte & 1) << (byte.min(40) / 2 + 11)
}
