//! Finishes the coders of a block: counts the bytes that they did not use of their inputs.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::method::Method;
use crate::archive::counting_reader::ByteCount;
use crate::archive::invalid;

/// The most bytes that a range decoder can leave unconsumed at the end of its input, if the stream has no end mark.
const MAX_UNUSED_BY_RANGE_CODER: u64 = 5;
/// Length of an AES block in bytes. The last block may end in padding, which some writers count as input of the next
/// coder.
const AES_BLOCK: u64 = 16;
/// The most bytes that BCJ2 can leave unused in its four inputs together.
const MAX_UNUSED_BY_BCJ2: u64 = 16;
/// The most bytes of its inputs that any coder of a sound block leaves unused.
const MAX_UNUSED: u64 = 16;

/// A stream of a block.
pub type Content<'a> = Box<dyn Read + Send + 'a>;

/// An input of a coder.
pub struct Input<'a> {
    /// Its length in bytes.
    pub size: u64,
    /// Number of bytes that the coder consumed, which includes those in its buffers.
    pub consumed: ByteCount,
    /// The coder whose output it is; None for a packed stream.
    pub coder: Option<SharedCoder<'a>>,
}

impl Input<'_> {
    fn unconsumed(&self) -> u64 {
        self.size.saturating_sub(self.consumed.get())
    }
}

/// How much of its inputs a coder uses.
pub struct InputUsage<'a> {
    pub method: Method,
    pub inputs: Vec<Input<'a>>,
    /// Length of the output in bytes.
    pub output_size: u64,
    /// Whether an input is the output of an AES coder.
    pub has_decrypted_input: bool,
    /// Counter that all coders of the block share: the bytes that they did not use.
    pub unused: ByteCount,
}

impl InputUsage<'_> {
    /// Returns the number of bytes of all inputs that the coder did not use so far. Filters read their inputs in blocks;
    /// at the end of their output they have used as many bytes as they returned.
    fn unconsumed(&self) -> u64 {
        let unfiltered = |inputs: &[Input<'_>]| {
            let sizes = inputs.iter().map(|input| input.size);
            let size = sizes.fold(0, u64::saturating_add);
            size.saturating_sub(self.output_size)
        };
        let unconsumed = |inputs: &[Input<'_>]| {
            let counts = inputs.iter().map(Input::unconsumed);
            counts.fold(0, u64::saturating_add)
        };
        match self.method {
            Method::Copy | Method::Delta | Method::Branch(_) => unfiltered(&self.inputs),
            // Each byte of the output is in one of the first three inputs; the last one is that of the range decoder.
            Method::Bcj2 => {
                let (data, decisions) = self.inputs.split_at(self.inputs.len().min(3));
                unfiltered(data).saturating_add(unconsumed(decisions))
            }
            _ => unconsumed(&self.inputs),
        }
    }

    /// Adds the unconsumed bytes of the inputs to `unused`, unless they are so few that a sound stream can leave them.
    /// Returns whether they are. Called once, after the last byte of the output of `decoder`.
    fn count_unused(&self, decoder: &mut impl Read) -> bool {
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
        let (unused, has_more_output) = match self.method {
            // An LZMA stream rarely has an end mark. So the mark is read only if more bytes are left than a stream
            // without a mark leaves. What follows a stream without a mark, such as padding, can be decoded too.
            Method::Lzma if before > allowed => (self.after_end_mark(decoder, before).0, false),
            Method::Lzma2 | Method::Bzip2 | Method::Deflate | Method::Deflate64 | Method::Zstd => {
                self.after_end_mark(decoder, before)
            }
            // Without an end mark, reading more would decode bytes that do not belong to the stream.
            _ => (before, false),
        };
        let are_few = unused <= (allowed + padding).min(MAX_UNUSED) && !has_more_output;
        if !are_few {
            self.unused.add(unused);
        }
        are_few
    }

    /// Reads once more, because some decoders consume their end mark only then. Returns the number of bytes that are
    /// still unconsumed, and whether the stream continues. If that read fails, the number is `before`, that before it. If
    /// it returns a byte, the number is `before`, but at least 1.
    fn after_end_mark(&self, decoder: &mut impl Read, before: u64) -> (u64, bool) {
        match decoder.read(&mut [0]) {
            Ok(0) => (self.unconsumed(), false),
            Ok(_) => (before.max(1), true),
            Err(_) => (before, false),
        }
    }
}

/// The output of a coder; a clone is the same stream. Both the coder that reads it and [`InputUsage`] have one.
#[derive(Clone)]
pub struct SharedCoder<'a>(Arc<Mutex<ExactReader<'a>>>);

impl<'a> SharedCoder<'a> {
    /// Returns the output of `decoder`, the decoder of these inputs.
    pub fn new(decoder: Content<'a>, usage: InputUsage<'a>) -> Self {
        Self(Arc::new(Mutex::new(ExactReader {
            inner: decoder,
            remaining: usage.output_size,
            usage,
            is_finished: false,
        })))
    }

    fn lock(&self) -> MutexGuard<'_, ExactReader<'a>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for SharedCoder<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lock().read(buffer)
    }
}

/// Reads exactly `remaining` bytes of a coder's output; fewer are an error. After the last byte, finishes the coder.
struct ExactReader<'a> {
    inner: Content<'a>,
    remaining: u64,
    usage: InputUsage<'a>,
    is_finished: bool,
}

impl ExactReader<'_> {
    /// Reads the remaining output, and counts the unused bytes of the inputs; then finishes the coders of the inputs in
    /// the same way. A coder that left more than a few bytes of its inputs is enough for a note: its inputs are not read
    /// further. So at most a few bytes are read here.
    fn finish(&mut self) {
        if std::mem::replace(&mut self.is_finished, true) {
            return;
        }
        let rest = io::copy(&mut (&mut self.inner).take(self.remaining), &mut io::sink());
        if rest.is_ok_and(|got| got == self.remaining) {
            if self.usage.count_unused(&mut self.inner) {
                let coders = self.usage.inputs.iter();
                coders
                    .filter_map(|input| input.coder.as_ref())
                    .for_each(|coder| coder.lock().finish());
            }
        } else {
            self.usage.unused.add(self.usage.unconsumed().max(1));
        }
    }
}

impl Read for ExactReader<'_> {
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
            self.finish();
        }
        Ok(got)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::archive::sevenz::aes::Keys;
    use crate::archive::sevenz::chain;
    use crate::archive::sevenz::method::{Coder, Machine};
    use crate::archive::sevenz::streams::Block;

    /// A raw deflate stream of no bytes.
    const NO_BYTES: &[u8] = &[3, 0];

    fn coder(method: Method, inputs: usize) -> Coder {
        Coder {
            method,
            id: Box::default(),
            inputs,
            properties: Box::default(),
        }
    }

    /// Returns the number of unused bytes after the content of a block was read. The first coder is the last one of the
    /// block; `bonds` and `packed` begin with the numbers of inputs.
    fn unused(
        coders: Vec<(Coder, u64)>,
        bonds: &[(usize, usize)],
        packed: &[(usize, &[u8])],
    ) -> u64 {
        let mut bytes = Vec::new();
        let mut block = Block {
            bonds: bonds.to_vec(),
            ..Block::default()
        };
        for (input, stream) in packed {
            let at = bytes.len() as u64;
            block.packed_streams.push((*input, at, stream.len() as u64));
            bytes.extend_from_slice(stream);
        }
        (block.coders, block.output_sizes) = coders.into_iter().unzip();
        let source = bytes.as_slice();
        let mut content = chain::open(&source, &block, &Keys::default(), 0).unwrap();
        io::copy(&mut content, &mut io::sink()).unwrap();
        content.unused_bytes()
    }

    /// Returns the number of unused bytes of a block of BCJ2 without branches whose stream of jumps comes from a coder.
    fn unused_behind_bcj2(method: Method, packed: &[u8], size: u64) -> u64 {
        let coders = vec![(coder(Method::Bcj2, 4), 5), (coder(method, 1), size)];
        let packed = [
            (0, b"words".as_slice()),
            (1, b""),
            (4, packed),
            (3, &[0; 5]),
        ];
        unused(coders, &[(2, 1)], &packed)
    }

    #[test]
    fn coders_without_output_are_finished() {
        let hidden = [1; 240];
        assert_eq!(unused_behind_bcj2(Method::Copy, b"", 0), 0);
        assert_eq!(unused_behind_bcj2(Method::Copy, &hidden, 0), 240);
        assert_eq!(unused_behind_bcj2(Method::Delta, &hidden, 0), 240);
        assert_eq!(
            unused_behind_bcj2(Method::Branch(Machine::X86), &hidden, 0),
            240
        );
        assert_eq!(unused_behind_bcj2(Method::Deflate, NO_BYTES, 0), 0);
        let deflated = [NO_BYTES, &hidden].concat();
        assert_eq!(unused_behind_bcj2(Method::Deflate, &deflated, 0), 240);
        assert_eq!(unused_behind_bcj2(Method::Bzip2, &hidden, 0), 240);
        assert_eq!(unused_behind_bcj2(Method::Deflate64, &hidden, 0), 240);
    }

    #[test]
    fn coders_whose_output_is_not_read_to_its_end_are_finished() {
        assert_eq!(unused_behind_bcj2(Method::Copy, &[1; 8], 8), 0);
        assert_eq!(unused_behind_bcj2(Method::Copy, &[1; 248], 8), 240);
        assert_eq!(unused_behind_bcj2(Method::Copy, &[1; 240], 240), 240);
        // Data that end before the output does.
        assert!(unused_behind_bcj2(Method::Deflate, NO_BYTES, 8) > 0);
    }

    #[test]
    fn bytes_in_the_buffers_of_bcj2_are_not_used() {
        for at in 0..4 {
            let mut streams = [b"words".to_vec(), vec![], vec![], vec![0; 5]];
            streams.get_mut(at).unwrap().extend([0; 240]);
            let packed: Vec<_> = streams.iter().map(Vec::as_slice).enumerate().collect();
            let coders = vec![(coder(Method::Bcj2, 4), 5)];
            assert_eq!(unused(coders, &[], &packed), 240, "{at}");
        }
    }

    #[test]
    fn every_coder_of_a_chain_is_finished() {
        let chain = |size| {
            let coders = [Method::Branch(Machine::Arm), Method::Delta, Method::Copy];
            let coders = coders.map(|method| (coder(method, 1), 5)).into();
            unused(coders, &[(0, 1), (1, 2)], &[(2, &vec![1; size])])
        };
        assert_eq!((chain(5), chain(245)), (0, 240));
    }

    #[test]
    fn a_coder_whose_output_is_not_read_is_refused() {
        let block = Block {
            coders: vec![
                coder(Method::Copy, 1),
                coder(Method::Copy, 1),
                coder(Method::Copy, 1),
            ],
            bonds: vec![(0, 1), (0, 2)],
            packed_streams: vec![(1, 0, 5)],
            output_sizes: vec![5; 3],
            ..Block::default()
        };
        assert!(chain::open(&b"words".as_slice(), &block, &Keys::default(), 0).is_err());
    }
}
