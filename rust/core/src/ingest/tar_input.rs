//! The input of a tar, with a limit on expansion.

use std::io::{self, Read};

use super::expansion::Counted;
use crate::archive::unpack::Unpack;
use crate::archive::{beyond, invalid, too_much};

/// The input of a tar: the content of a compression, whose expansion is limited, or a plain file.
pub enum Input<'a> {
    /// Uncompressed; with the bytes read so far, and the length of the file when it was opened.
    Plain(Counted<'a, Box<dyn Read + Send + 'a>>, u64, u64),
    /// Compressed; with the unpacked bytes so far and the largest ratio.
    Packed(Box<Counted<'a, Unpack<'a>>>, u64, u64),
}

impl Input<'_> {
    /// Returns the bytes of the packet that were read so far.
    pub fn packed(&self) -> u64 {
        match self {
            Self::Plain(_, out, _) => *out,
            Self::Packed(unpack, ..) => unpack.get_ref().consumed(),
        }
    }

    /// Returns whether the file ends before this many more bytes; a compressed file does not tell.
    pub fn ends_before(&self, bytes: u64) -> bool {
        match self {
            Self::Plain(_, out, len) => bytes > len.saturating_sub(*out),
            Self::Packed(..) => false,
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input, out, _) => {
                let got = input.read(buffer)?;
                *out += got as u64;
                Ok(got)
            }
            Self::Packed(unpack, out, max_ratio) => {
                let got = unpack.read(buffer)?;
                *out += got as u64;
                if too_much(*out, unpack.get_ref().consumed(), *max_ratio) {
                    return Err(invalid(beyond(*max_ratio)));
                }
                Ok(got)
            }
        }
    }
}
