//! The stream under a tar, watched so that a bomb ends early.

use std::io::{self, Read};

use crate::archive::unpack::Unpack;
use crate::archive::{beyond, invalid, too_much};

/// A stream under a tar: a compression's content, which must not grow beyond all measure, or a plain file.
pub enum Input<'a> {
    /// Not compressed; with what was read so far.
    Plain(Box<dyn Read + Send + 'a>, u64),
    /// Compressed; with what came out so far and the largest ratio.
    Packed(Box<Unpack<'a>>, u64, u64),
}

impl Input<'_> {
    /// Bytes of the packet that were read so far.
    pub fn packed(&self) -> u64 {
        match self {
            Self::Plain(_, out) => *out,
            Self::Packed(unpack, ..) => unpack.taken(),
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input, out) => {
                let got = input.read(buffer)?;
                *out += got as u64;
                Ok(got)
            }
            Self::Packed(unpack, out, max_ratio) => {
                let got = unpack.read(buffer)?;
                *out += got as u64;
                if too_much(*out, unpack.taken(), *max_ratio) {
                    return Err(invalid(beyond(*max_ratio)));
                }
                Ok(got)
            }
        }
    }
}
