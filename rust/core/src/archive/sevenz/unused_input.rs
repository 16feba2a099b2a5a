//! Counts the bytes that a coder did not use of its inputs.

use std::io::{self, Read};

use super::method::Method;
use crate::archive::counting_reader::ByteCount;
use crate::archive::invalid;

/// The most bytes that a range decoder can leave unconsumed at the end of its input, if the stream has no end mark.
const MAX_UNUSED_BY_RANGE_CODER: u64 = 5;
/// Length of an AES block in bytes. The last block may end in padding, which some writers count as input of the next
/// coder.
const AES_BLOCK: u64 = 16;
/// The most bytes that BCJ2 can leave unconsumed in its four inputs together: it reads them in blocks, and does not always
/// need their ends.
const MAX_UNUSED_BY_BCJ2: u64 = 16;

/// How much of its inputs a coder consumed.
pub struct InputUsage {
    pub method: Method,
    /// Length of each input, and number of bytes that the coder consumed.
    pub consumed: Vec<(u64, ByteCount)>,
    /// Whether an input is the output of an AES coder.
    pub has_decrypted_input: bool,
    /// Counter that all coders of the block share: the bytes that they did not use.
    pub unused: ByteCount,
}

impl InputUsage {
    /// Returns the number of bytes of all inputs that the coder did not consume so far.
    fn unconsumed(&self) -> u64 {
        let unconsumed = |(size, consumed): &(u64, ByteCount)| size.saturating_sub(consumed.get());
        self.consumed
            .iter()
            .map(unconsumed)
            .fold(0, u64::saturating_add)
    }

    /// Adds the unconsumed bytes of the inputs to `unused`, unless they are so few that a sound stream can leave them.
    /// Called once, after the last byte of the output of `decoder`.
    fn count_unused(&self, decoder: &mut impl Read) {
        let before = self.unconsumed();
        let allowed = match self.method {
            Method::Lzma | Method::Ppmd => MAX_UNUSED_BY_RANGE_CODER,
            Method::Bcj2 => MAX_UNUSED_BY_BCJ2,
            _ => 0,
        };
        let padding = if self.has_decrypted_input {
            AES_BLOCK - 1
        } else {
            0
        };
        let unused = match self.method {
            // An LZMA stream rarely has an end mark. So the mark is read only if more bytes are left than a stream
            // without a mark leaves.
            Method::Lzma if before > allowed => self.after_end_mark(decoder, before),
            // Without an end mark, reading more would decode bytes that do not belong to the stream.
            Method::Lzma | Method::Ppmd | Method::Bcj2 | Method::Aes => before,
            _ => self.after_end_mark(decoder, before),
        };
        if unused > allowed.max(padding) {
            self.unused.add(unused);
        }
    }

    /// Reads once more, because some decoders consume their end mark only then, and returns the number of bytes that
    /// are still unconsumed. If that read fails, returns `before`, the number before it. If it returns a byte, the
    /// stream does not end there: returns `before`, but at least 1.
    fn after_end_mark(&self, decoder: &mut impl Read, before: u64) -> u64 {
        match decoder.read(&mut [0]) {
            Ok(0) => self.unconsumed(),
            Ok(_) => before.max(1),
            Err(_) => before,
        }
    }
}

/// Reads exactly `remaining` bytes of a coder's output; fewer are an error. After the last byte, counts the unused
/// bytes of the inputs.
pub struct ExactReader<R> {
    inner: R,
    remaining: u64,
    inputs: InputUsage,
}

impl<R> ExactReader<R> {
    /// Returns a reader of `size` bytes of the output of `inner`, the decoder of these inputs.
    pub fn new(inner: R, size: u64, inputs: InputUsage) -> Self {
        Self {
            inner,
            remaining: size,
            inputs,
        }
    }
}

impl<R: Read> Read for ExactReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let room = buffer.len().min(room);
        if room == 0 {
            return Ok(0);
        }
        let got = self
            .inner
            .read(buffer.get_mut(..room).unwrap_or_default())?;
        if got == 0 {
            return Err(invalid("its packed data end too early"));
        }
        self.remaining -= got as u64;
        if self.remaining == 0 {
            self.inputs.count_unused(&mut self.inner);
        }
        Ok(got)
    }
}
