//! PPMd, variant H, decoded by the crate ppmd-rust.

use std::io::{self, Read};

use ppmd_rust::Ppmd7Decoder;
use ppmd_rust::{PPMD7_MAX_MEM_SIZE, PPMD7_MAX_ORDER, PPMD7_MIN_MEM_SIZE, PPMD7_MIN_ORDER};

use super::fields::DAMAGED;
use crate::archive::invalid;

/// Creates the decoder at the first read, not before: a new decoder reads the first packed bytes, and these may be
/// invalid, for example with a wrong password.
pub enum Ppmd<R: Read> {
    /// Before the first read: the stream, order and memory.
    Waiting(Option<R>, u32, u32),
    /// After the first read.
    Open(Box<Ppmd7Decoder<R>>),
}

impl<R: Read> Ppmd<R> {
    /// Checks the properties (order, memory, and bytes that some programs add), without reading from `packed`.
    pub fn new(properties: &[u8], packed: R) -> Result<Self, String> {
        let [order, a, b, c, d, ..] = *properties else {
            return Err(DAMAGED.into());
        };
        let (order, memory) = (u32::from(order), u32::from_le_bytes([a, b, c, d]));
        let sound = (PPMD7_MIN_ORDER..=PPMD7_MAX_ORDER).contains(&order)
            && (PPMD7_MIN_MEM_SIZE..=PPMD7_MAX_MEM_SIZE).contains(&memory);
        if !sound {
            return Err(DAMAGED.into());
        }
        Ok(Self::Waiting(Some(packed), order, memory))
    }
}

impl<R: Read> Read for Ppmd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bad = || invalid("its PPMd data are damaged");
        if let Self::Waiting(packed, order, memory) = self {
            let packed = packed.take().ok_or_else(bad)?;
            let decoder = Ppmd7Decoder::new(packed, *order, *memory).map_err(|_| bad())?;
            *self = Self::Open(Box::new(decoder));
        }
        match self {
            Self::Open(decoder) => decoder.read(buffer),
            Self::Waiting(..) => Err(bad()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Ppmd;

    #[test]
    fn properties_have_at_least_five_bytes() {
        // order 6 and 16 MB of memory; py7zr adds two bytes
        let properties = [6, 0, 0, 0, 1, 0, 0];
        for (length, is_read) in [(4, false), (5, true), (7, true)] {
            let decoder = properties
                .get(..length)
                .map(|given| Ppmd::new(given, &[0_u8; 8][..]).is_ok());
            assert_eq!(decoder, Some(is_read), "{length}");
        }
    }
}
