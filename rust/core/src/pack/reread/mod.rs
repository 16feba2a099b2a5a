//! Reads a gzip file of one member that was written in pieces (`pieces.rs`) or as one buffer, as fast as decompressing
//! whole buffers.
//!
//! Each piece except the last ends in an empty stored block, which is found by its last four bytes. With a final block
//! appended, a piece is a complete stream, which can be inflated at once. Other files are an error here;
//! `archive::unpack` reads them.

use std::io::{self, Read};

use super::BLOCK;
use crate::archive::invalid;

/// The end of an empty stored block (RFC 1951, 3.2.4).
const MARK: [u8; 4] = [0, 0, 0xff, 0xff];
/// A final stored block. Its content, the signature, shows that it was reached.
const FINAL_BLOCK: [u8; 5 + SIGNATURE_LENGTH] = *b"\x01\x08\x00\xf7\xff\xd1\x9eqx\xfb\x03\xb7\x5a";
const SIGNATURE_LENGTH: usize = 8;
/// Length of the header that qxbatch writes (RFC 1952, 2.3).
const HEADER_LENGTH: usize = 10;
/// Length of the CRC-32 and the size at the end of the file.
const TRAILER_LENGTH: usize = 8;
/// Limit on marks in the packed bytes of one piece that do not end it: at each of them, the piece is inflated up to the
/// mark for nothing.
const MAX_FALSE_MARKS: u32 = 16;

/// Sizes of the buffers.
#[derive(Debug, Clone, Copy)]
pub struct Buffers {
    /// Bytes read at a time; the content buffer starts with the same size, and doubles as needed.
    pub block_length: usize,
    /// Limit in bytes on a piece, packed or not; a larger piece is an error.
    pub max_piece_length: usize,
}

/// Enough for data that were compressed as one buffer, of up to 32 MiB.
const DEFAULT_BUFFERS: Buffers = Buffers {
    block_length: BLOCK,
    max_piece_length: 33 << 20,
};

/// The content of a gzip file.
pub struct PiecesReader<R> {
    input: R,
    buffers: Buffers,
    input_ended: bool,
    /// Bytes that were read and are still needed.
    packed: Vec<u8>,
    /// Where the next piece begins in `packed`.
    piece_start: usize,
    /// Where in `packed` to search for the next mark.
    search_start: usize,
    /// The inflated piece, in the first `content_length` bytes.
    content: Vec<u8>,
    content_length: usize,
    /// How many bytes of the content were returned.
    position: usize,
    crc: crc32fast::Hasher,
    /// Length of the content of all pieces, modulo 2^32.
    total_size: u32,
    inflate: libdeflater::Decompressor,
    done: bool,
}

impl<R: Read> PiecesReader<R> {
    /// Reads the header, and returns the reader of the content; fails unless it is a gzip header without
    /// optional parts.
    pub fn open(input: R) -> io::Result<Self> {
        Self::with_buffers(input, DEFAULT_BUFFERS)
    }

    /// The same as [`PiecesReader::open`] with other buffers; `buffers.block_length` is at least 1.
    pub fn with_buffers(mut input: R, buffers: Buffers) -> io::Result<Self> {
        let mut head = [0; HEADER_LENGTH];
        input.read_exact(&mut head)?;
        if !head.starts_with(&[0x1f, 0x8b, 8, 0]) {
            return Err(invalid("not written in pieces by qxbatch"));
        }
        Ok(Self {
            input,
            buffers,
            input_ended: false,
            packed: Vec::new(),
            piece_start: 0,
            search_start: 0,
            content: vec![0; buffers.block_length],
            content_length: 0,
            position: 0,
            crc: crc32fast::Hasher::new(),
            total_size: 0,
            inflate: libdeflater::Decompressor::new(),
            done: false,
        })
    }

    /// Inflates the next piece into `content`.
    fn next_piece(&mut self) -> io::Result<()> {
        self.position = 0;
        self.content_length = 0;
        let mut false_marks = 0;
        loop {
            let unsearched = self.packed.get(self.search_start..).unwrap_or_default();
            if let Some(start) = memchr::memmem::find(unsearched, &MARK) {
                let end = self.search_start + start + MARK.len();
                // A mark with only the trailer after it may end the last piece: load enough bytes to tell.
                if end + TRAILER_LENGTH >= self.packed.len() && !self.input_ended {
                    self.read_more()?;
                    continue;
                }
                if end + TRAILER_LENGTH == self.packed.len() {
                    return self.inflate_last();
                }
                self.search_start = end;
                if self.inflate_piece_before_others(end)? {
                    self.piece_start = end;
                    return Ok(());
                }
                false_marks += 1;
                if false_marks > MAX_FALSE_MARKS {
                    return Err(invalid("not written in pieces by qxbatch"));
                }
                continue;
            }
            if self.input_ended {
                return self.inflate_last();
            }
            self.search_start = self
                .packed
                .len()
                .saturating_sub(MARK.len() - 1)
                .max(self.piece_start);
            self.read_more()?;
        }
    }

    /// Reads more bytes and drops used ones.
    fn read_more(&mut self) -> io::Result<()> {
        self.packed.drain(..self.piece_start);
        self.search_start -= self.piece_start;
        self.piece_start = 0;
        let loaded = self.packed.len();
        if loaded > self.buffers.max_piece_length {
            return Err(invalid("a piece is too large"));
        }
        // A buffer filled with zeros would cost more: most files are smaller than a block.
        let bytes_read = (&mut self.input)
            .take(self.buffers.block_length as u64)
            .read_to_end(&mut self.packed)?;
        self.input_ended = bytes_read < self.buffers.block_length;
        Ok(())
    }

    /// Inflates the piece that ends with the mark before `end` and that others follow; returns false if these bytes are
    /// not a whole piece, for example because the mark is a coincidence.
    fn inflate_piece_before_others(&mut self, end: usize) -> io::Result<bool> {
        let loaded = self.packed.len();
        let block_end = end + FINAL_BLOCK.len();
        self.packed.resize(loaded.max(block_end), 0);
        let mut saved = FINAL_BLOCK;
        if let Some(after_piece) = self.packed.get_mut(end..block_end) {
            after_piece.swap_with_slice(&mut saved);
        }
        let complete = self.inflate(block_end);
        if let Some(after_piece) = self.packed.get_mut(end..block_end) {
            after_piece.swap_with_slice(&mut saved);
        }
        self.packed.truncate(loaded);
        let (true, Some(length)) = (complete?, self.content_length.checked_sub(SIGNATURE_LENGTH))
        else {
            return Ok(false);
        };
        let signature = FINAL_BLOCK.get(FINAL_BLOCK.len() - SIGNATURE_LENGTH..);
        if self.content.get(length..self.content_length) != signature {
            return Ok(false);
        }
        self.content_length = length;
        self.add_to_sums();
        Ok(true)
    }

    /// Inflates the last piece, and compares checksum and size with the trailer.
    fn inflate_last(&mut self) -> io::Result<()> {
        let end = self.packed.len().saturating_sub(TRAILER_LENGTH);
        // The inflater does not report where it stopped: with one byte less, the stream must be incomplete.
        if end <= self.piece_start || self.inflate(end - 1)? || !self.inflate(end)? {
            return Err(invalid("not written in pieces by qxbatch"));
        }
        self.add_to_sums();
        let mut sums = self.crc.clone().finalize().to_le_bytes().to_vec();
        sums.extend(self.total_size.to_le_bytes());
        if self.packed.get(end..) != Some(sums.as_slice()) {
            return Err(invalid("its sums differ"));
        }
        self.done = true;
        Ok(())
    }

    /// Adds inflated bytes to the checksum and size.
    fn add_to_sums(&mut self) {
        let content = self.content.get(..self.content_length).unwrap_or_default();
        self.crc.update(content);
        let length = u32::try_from(self.content_length).unwrap_or(0);
        self.total_size = self.total_size.wrapping_add(length);
    }

    /// Inflates the bytes of `packed` from `piece_start` to `end`; returns false if they do not begin with a complete
    /// stream.
    fn inflate(&mut self, end: usize) -> io::Result<bool> {
        use libdeflater::DecompressionError::{BadData, InsufficientSpace};
        let limit = self.buffers.max_piece_length;
        let packed = self.packed.get(self.piece_start..end).unwrap_or_default();
        loop {
            match self.inflate.deflate_decompress(packed, &mut self.content) {
                Ok(length) => {
                    self.content_length = length;
                    return Ok(true);
                }
                Err(BadData) => return Ok(false),
                Err(InsufficientSpace) if self.content.len() < limit => {
                    self.content.resize((self.content.len() * 2).min(limit), 0);
                }
                Err(InsufficientSpace) => return Err(invalid("a piece is too large")),
            }
        }
    }
}

impl<R: Read> Read for PiecesReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.position == self.content_length {
            if self.done {
                return Ok(0);
            }
            self.next_piece()?;
        }
        let ready = self
            .content
            .get(self.position..self.content_length)
            .unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.position += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
