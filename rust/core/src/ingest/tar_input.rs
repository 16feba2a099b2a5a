//! The input of a tar, with a limit on expansion.

use std::io::{self, Read};

use super::expansion::ExpansionReader;
use crate::archive::unpack::Unpack;
use crate::archive::{expands_too_much, expands_too_much_reason, invalid};

/// The input of a tar: a plain file, or the unpacked content of a compressed file, whose expansion is limited here.
///
/// In both, an [`ExpansionReader`] also counts what is read as expansion of the archives that contain the file.
pub enum Input<'a> {
    /// Uncompressed: the file, the number of bytes read so far, and the length of the file when it was opened.
    Plain(ExpansionReader<'a, Box<dyn Read + Send + 'a>>, u64, u64),
    /// Compressed: the unpacked content, the number of unpacked bytes so far, and the limit on expansion (a factor).
    Packed(Box<ExpansionReader<'a, Unpack<'a>>>, u64, u64),
}

impl Input<'_> {
    /// Returns how many bytes of the archive file were read so far.
    pub fn consumed(&self) -> u64 {
        match self {
            Self::Plain(_, count, _) => *count,
            Self::Packed(unpack, ..) => unpack.get_ref().consumed(),
        }
    }

    /// Returns whether fewer than `bytes` further bytes are in the file; false for a compressed file, whose content has no
    /// known length.
    pub fn ends_before(&self, bytes: u64) -> bool {
        match self {
            Self::Plain(_, count, len) => bytes > len.saturating_sub(*count),
            Self::Packed(..) => false,
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(input, count, _) => {
                let got = input.read(buffer)?;
                *count += got as u64;
                Ok(got)
            }
            Self::Packed(unpack, count, max_ratio) => {
                let got = unpack.read(buffer)?;
                *count += got as u64;
                if expands_too_much(*count, unpack.get_ref().consumed(), *max_ratio) {
                    return Err(invalid(expands_too_much_reason(*max_ratio)));
                }
                Ok(got)
            }
        }
    }
}
