//! One gzip member as a stream (RFC 1952): header, deflate, CRC-32 and length.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::invalid;

/// A name or comment that is longer stands in no honest header.
const LONGEST_TEXT: usize = 1 << 16;

/// Reads one member; what follows it stays in the input.
pub struct GzipReader<R> {
    input: R,
    inflate: Decompress,
    crc: crc32fast::Hasher,
    /// Modulo 2^32, as the end of the member gives it.
    size: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Data,
    /// All content was given out; its sum and length come next.
    Sums,
    End,
}

impl<R: BufRead> GzipReader<R> {
    /// Reads the header.
    pub fn new(mut input: R) -> io::Result<Self> {
        let mut header = [0; 10];
        input.read_exact(&mut header)?;
        let [0x1f, 0x8b, 8, flags, ..] = header else {
            return Err(invalid("no gzip header"));
        };
        if flags & 0xe0 != 0 {
            return Err(invalid("a gzip header with flags that are reserved"));
        }
        if flags & 4 != 0 {
            let mut length = [0; 2];
            input.read_exact(&mut length)?;
            let mut extra = vec![0; usize::from(u16::from_le_bytes(length))];
            input.read_exact(&mut extra)?;
        }
        for text in [8, 16] {
            if flags & text != 0 {
                skip_text(&mut input)?;
            }
        }
        if flags & 2 != 0 {
            input.read_exact(&mut [0; 2])?;
        }
        Ok(Self {
            input,
            inflate: Decompress::new(false),
            crc: crc32fast::Hasher::new(),
            size: 0,
            state: State::Data,
        })
    }

    /// The input behind what was read.
    pub fn get_ref(&self) -> &R {
        &self.input
    }

    /// Gives the input back.
    pub fn into_inner(self) -> R {
        self.input
    }

    fn finish(&mut self) -> io::Result<()> {
        let mut end = [0; 8];
        self.input.read_exact(&mut end)?;
        let [a, b, c, d, size @ ..] = end;
        if u32::from_le_bytes([a, b, c, d]) != self.crc.clone().finalize() {
            return Err(invalid("the CRC is not that of its end"));
        }
        if u32::from_le_bytes(size) != self.size {
            return Err(invalid("the length is not that of its end"));
        }
        self.state = State::End;
        Ok(())
    }
}

fn skip_text<R: BufRead>(input: &mut R) -> io::Result<()> {
    let mut byte = [1];
    for _ in 0..LONGEST_TEXT {
        input.read_exact(&mut byte)?;
        if byte == [0] {
            return Ok(());
        }
    }
    Err(invalid("a gzip header without end"))
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.state == State::Data {
            let packed = self.input.fill_buf()?;
            let at_end = packed.is_empty();
            let (before, made) = (self.inflate.total_in(), self.inflate.total_out());
            let status = self
                .inflate
                .decompress(packed, buffer, FlushDecompress::None)
                .map_err(|_| invalid("damaged data"))?;
            let used = usize::try_from(self.inflate.total_in() - before).unwrap_or(0);
            let got = usize::try_from(self.inflate.total_out() - made).unwrap_or(0);
            self.input.consume(used);
            self.crc.update(buffer.get(..got).unwrap_or_default());
            // A read is of less than 4 GB, and the length counts modulo 2^32.
            self.size = self.size.wrapping_add(u32::try_from(got).unwrap_or(0));
            if status == Status::StreamEnd {
                self.state = State::Sums;
            } else if at_end && got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if got > 0 {
                return Ok(got);
            }
        }
        if self.state == State::Sums {
            self.finish()?;
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use std::io::Write;

    fn read(data: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        GzipReader::new(data)?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn headers_with_every_optional_part_are_passed() {
        let mut encoder = flate2::GzBuilder::new()
            .filename("name")
            .comment("comment")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(b"content").unwrap();
        let mut data = encoder.finish().unwrap();
        assert_eq!(read(&data).unwrap(), b"content");
        data[3] |= 0x80;
        assert!(read(&data).is_err(), "a reserved flag");
    }

    #[test]
    fn a_wrong_sum_or_length_is_an_error() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(&vec![7; 100_000]).unwrap();
        let data = encoder.finish().unwrap();
        assert_eq!(read(&data).unwrap().len(), 100_000);
        for place in [8, 4] {
            let mut bad = data.clone();
            let at = bad.len() - place;
            bad[at] ^= 1;
            assert!(read(&bad).is_err());
        }
    }

    #[test]
    fn empty_content_ends_at_once() {
        let data = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6))
            .finish()
            .unwrap();
        assert_eq!(read(&data).unwrap(), b"");
    }
}
