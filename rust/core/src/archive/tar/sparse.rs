//! Sparse members: the tar stores them without their holes (ranges of zeros), and reading returns them with the holes.

use std::io::{self, Read};

use super::header::{BLOCK, Header, number};
use super::pax::{MAX_PIECES, decimal};
use crate::archive::invalid;

/// Digits of the largest 64-bit number.
const MAX_DIGITS: usize = 20;

/// The pieces of a sparse file that have data: (offset, length) in bytes, in order and without overlap.
#[derive(Debug, Clone, Default)]
pub struct SparseMap {
    pieces: Vec<(u64, u64)>,
    /// Length of the file with all holes, in bytes.
    pub size: u64,
}

impl SparseMap {
    /// Returns a map for a file of `size` bytes, of which `stored` bytes are stored. Fails if the pieces overlap or
    /// are not in order, go beyond `size`, or do not add up to `stored`.
    pub fn new(pieces: Vec<(u64, u64)>, size: u64, stored: u64) -> io::Result<Self> {
        let mut end = 0u64;
        let mut sum = 0u64;
        for &(offset, length) in &pieces {
            let stop = offset
                .checked_add(length)
                .filter(|&stop| offset >= end && stop <= size);
            end = stop.ok_or_else(|| invalid("the map of a sparse file does not fit its size"))?;
            sum += length;
        }
        if sum != stored {
            return Err(invalid(format!(
                "the map of a sparse file names {sum} bytes, {stored} are stored"
            )));
        }
        Ok(Self { pieces, size })
    }
}

/// Reads the pairs of 12-byte numbers (offset, length) of the old GNU sparse format at the start of `fields`, at most
/// `pairs`: an unused pair begins with a zero byte and ends the list. Returns them and whether another block of pairs
/// follows; None for an invalid number, or if `fields` is too short.
#[must_use]
pub fn old_pairs(fields: &[u8], pairs: usize) -> Option<(Vec<(u64, u64)>, bool)> {
    let mut pieces = Vec::new();
    for at in 0..pairs {
        let offset = fields.get(at * 24..at * 24 + 12)?;
        let length = fields.get(at * 24 + 12..at * 24 + 24)?;
        if offset.first() == Some(&0) {
            break;
        }
        pieces.push((number(offset)?, number(length)?));
    }
    Some((
        pieces,
        fields.get(pairs * 24).is_some_and(|&more| more != 0),
    ))
}

/// Returns the length of the file with its holes from a header of the old GNU sparse format (type flag `S`).
#[must_use]
pub fn old_size(header: &Header) -> Option<u64> {
    number(header.block.get(483..495)?)
}

/// Reads the map of pax format 1.0 from the start of the data: decimal numbers on lines, padded to whole blocks.
/// Returns the pieces and the length of the map in bytes.
pub fn map_in_data(data: &mut dyn Read) -> io::Result<(Vec<(u64, u64)>, u64)> {
    let mut lines = Lines {
        data,
        block: [0; BLOCK],
        at: BLOCK,
        consumed: 0,
    };
    let count = lines.number()?;
    let mut pieces = Vec::new();
    for _ in 0..count {
        if pieces.len() >= MAX_PIECES {
            return Err(invalid(
                "the map of a sparse file has more than a million pieces",
            ));
        }
        pieces.push((lines.number()?, lines.number()?));
    }
    Ok((pieces, lines.consumed))
}

/// The lines of a map at the start of the data, read in blocks.
struct Lines<'a> {
    data: &'a mut dyn Read,
    block: [u8; BLOCK],
    /// Index of the next byte in the block.
    at: usize,
    /// Bytes of all blocks so far.
    consumed: u64,
}

impl Lines<'_> {
    /// Returns the number on the next line.
    fn number(&mut self) -> io::Result<u64> {
        let mut text = Vec::new();
        loop {
            if self.at >= self.block.len() {
                self.data.read_exact(&mut self.block)?;
                self.consumed += BLOCK as u64;
                self.at = 0;
            }
            let byte = self.block.get(self.at).copied().unwrap_or(b'\n');
            self.at += 1;
            if byte == b'\n' || text.len() > MAX_DIGITS {
                break;
            }
            text.push(byte);
        }
        decimal(&text).ok_or_else(|| invalid("the map of a sparse file is unreadable"))
    }
}

/// A sparse member with zeros for its holes.
pub struct SparseReader<R> {
    /// The bytes of the pieces one after the other.
    stored: R,
    /// Offset and length of each piece after the current one.
    pieces: std::vec::IntoIter<(u64, u64)>,
    /// Remaining bytes of the hole before the current piece.
    hole: u64,
    /// Remaining bytes of the current piece.
    piece: u64,
    /// Number of bytes that were returned.
    at: u64,
    /// Length of the file with all holes.
    size: u64,
}

impl<R: Read> SparseReader<R> {
    /// Returns a reader of the file; `stored` contains the bytes of the pieces one after the other.
    pub fn new(stored: R, map: SparseMap) -> Self {
        Self {
            stored,
            pieces: map.pieces.into_iter(),
            hole: 0,
            piece: 0,
            at: 0,
            size: map.size,
        }
    }

    /// Goes to the next piece; after the last one, to the end of the file.
    fn next_piece(&mut self) {
        let (offset, length) = self.pieces.next().unwrap_or((self.size, 0));
        self.hole = offset.saturating_sub(self.at);
        self.piece = length;
    }
}

impl<R: Read> Read for SparseReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.hole == 0 && self.piece == 0 {
            if self.at >= self.size || buffer.is_empty() {
                return Ok(0);
            }
            self.next_piece();
        }
        let left = if self.hole > 0 { self.hole } else { self.piece };
        let want = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let part = buffer.get_mut(..want).unwrap_or_default();
        let done = if self.hole > 0 {
            part.fill(0);
            self.hole -= want as u64;
            want
        } else {
            let done = self.stored.read(part)?;
            if done == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.piece -= done as u64;
            done
        };
        self.at += done as u64;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn holes_come_back_as_zeros() {
        let map = SparseMap::new(vec![(2, 3), (5, 1), (8, 0)], 8, 4).unwrap();
        let mut out = Vec::new();
        SparseReader::new(&b"abcd"[..], map)
            .read_to_end(&mut out)
            .unwrap();
        assert_eq!(out, b"\0\0abcd\0\0");
    }

    #[test]
    fn wrong_maps_are_refused() {
        assert!(
            SparseMap::new(vec![(4, 2), (2, 2)], 10, 4).is_err(),
            "backwards"
        );
        assert!(SparseMap::new(vec![(4, 8)], 10, 8).is_err(), "past the end");
        assert!(
            SparseMap::new(vec![(u64::MAX, 2)], 10, 2).is_err(),
            "past 64 bits"
        );
        assert!(SparseMap::new(vec![(0, 2)], 10, 3).is_err(), "sum");
    }

    #[test]
    fn a_map_before_the_data_is_read_in_whole_blocks() {
        let mut data = b"2\n0\n5\n100\n6\n".to_vec();
        data.resize(512, 0);
        data.extend(b"hello world");
        let mut rest = data.as_slice();
        assert_eq!(
            map_in_data(&mut rest).unwrap(),
            (vec![(0, 5), (100, 6)], 512)
        );
        assert_eq!(rest, b"hello world");
    }
}
