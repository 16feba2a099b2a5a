//! One LZ4 frame as a stream.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

use super::invalid;
use super::peek::Peeker;

/// Reads one frame; the input after it is not consumed.
pub struct Lz4Reader<'a> {
    decoder: FrameDecoder<ErrorAtEnd<'a>>,
    ended: bool,
}

/// Reads the input, and returns an error at its end. The decoder stops at the end mark of a complete frame, so it never
/// reaches the end of the input. Without the error, it would accept an early end of the input as the end of the frame.
struct ErrorAtEnd<'a>(Peeker<'a>);

impl Read for ErrorAtEnd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 if !buffer.is_empty() => Err(invalid("cut short")),
            got => Ok(got),
        }
    }
}

impl<'a> Lz4Reader<'a> {
    /// Returns a reader of the frame at the start of `input`. Nothing is read yet.
    pub fn new(input: Peeker<'a>) -> Self {
        Self {
            decoder: FrameDecoder::new(ErrorAtEnd(input)),
            ended: false,
        }
    }

    /// Returns the input after the bytes read so far.
    pub fn get_ref(&self) -> &Peeker<'a> {
        &self.decoder.get_ref().0
    }

    /// Returns the input.
    pub fn into_inner(self) -> Peeker<'a> {
        self.decoder.into_inner().0
    }
}

impl Read for Lz4Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let got = self.decoder.read(buffer)?;
        self.ended = got == 0; // another read would start the next frame
        Ok(got)
    }
}
