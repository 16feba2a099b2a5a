//! One gzip member as a stream (RFC 1952). This module skips the optional header parts; flate2 does the rest.
//!
//! flate2 refuses a member whose header has a wrong checksum (FHCRC). This reader accepts it: a wrong name does not
//! make the content wrong, and the content has its own checksum.

use std::io::{self, BufRead, Chain, Read};

use flate2::bufread::GzDecoder;

use super::invalid;

/// Longest name or comment that is accepted in a header, in bytes with the zero at its end.
const LONGEST_TEXT: usize = 1 << 16;
/// Flags of the optional parts of a header (RFC 1952, 2.3.1).
const FHCRC: u8 = 2;
const FEXTRA: u8 = 4;
const FNAME: u8 = 8;
const FCOMMENT: u8 = 16;
const RESERVED: u8 = 0xe0;
/// A header without optional parts, which replaces the skipped one.
const BARE_HEADER: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff";

/// Reads one member; the input after it is not consumed.
pub struct GzipReader<R> {
    decoder: GzDecoder<Chain<&'static [u8], R>>,
}

impl<R: BufRead> GzipReader<R> {
    /// Reads the header, and returns the reader of the content; fails if the header is invalid, or has a name or comment
    /// of more than 64 KiB.
    pub fn new(mut input: R) -> io::Result<Self> {
        skip_header(&mut input)?;
        Ok(Self {
            decoder: GzDecoder::new(BARE_HEADER.chain(input)),
        })
    }

    /// Returns the input after the bytes read so far.
    pub fn get_ref(&self) -> &R {
        self.decoder.get_ref().get_ref().1
    }

    /// Returns the input.
    pub fn into_inner(self) -> R {
        self.decoder.into_inner().into_inner().1
    }
}

/// Reads a header and its optional parts; fails if it is invalid.
fn skip_header<R: BufRead>(input: &mut R) -> io::Result<()> {
    let mut header = [0; 10];
    input.read_exact(&mut header)?;
    let [0x1f, 0x8b, 8, flags, ..] = header else {
        return Err(invalid("no gzip header"));
    };
    if flags & RESERVED != 0 {
        return Err(invalid("a gzip header with reserved flags"));
    }
    if flags & FEXTRA != 0 {
        let mut length = [0; 2];
        input.read_exact(&mut length)?;
        let mut extra = vec![0; usize::from(u16::from_le_bytes(length))];
        input.read_exact(&mut extra)?;
    }
    for text in [FNAME, FCOMMENT] {
        if flags & text != 0 {
            skip_text(input)?;
        }
    }
    if flags & FHCRC != 0 {
        input.read_exact(&mut [0; 2])?;
    }
    Ok(())
}

/// Skips a name or comment and the zero byte at its end.
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
        self.decoder.read(buffer).map_err(|error| {
            // For invalid data flate2 reports an invalid argument.
            if error.kind() == io::ErrorKind::InvalidInput {
                invalid(error.to_string())
            } else {
                error
            }
        })
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
    fn headers_with_every_optional_part_are_skipped() {
        let mut encoder = flate2::GzBuilder::new()
            .filename("name")
            .comment("comment")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), flate2::Compression::new(6));
        encoder.write_all(b"content").unwrap();
        let mut data = encoder.finish().unwrap();
        let end = 10 + 2 + 3 + b"name\0comment\0".len();
        data.splice(end..end, [0xab, 0xcd]);
        data[3] |= FHCRC;
        assert_eq!(read(&data).unwrap(), b"content");
        data[3] |= 0x80;
        assert!(read(&data).is_err(), "a reserved flag");
    }

    #[test]
    fn a_wrong_checksum_of_the_header_alone_is_accepted() {
        let mut data = vec![0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3, 0xab, 0xcd];
        data.extend([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(read(&data).unwrap(), b"");
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
