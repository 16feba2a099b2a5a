//! The content of a block (data that are packed together): a chain of coders, from the packed streams to the members.
//!
//! A coder of 7z is a decompressor, a filter or a cipher. A bond connects an input of a coder to the output of another
//! coder. Inputs are numbered across all coders of a block.

use std::io::{self, BufReader, Read};

use liblzma::stream::{Filters, Stream};
use lzma_rust2::filter::bcj2::Bcj2Reader;
use lzma_rust2::filter::delta::DeltaReader;

use super::aes::{self, Keys};
use super::branch;
use super::fields::DAMAGED;
use super::method::{Coder, Method, lzma2_dictionary};
use super::ppmd::Ppmd;
use super::streams::Block;
use super::unused_input::{Content, Input, InputUsage, SharedCoder};
use crate::archive::counting_reader::{ByteCount, CountingReader};
use crate::archive::kind::Compression;
use crate::archive::source::{Range, Source};
use crate::archive::unpack::Unpack;
use crate::archive::{invalid, reason};
use crate::notation::hexadecimal;

/// Limit on the memory of all dictionaries and models of one block, the same as for Zstandard.
const MAX_MEMORY: u64 = 128 << 20;
const BUFFER: usize = 64 << 10;

/// The input of a coder.
type CoderInput<'a> = CountingReader<BufReader<Content<'a>>>;

/// Why a block, or the list of members, cannot be read.
#[derive(Debug)]
pub enum Refusal {
    /// It is encrypted and no password was given.
    NoPassword,
    /// It is encrypted and none of the passwords is correct.
    WrongPassword,
    /// The data are damaged or a limit is exceeded.
    Data(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Data(reason)
    }
}

impl From<&str> for Refusal {
    fn from(reason: &str) -> Self {
        Self::Data(reason.to_owned())
    }
}

/// Returns the index of the first password that decrypts the first member of an encrypted block; 0 for an unencrypted
/// block. Refuses a block that no password decrypts.
pub fn find_password(
    source: &dyn Source,
    block: &Block,
    keys: &Keys<'_>,
) -> Result<usize, Refusal> {
    if !is_encrypted(block) {
        return Ok(0);
    }
    let mut refusal = Refusal::NoPassword;
    for index in keys.indices() {
        let content = open(source, block, keys, index)?;
        if check_first_member(content, block).is_ok() {
            return Ok(index);
        }
        refusal = Refusal::WrongPassword;
    }
    Err(refusal)
}

/// Reads the first member of a block, and compares it with its checksum if it has one. An error, of the decoder or of the
/// checksum, counts as a wrong password.
fn check_first_member(content: BlockContent<'_>, block: &Block) -> io::Result<()> {
    let (size, crc) = block.substreams.first().copied().unwrap_or_default();
    let mut hasher = crc32fast::Hasher::new();
    let mut content = content.take(size);
    let mut part = vec![0; BUFFER];
    loop {
        let got = content.read(&mut part)?;
        if got == 0 {
            break;
        }
        hasher.update(part.get(..got).unwrap_or_default());
    }
    match crc {
        Some(crc) if crc != hasher.finalize() => Err(invalid("wrong CRC")),
        _ => Ok(()),
    }
}

/// Returns whether a password is needed.
pub fn is_encrypted(block: &Block) -> bool {
    block.coders.iter().any(|coder| coder.method == Method::Aes)
}

/// The content of a block.
pub struct BlockContent<'a> {
    stream: Content<'a>,
    /// Number of bytes that were not read yet.
    unread: u64,
    /// How many bytes of the inputs of the coders were not used, except the few that an undamaged stream can leave.
    unused_input: ByteCount,
}

impl BlockContent<'_> {
    /// Returns the number of bytes of the content that were not read, plus `unused_input`.
    pub fn unused_bytes(&self) -> u64 {
        self.unused_input.get().saturating_add(self.unread)
    }
}

impl Read for BlockContent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.stream.read(buffer)?;
        self.unread = self.unread.saturating_sub(got as u64);
        Ok(got)
    }
}

/// Returns the content of a block as a stream. If the block is encrypted, `password_index` is the index of the password
/// in the list of all passwords; else it is not used. An error is the reason as text.
pub fn open<'a>(
    source: &'a dyn Source,
    block: &Block,
    keys: &Keys<'_>,
    password_index: usize,
) -> Result<BlockContent<'a>, String> {
    let coders = block.coders.iter().zip(&block.output_sizes);
    let memory: u64 = coders.map(|(coder, size)| coder.memory(*size)).sum();
    if memory > MAX_MEMORY {
        return Err(format!(
            "it needs {} MiB of memory for its dictionary, more than {} MiB (limit); repack it with `7z a -md=64m`",
            memory.div_ceil(1 << 20),
            MAX_MEMORY >> 20
        ));
    }
    let chain = Chain {
        source,
        block,
        keys,
        password_index,
        unused_input: ByteCount::default(),
    };
    let mut visited = vec![false; block.coders.len()];
    let (stream, unread) = chain.coder(block.last_coder().ok_or(DAMAGED)?, &mut visited)?;
    if visited.contains(&false) {
        return Err(DAMAGED.into()); // a coder whose output is not read, and so its packed streams
    }
    Ok(BlockContent {
        stream: Box::new(stream),
        unread,
        unused_input: chain.unused_input,
    })
}

/// What the coders of a block are built from.
struct Chain<'a, 'b> {
    source: &'a dyn Source,
    block: &'b Block,
    keys: &'b Keys<'b>,
    /// Index of the password in the list of all passwords.
    password_index: usize,
    unused_input: ByteCount,
}

impl<'a> Chain<'a, '_> {
    /// Builds the decoder of the coder with this index; returns it with the length of its output. Fails if the coder
    /// was visited before: coders must not form a loop.
    fn coder(&self, index: usize, visited: &mut [bool]) -> Result<(SharedCoder<'a>, u64), String> {
        let coders_before = self.block.coders.iter().take(index);
        let first_input: usize = coders_before.map(|coder| coder.inputs).sum();
        let (coder, &size) = self
            .block
            .coders
            .get(index)
            .zip(self.block.output_sizes.get(index))
            .ok_or(DAMAGED)?;
        match visited.get_mut(index) {
            Some(visited) if !*visited => *visited = true,
            _ => return Err(DAMAGED.into()),
        }
        let inputs = first_input..first_input + coder.inputs;
        let mut usage = InputUsage {
            method: coder.method,
            inputs: Vec::new(),
            output_size: size,
            has_decrypted_input: false,
            unused: self.unused_input.clone(),
        };
        let inputs: Vec<_> = inputs
            .map(|input| self.input(input, visited, &mut usage))
            .collect::<Result<_, _>>()?;
        let inner = self.decoder(coder, size, inputs)?;
        Ok((SharedCoder::new(inner, usage), size))
    }

    /// Builds the input with the number `input`: the output of another coder, or a packed stream.
    fn input(
        &self,
        input: usize,
        visited: &mut [bool],
        usage: &mut InputUsage<'a>,
    ) -> Result<CoderInput<'a>, String> {
        // A bond is the number of the input, and the index of the coder whose output it reads.
        let bond = self.block.bonds.iter().find(|(bound, _)| *bound == input);
        let mut inner = None;
        let (stream, size): (Content<'a>, u64) = if let Some((_, output)) = bond {
            let coder = self.block.coders.get(*output);
            usage.has_decrypted_input |= coder.is_some_and(|coder| coder.method == Method::Aes);
            let (coder, size) = self.coder(*output, visited)?;
            inner = Some(coder.clone());
            (Box::new(coder), size)
        } else {
            let mut packed = self.block.packed_streams.iter();
            let packed = packed.find(|(number, ..)| *number == input);
            let (_, at, size) = packed.ok_or(DAMAGED)?;
            (Box::new(Range::new(self.source, *at, at + size)), *size)
        };
        let consumed = ByteCount::default();
        usage.inputs.push(Input {
            size,
            consumed: consumed.clone(),
            coder: inner,
        });
        Ok(CountingReader::new(
            BufReader::with_capacity(BUFFER, stream),
            consumed,
        ))
    }

    /// Builds the decoder of a coder; `size` is the length of its output in bytes.
    fn decoder(
        &self,
        coder: &Coder,
        size: u64,
        mut inputs: Vec<CoderInput<'a>>,
    ) -> Result<Content<'a>, String> {
        if coder.method == Method::Bcj2 {
            // Of the range coder's input, each read returns one byte: so no byte in a buffer counts as consumed.
            let most = [usize::MAX, usize::MAX, usize::MAX, 1];
            let inputs = inputs.into_iter().zip(most);
            let inputs = inputs.map(|(inner, most)| ShortReads { inner, most });
            return Ok(Box::new(Bcj2Reader::new(inputs.collect(), size)));
        }
        let packed = inputs.pop().ok_or(DAMAGED)?;
        Ok(match coder.method {
            Method::Copy => Box::new(packed),
            Method::Lzma | Method::Lzma2 => {
                let stream = lzma(coder, size)?;
                Box::new(liblzma::bufread::XzDecoder::new_stream(packed, stream))
            }
            Method::Ppmd => Box::new(Ppmd::new(&coder.properties, packed)?),
            Method::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            Method::Deflate => Box::new(flate2::bufread::DeflateDecoder::new(packed)),
            Method::Deflate64 => Box::new(deflate64::Deflate64Decoder::with_buffer(packed)),
            Method::Zstd => {
                let unpack = Unpack::open(Compression::Zstd, Box::new(packed));
                Box::new(Zstd {
                    unpack: unpack.map_err(|error| reason(&error))?,
                    unused_input: self.unused_input.clone(),
                })
            }
            Method::Delta => {
                let distance = coder.properties.first().copied().unwrap_or(0);
                Box::new(DeltaReader::new(packed, usize::from(distance) + 1))
            }
            Method::Branch(machine) => branch::restore(machine, Box::new(packed)),
            Method::Aes => aes::open(
                Box::new(packed),
                &coder.properties,
                self.keys,
                self.password_index,
            )?,
            Method::Bcj2 | Method::Unknown => {
                let id = hexadecimal(&coder.id);
                return Err(format!("packed by method {id}, which is not known"));
            }
        })
    }
}

/// A reader of which each read returns at most `most` bytes.
struct ShortReads<R> {
    inner: R,
    most: usize,
}

impl<R: Read> Read for ShortReads<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(self.most);
        self.inner.read(buffer.get_mut(..room).unwrap_or_default())
    }
}

/// Decoder of Zstandard frames that counts the bytes outside of the frames, and those in skippable frames except those
/// that packers write.
struct Zstd<'a> {
    unpack: Unpack<'a>,
    unused_input: ByteCount,
}

impl Read for Zstd<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.unpack.read(buffer)?;
        if got == 0 && !buffer.is_empty() {
            let unused = self
                .unpack
                .trailing_bytes()
                .saturating_add(self.unpack.user_bytes());
            self.unused_input.add(unused);
        }
        Ok(got)
    }
}

/// Returns a decoder of LZMA or LZMA2 whose dictionary is not larger than its content needs (at least 4096 bytes).
fn lzma(coder: &Coder, size: u64) -> Result<Stream, String> {
    let bad = |_| DAMAGED.to_owned();
    let mut filters = Filters::new();
    let dictionary = u32::try_from(coder.memory(size).max(4096)).map_err(|_| DAMAGED)?;
    if coder.method == Method::Lzma {
        let [first, _, _, _, _] = *coder.properties else {
            return Err(DAMAGED.into());
        };
        let [a, b, c, d] = dictionary.to_le_bytes();
        filters
            .lzma1_properties(&[first, a, b, c, d])
            .map_err(bad)?;
    } else {
        let [byte @ 0..=40] = *coder.properties else {
            return Err(DAMAGED.into());
        };
        let enough = (0..byte).find(|&byte| lzma2_dictionary(byte) >= u64::from(dictionary));
        filters
            .lzma2_properties(&[enough.unwrap_or(byte)])
            .map_err(bad)?;
    }
    Stream::new_raw_decoder(&filters).map_err(|error| error.to_string())
}
