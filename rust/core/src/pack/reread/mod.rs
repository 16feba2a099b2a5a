//! Reads back a gzip file of one member that was written in pieces (`pieces.rs`), as fast as whole buffers allow.
//!
//! Each piece but the last ends in an empty stored block, so in four bytes that are easily found; made an end, the piece is
//! a stream of its own. What is not of this kind is an error here, and read by `archive::unpack` instead.

use std::io::{self, Read};

use super::BLOCK;
use crate::archive::{fill, invalid};

/// How an empty stored block ends (RFC 1951, 3.2.4).
const MARK: [u8; 4] = [0, 0, 0xff, 0xff];
/// A stored block that is the last one. Its content shows that it was reached.
const LAST: [u8; 5 + SIGN] = *b"\x01\x08\x00\xf7\xff\xd1\x9eqx\xfb\x03\xb7\x5a";
const SIGN: usize = 8;
/// Our own header; its byte 8 differs with the level (RFC 1952, 2.3).
const HEAD: usize = 10;
/// CRC-32 and size.
const TAIL: usize = 8;
/// So many chance marks may stand in one piece; each costs as much as a piece does.
const CHANCE: u32 = 16;

/// How much is held at once.
#[derive(Debug, Clone, Copy)]
pub struct Buffers {
    /// Bytes read at a time; the buffer of the content begins with as many, and doubles as it has to.
    pub block: usize,
    /// No piece takes more, packed or not; a larger one is an error.
    pub piece: usize,
}

/// For files written here: what is compressed as a whole has up to 32 MB.
const USUAL: Buffers = Buffers {
    block: BLOCK,
    piece: 33 << 20,
};

/// The content of a gzip file.
pub struct PiecesReader<R> {
    input: R,
    buffers: Buffers,
    ended: bool,
    /// What was read, from the next piece on.
    packed: Vec<u8>,
    from: usize,
    /// Where the next mark is looked for.
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
        Self::with_buffers(input, USUAL)
    }

    /// The same with other buffers; a block has at least one byte.
    pub fn with_buffers(mut input: R, buffers: Buffers) -> io::Result<Self> {
        let mut head = [0; HEAD];
        input.read_exact(&mut head)?;
        if !head.starts_with(&[0x1f, 0x8b, 8, 0]) {
            return Err(invalid("not of the kind that is written here"));
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
            if let Some(found) = memchr::memmem::find(unread, &MARK) {
                let end = self.looked + found + MARK.len();
                // Behind the last piece stand the sums; behind another there must be room for an end.
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
                if chance > CHANCE {
                    return Err(invalid("not of the kind that is written here"));
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

    /// Reads on; what was used is dropped.
    fn more(&mut self) -> io::Result<()> {
        self.packed.drain(..self.from);
        self.looked -= self.from;
        self.from = 0;
        let held = self.packed.len();
        if held > self.buffers.piece {
            return Err(invalid("a piece is too large"));
        }
        self.packed.resize(held + self.buffers.block, 0);
        let got = fill(
            &mut self.input,
            self.packed.get_mut(held..).unwrap_or_default(),
        )?;
        self.packed.truncate(held + got);
        self.ended = got < self.buffers.block;
        Ok(())
    }

    /// Inflates a piece that others follow; false when it is none, as the mark was a chance one, or as the stream ends
    /// within it.
    fn inflate_open(&mut self, end: usize) -> io::Result<bool> {
        let held = self.packed.len();
        let whole = end + LAST.len();
        self.packed.resize(held.max(whole), 0);
        let mut saved = LAST;
        if let Some(behind) = self.packed.get_mut(end..whole) {
            behind.swap_with_slice(&mut saved);
        }
        let done = self.inflate(whole);
        if let Some(behind) = self.packed.get_mut(end..whole) {
            behind.swap_with_slice(&mut saved);
        }
        self.packed.truncate(held);
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
        // The inflater does not say where it stopped: with a byte less there must be no whole stream.
        if end <= self.from || self.inflate(end - 1)? || !self.inflate(end)? {
            return Err(invalid("not of the kind that is written here"));
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

    /// Adds what was inflated to the sums.
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
