//! Reads a gzip file of one member that was written in pieces (`pieces.rs`), as fast as decompressing whole buffers.
//!
//! Each piece except the last ends in an empty stored block, which its last four bytes identify; with an end in place
//! of that block, the piece is a complete stream. Other files are an error here; `archive::unpack` reads them.

use std::io::{self, Read};

use super::BLOCK;
use crate::archive::{fill, invalid};

/// The end of an empty stored block (RFC 1951, 3.2.4).
const MARK: [u8; 4] = [0, 0, 0xff, 0xff];
/// A final stored block. Its content shows that it was reached.
const LAST: [u8; 5 + SIGN] = *b"\x01\x08\x00\xf7\xff\xd1\x9eqx\xfb\x03\xb7\x5a";
const SIGN: usize = 8;
/// The header that qxbatch writes; its byte 8 depends on the level (RFC 1952, 2.3).
const HEAD: usize = 10;
/// CRC-32 and size.
const TAIL: usize = 8;
/// Limit on coincidental marks in one piece; each costs as much as a piece.
const MAX_FALSE_MARKS: u32 = 16;

/// Sizes of the buffers.
#[derive(Debug, Clone, Copy)]
pub struct Buffers {
    /// Bytes read at a time; the content buffer starts with the same size, and doubles as needed.
    pub block: usize,
    /// Limit on a piece, packed or not; a larger one is an error.
    pub piece: usize,
}

/// For files that qxbatch wrote: data of up to 32 MB are compressed as a whole.
const DEFAULT_BUFFERS: Buffers = Buffers {
    block: BLOCK,
    piece: 33 << 20,
};

/// The content of a gzip file.
pub struct PiecesReader<R> {
    input: R,
    buffers: Buffers,
    ended: bool,
    /// Bytes read, starting at the next piece.
    packed: Vec<u8>,
    from: usize,
    /// Where to search for the next mark.
    looked: usize,
    content: Vec<u8>,
    at: usize,
    length: usize,
    crc: crc32fast::Hasher,
    size: u32,
    inflate: libdeflater::Decompressor,
    done: bool,
}

impl<R: Read> PiecesReader<R> {
    /// Reads the header.
    pub fn open(input: R) -> io::Result<Self> {
        Self::with_buffers(input, DEFAULT_BUFFERS)
    }

    /// The same with other buffers; a block has at least one byte.
    pub fn with_buffers(mut input: R, buffers: Buffers) -> io::Result<Self> {
        let mut head = [0; HEAD];
        input.read_exact(&mut head)?;
        if !head.starts_with(&[0x1f, 0x8b, 8, 0]) {
            return Err(invalid("not written in pieces by qxbatch"));
        }
        Ok(Self {
            input,
            buffers,
            ended: false,
            packed: Vec::new(),
            from: 0,
            looked: 0,
            content: vec![0; buffers.block],
            at: 0,
            length: 0,
            crc: crc32fast::Hasher::new(),
            size: 0,
            inflate: libdeflater::Decompressor::new(),
            done: false,
        })
    }

    fn next_piece(&mut self) -> io::Result<()> {
        self.at = 0;
        self.length = 0;
        let mut chance = 0;
        loop {
            let unread = self.packed.get(self.looked..).unwrap_or_default();
            if let Some(start) = memchr::memmem::find(unread, &MARK) {
                let end = self.looked + start + MARK.len();
                // The checksum and size follow the last piece; after another piece there must be room for an end.
                if end + TAIL >= self.packed.len() && !self.ended {
                    self.more()?;
                    continue;
                }
                if end + TAIL == self.packed.len() {
                    return self.last();
                }
                self.looked = end;
                if self.inflate_open(end)? {
                    self.from = end;
                    return Ok(());
                }
                chance += 1;
                if chance > MAX_FALSE_MARKS {
                    return Err(invalid("not written in pieces by qxbatch"));
                }
                continue;
            }
            if self.ended {
                return self.last();
            }
            self.looked = self
                .packed
                .len()
                .saturating_sub(MARK.len() - 1)
                .max(self.from);
            self.more()?;
        }
    }

    /// Reads more bytes and drops used ones.
    fn more(&mut self) -> io::Result<()> {
        self.packed.drain(..self.from);
        self.looked -= self.from;
        self.from = 0;
        let loaded = self.packed.len();
        if loaded > self.buffers.piece {
            return Err(invalid("a piece is too large"));
        }
        self.packed.resize(loaded + self.buffers.block, 0);
        let got = fill(
            &mut self.input,
            self.packed.get_mut(loaded..).unwrap_or_default(),
        )?;
        self.packed.truncate(loaded + got);
        self.ended = got < self.buffers.block;
        Ok(())
    }

    /// Inflates a piece that others follow; returns false if it is not a piece, because the mark is a coincidence or
    /// the stream ends within it.
    fn inflate_open(&mut self, end: usize) -> io::Result<bool> {
        let loaded = self.packed.len();
        let whole = end + LAST.len();
        self.packed.resize(loaded.max(whole), 0);
        let mut saved = LAST;
        if let Some(behind) = self.packed.get_mut(end..whole) {
            behind.swap_with_slice(&mut saved);
        }
        let done = self.inflate(whole);
        if let Some(behind) = self.packed.get_mut(end..whole) {
            behind.swap_with_slice(&mut saved);
        }
        self.packed.truncate(loaded);
        let (true, Some(length)) = (done?, self.length.checked_sub(SIGN)) else {
            return Ok(false);
        };
        let sign = LAST.get(LAST.len() - SIGN..);
        if self.content.get(length..self.length) != sign {
            return Ok(false);
        }
        self.length = length;
        self.count();
        Ok(true)
    }

    fn last(&mut self) -> io::Result<()> {
        let end = self.packed.len().saturating_sub(TAIL);
        // The inflater does not report where it stopped: with one byte less, the stream must be incomplete.
        if end <= self.from || self.inflate(end - 1)? || !self.inflate(end)? {
            return Err(invalid("not written in pieces by qxbatch"));
        }
        self.count();
        let mut sums = self.crc.clone().finalize().to_le_bytes().to_vec();
        sums.extend(self.size.to_le_bytes());
        if self.packed.get(end..) != Some(sums.as_slice()) {
            return Err(invalid("its sums differ"));
        }
        self.done = true;
        Ok(())
    }

    /// Adds inflated bytes to the checksum and size.
    fn count(&mut self) {
        let content = self.content.get(..self.length).unwrap_or_default();
        self.crc.update(content);
        let length = u32::try_from(self.length).unwrap_or(0);
        self.size = self.size.wrapping_add(length);
    }

    fn inflate(&mut self, end: usize) -> io::Result<bool> {
        use libdeflater::DecompressionError::{BadData, InsufficientSpace};
        let most = self.buffers.piece;
        let packed = self.packed.get(self.from..end).unwrap_or_default();
        loop {
            match self.inflate.deflate_decompress(packed, &mut self.content) {
                Ok(length) => {
                    self.length = length;
                    return Ok(true);
                }
                Err(BadData) => return Ok(false),
                Err(InsufficientSpace) if self.content.len() < most => {
                    self.content.resize((self.content.len() * 2).min(most), 0);
                }
                Err(InsufficientSpace) => return Err(invalid("a piece is too large")),
            }
        }
    }
}

impl<R: Read> Read for PiecesReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.length {
            if self.done {
                return Ok(0);
            }
            self.next_piece()?;
        }
        let ready = self.content.get(self.at..self.length).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
