//! Writes one gzip member of any length, piece by piece, with a compressor that takes only whole buffers.
//!
//! Each piece is compressed separately, without references to the content of the previous piece, and is a complete
//! deflate stream. In each piece except the last, the last block is then marked as not last, and an empty stored block
//! follows, which ends at a whole byte (RFC 1951, 3.2.4): the next piece continues the stream there.

use std::io::{self, Write};

use super::blocks;

/// Length of the content of a piece in bytes; the last piece, and a piece before a stream that [`PiecesWriter::splice`]
/// writes, may be shorter.
const PIECE_LENGTH: usize = 8 << 20;

/// A gzip member that is written incrementally.
pub struct PiecesWriter<W> {
    writer: W,
    level: i32,
    compressor: libdeflater::Compressor,
    /// The content of the current piece.
    content: Vec<u8>,
    /// Buffer for the compressed piece.
    packed: Vec<u8>,
    crc: crc32fast::Hasher,
    /// Length of the whole content modulo 2^32 (RFC 1952, 2.3.1).
    size: u32,
}

impl<W: Write> PiecesWriter<W> {
    /// Writes the header, without name or time, and returns the writer of the content.
    pub fn new(mut writer: W, level: i32) -> io::Result<Self> {
        // As libdeflate writes them (RFC 1952, 2.3.1): XFL is 4 for the fastest level and 2 for the slowest ones, OS is
        // 255 (unknown).
        let extra_flags = match level {
            ..2 => 4,
            2..8 => 0,
            8.. => 2,
        };
        writer.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra_flags, 255])?;
        let compression_level = libdeflater::CompressionLvl::new(level).unwrap_or_default();
        Ok(Self {
            writer,
            level,
            compressor: libdeflater::Compressor::new(compression_level),
            content: Vec::with_capacity(PIECE_LENGTH),
            packed: Vec::new(),
            crc: crc32fast::Hasher::new(),
            size: 0,
        })
    }

    /// Compresses the remaining bytes, writes checksum and size, and returns the underlying writer.
    pub fn finish(mut self) -> io::Result<W> {
        let length = self.compress()?;
        self.write_packed(length)?;
        self.writer.write_all(&self.crc.finalize().to_le_bytes())?;
        self.writer.write_all(&self.size.to_le_bytes())?;
        Ok(self.writer)
    }

    /// Ends the current piece, then writes a deflate stream that another one can follow (see [`blocks::make_extendable`]).
    /// `size` and `crc` are those of its content.
    pub fn splice(&mut self, packed: &[u8], crc: u32, size: u64) -> io::Result<()> {
        if !self.content.is_empty() {
            self.write_piece()?;
        }
        let content = crc32fast::Hasher::new_with_initial_len(crc, size);
        self.crc.combine(&content);
        let [a, b, c, d, ..] = size.to_le_bytes();
        self.size = self.size.wrapping_add(u32::from_le_bytes([a, b, c, d]));
        self.writer.write_all(packed)
    }

    /// Compresses the current piece into `packed`, and adds it to checksum and size; returns the packed length.
    fn compress(&mut self) -> io::Result<usize> {
        self.crc.update(&self.content);
        let size = u32::try_from(self.content.len()).unwrap_or(0);
        self.size = self.size.wrapping_add(size);
        // `blocks::make_extendable` needs room for 5 more bytes.
        let bound = self.compressor.deflate_compress_bound(self.content.len()) + 8;
        if self.packed.len() < bound {
            self.packed.resize(bound, 0);
        }
        self.compressor
            .deflate_compress(&self.content, &mut self.packed)
            .map_err(io::Error::other)
    }

    /// Writes the first `length` bytes of `packed`, and starts a new piece.
    fn write_packed(&mut self, length: usize) -> io::Result<()> {
        self.content.clear();
        let packed = self.packed.get(..length).unwrap_or_default();
        self.writer.write_all(packed)
    }

    /// Writes a piece that others follow.
    fn write_piece(&mut self) -> io::Result<()> {
        let length = self.compress()?;
        match blocks::make_extendable(&mut self.packed, length) {
            Some(length) => self.write_packed(length),
            None => self.write_flushed(),
        }
    }

    /// Writes a piece that others follow, with a compressor that can flush: for a piece whose blocks cannot be parsed.
    fn write_flushed(&mut self) -> io::Result<()> {
        let level = flate2::Compression::new(u32::try_from(self.level).unwrap_or(6).min(9));
        let mut deflate = flate2::Compress::new(level, false);
        let mut from = 0;
        loop {
            let content = self.content.get(from..).unwrap_or_default();
            let (read, written) = (deflate.total_in(), deflate.total_out());
            deflate
                .compress(content, &mut self.packed, flate2::FlushCompress::Sync)
                .map_err(io::Error::other)?;
            from += usize::try_from(deflate.total_in() - read).unwrap_or(0);
            let length = usize::try_from(deflate.total_out() - written).unwrap_or(0);
            self.writer
                .write_all(self.packed.get(..length).unwrap_or_default())?;
            if length < self.packed.len() {
                break;
            }
        }
        self.content.clear();
        Ok(())
    }
}

impl<W: Write> Write for PiecesWriter<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let room = PIECE_LENGTH - self.content.len();
        let part = buffer.get(..room).unwrap_or(buffer);
        self.content.extend_from_slice(part);
        if self.content.len() == PIECE_LENGTH {
            self.write_piece()?;
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read;

    fn content(kind: usize, size: usize) -> Vec<u8> {
        let mut state = 7u32;
        (0..size)
            .map(|at| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let [.., noise] = state.to_le_bytes();
                match kind {
                    0 => noise,
                    1 => noise >> 5,
                    _ => u8::try_from(at >> 8 & 0xff).unwrap(),
                }
            })
            .collect()
    }

    #[test]
    fn pieces_come_back_as_one_member() {
        for kind in 0..3 {
            for size in [
                0,
                1,
                PIECE_LENGTH - 1,
                PIECE_LENGTH,
                PIECE_LENGTH + 1,
                2 * PIECE_LENGTH + 12_345,
            ] {
                let content = content(kind, size);
                let mut writer = PiecesWriter::new(Vec::new(), 1).unwrap();
                writer.write_all(&content).unwrap();
                let packed = writer.finish().unwrap();
                let mut back = Vec::new();
                let mut decoder = flate2::bufread::GzDecoder::new(packed.as_slice());
                decoder.read_to_end(&mut back).unwrap();
                assert!(back == content, "{kind} {size}");
                assert!(decoder.into_inner().is_empty(), "one member");
            }
        }
    }

    #[test]
    fn the_other_way_of_flushing_gives_one_member_too() {
        let content = content(1, 100_000);
        let mut writer = PiecesWriter::new(Vec::new(), 2).unwrap();
        writer.content.extend_from_slice(&content);
        writer.crc.update(&content);
        writer.size = 100_000;
        writer.packed.resize(1000, 0);
        writer.write_flushed().unwrap();
        let packed = writer.finish().unwrap();
        let mut back = Vec::new();
        flate2::bufread::GzDecoder::new(packed.as_slice())
            .read_to_end(&mut back)
            .unwrap();
        assert_eq!(back, content);
    }
}
