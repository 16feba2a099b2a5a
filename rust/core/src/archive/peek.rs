//! A packed stream with lookahead.

use std::io::{self, BufRead, Read};

/// Size of the buffer in bytes.
const BUFFER: usize = 128 << 10;

/// A buffered stream, with a lookahead of up to [`BUFFER`] bytes.
pub struct Peeker<'a> {
    input: Box<dyn Read + Send + 'a>,
    buffer: Vec<u8>,
    /// Start of the unconsumed bytes in the buffer.
    at: usize,
    /// End of these bytes.
    end: usize,
    /// Bytes consumed so far.
    pub consumed: u64,
}

impl<'a> Peeker<'a> {
    /// Returns the stream of `input`; reads nothing yet.
    pub fn new(input: Box<dyn Read + Send + 'a>) -> Self {
        Self {
            input,
            buffer: vec![0; BUFFER],
            at: 0,
            end: 0,
            consumed: 0,
        }
    }

    /// Returns at least `want` bytes unless the input ends before. `want` is at most [`BUFFER`].
    pub fn peek(&mut self, want: usize) -> io::Result<&[u8]> {
        while self.end - self.at < want {
            if self.at > 0 {
                self.buffer.copy_within(self.at..self.end, 0);
                self.end -= self.at;
                self.at = 0;
            }
            let got = read_some(
                &mut self.input,
                self.buffer.get_mut(self.end..).unwrap_or_default(),
            )?;
            if got == 0 {
                break;
            }
            self.end += got;
        }
        Ok(self.buffer.get(self.at..self.end).unwrap_or_default())
    }

    /// Skips all zero bytes that follow: padding between streams, or at the end of a tape block.
    pub fn skip_zeros(&mut self) -> io::Result<()> {
        loop {
            let ahead = self.peek(1)?;
            let zeros = ahead.iter().take_while(|&&byte| byte == 0).count();
            let all = zeros == ahead.len();
            self.consume(zeros);
            if zeros == 0 || !all {
                return Ok(());
            }
        }
    }

    /// Skips `count` bytes; fails if the input ends before.
    pub fn skip(&mut self, mut count: u64) -> io::Result<()> {
        while count > 0 {
            let ahead = self.peek(1)?.len();
            if ahead == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let part = usize::try_from(count).map_or(ahead, |count| count.min(ahead));
            self.consume(part);
            count -= part as u64;
        }
        Ok(())
    }

    /// Reads to the end; returns the number of bytes.
    pub fn drain(&mut self) -> io::Result<u64> {
        let mut count = 0;
        loop {
            let ahead = self.peek(1)?.len();
            if ahead == 0 {
                return Ok(count);
            }
            count += ahead as u64;
            self.consume(ahead);
        }
    }
}

/// Reads once, and again if a signal interrupted the read.
fn read_some(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

impl Read for Peeker<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ahead = self.peek(1)?;
        let count = ahead.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ahead.get(..count)) {
            to.copy_from_slice(from);
        }
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Peeker<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, amount: usize) {
        self.at = (self.at + amount).min(self.end);
        self.consumed += amount as u64;
    }
}
