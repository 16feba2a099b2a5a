//! One LZ4 frame as a stream.

use std::io::{self, Read};

use lz4_flex::frame::FrameDecoder;

use super::invalid;
use super::peek::Peeker;

/// Reads one frame; what follows it stays in the input.
pub struct Lz4Reader<'a> {
    decoder: FrameDecoder<Whole<'a>>,
    ended: bool,
}

/// The decoder takes the end of its input for the end of a frame; here it is an error.
struct Whole<'a>(Peeker<'a>);

impl Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 if !buffer.is_empty() => Err(invalid("cut short")),
            got => Ok(got),
        }
    }
}

impl<'a> Lz4Reader<'a> {
    /// Nothing is read yet.
    pub fn new(input: Peeker<'a>) -> Self {
        Self {
            decoder: FrameDecoder::new(Whole(input)),
            ended: false,
        }
    }

    /// The input behind what was read.
    pub fn get_ref(&self) -> &Peeker<'a> {
        &self.decoder.get_ref().0
    }

    /// Gives the input back.
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
        self.ended = got == 0; // asked again, it would begin the next frame
        Ok(got)
    }
}
