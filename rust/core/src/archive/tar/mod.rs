//! Reads a tar as a stream, member by member: v7, ustar, pax and GNU formats.

mod content;
pub mod header;
pub mod pax;
pub mod sparse;

use std::io::{self, Read};

use self::content::{Content, StoredBytes};
use self::header::{BLOCK, Header, is_header};
use self::pax::{ExtendedHeader, MAX_PIECES};
use self::sparse::{SparseMap, SparseReader};
use super::skipped::begins_like_images;
use super::{fill, invalid};

/// Limit on the data of an extension header (a long name, a link target, or pax records), in bytes; PATH_MAX is 4096.
const MAX_EXTENSION_LENGTH: u64 = 1 << 20;

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberKind {
    /// A regular file, or a member whose type is unknown.
    File,
    /// A folder.
    Directory,
    /// A symbolic or hard link and its target.
    Link {
        /// Whether it is a hard link: a second name of the file `target`.
        hard: bool,
        /// Its target.
        target: Vec<u8>,
    },
    /// A device, FIFO or volume label; the text says which.
    Device(&'static str),
}

/// One member before its data are read.
#[derive(Debug)]
pub struct Member {
    /// Its name in the archive.
    pub name: Vec<u8>,
    /// Its kind.
    pub kind: MemberKind,
    /// Length of the content in bytes (of a sparse file with its holes).
    pub size: u64,
    /// Length of its data in the archive, in bytes (of a sparse file without its holes, but with the map of pax format
    /// 1.0).
    pub stored_size: u64,
    /// The map of a sparse file, until its content is read; None for another member.
    map: Option<SparseMap>,
}

/// A tar stream.
pub struct TarReader<R> {
    input: R,
    /// Bytes of the current member that were not read yet.
    left: u64,
    /// Number of zeros after the data of the current member.
    padding: u64,
    /// The fields of the global extended headers so far.
    global: ExtendedHeader,
    /// Number of blocks of zeros since the last member: the end mark.
    end_blocks: u64,
    /// Bytes after the end mark that are not a member.
    trailing_bytes: u64,
    /// Whether these bytes begin like images ([`begins_like_images`]).
    trailing_begins_like_images: bool,
}

impl<R: Read> TarReader<R> {
    /// Starts at the next byte of the stream.
    pub fn new(input: R) -> Self {
        Self {
            input,
            left: 0,
            padding: 0,
            global: ExtendedHeader::default(),
            end_blocks: 0,
            trailing_bytes: 0,
            trailing_begins_like_images: false,
        }
    }

    /// Returns the underlying stream.
    pub fn get_ref(&self) -> &R {
        &self.input
    }

    /// Returns the number of bytes after the end mark, from the first block that is neither zeros nor a header; known
    /// once [`TarReader::next_member`] returned None.
    pub fn trailing_bytes(&self) -> u64 {
        self.trailing_bytes
    }

    /// Returns whether the bytes after the end mark begin like images ([`begins_like_images`]).
    pub fn trailing_begins_like_images(&self) -> bool {
        self.trailing_begins_like_images
    }

    /// Returns the next member, or None at the end. After an error, no further members can be read.
    ///
    /// Continues after an end mark, for archives that were appended to one another.
    pub fn next_member(&mut self) -> io::Result<Option<Member>> {
        self.skip_data()?;
        let mut extended = self.global.clone();
        let mut long_name = None;
        let mut long_link = None;
        let mut after_extension = false;
        loop {
            let Some(header) = self.header(after_extension)? else {
                return Ok(None);
            };
            after_extension = true;
            match header.type_flag {
                b'L' => long_name = Some(until_nul(self.extension_data(&header)?)),
                b'K' => long_link = Some(until_nul(self.extension_data(&header)?)),
                b'x' | b'X' => {
                    let records = self.extension_data(&header)?;
                    extended
                        .read(&records)
                        .ok_or_else(|| invalid("a broken extended header (pax)"))?;
                }
                b'g' => {
                    let records = self.extension_data(&header)?;
                    self.global
                        .read(&records)
                        .ok_or_else(|| invalid("a broken global header (pax)"))?;
                    self.global.clear_sparse();
                    extended = self.global.clone();
                    after_extension = false;
                }
                _ => {
                    return self
                        .member(&header, &extended, long_name, long_link)
                        .map(Some);
                }
            }
        }
    }

    /// Returns the next header block; None at the end of the archive. `after_extension` says that an extension header
    /// of the next member was read: then an end mark is an error.
    fn header(&mut self, after_extension: bool) -> io::Result<Option<Header>> {
        let mut block = [0u8; BLOCK];
        loop {
            let got = fill(&mut self.input, &mut block)?;
            if got == 0 && self.end_blocks > 0 {
                return Ok(None);
            }
            if got < BLOCK {
                return self.end_at_short_block(block.get(..got).unwrap_or_default());
            }
            if block.iter().all(|&byte| byte == 0) {
                if after_extension {
                    return Err(invalid("the end mark is between a member and its name"));
                }
                self.end_blocks += 1;
            } else if is_header(&block) {
                self.end_blocks = 0;
                let header = Header::parse(&block);
                return header
                    .map(Some)
                    .ok_or_else(|| invalid("a header whose size is not a number"));
            } else if self.end_blocks > 0 {
                self.trailing_begins_like_images = begins_like_images(&block);
                self.trailing_bytes = BLOCK as u64 + drain(&mut self.input)?;
                return Ok(None);
            } else {
                return Err(invalid(
                    "the header of the next member is invalid (checksum)",
                ));
            }
        }
    }

    /// Handles `rest`, a last block of less than 512 bytes. If it is not empty and follows the end mark, counts it as
    /// trailing bytes and returns None; else returns the error of a tar that is cut short.
    fn end_at_short_block(&mut self, rest: &[u8]) -> io::Result<Option<Header>> {
        if !rest.is_empty() && self.end_blocks > 0 {
            self.trailing_begins_like_images = begins_like_images(rest);
            self.trailing_bytes = rest.len() as u64;
            return Ok(None);
        }
        let text = if rest.is_empty() {
            "cut short: no end mark"
        } else {
            "cut short inside a header"
        };
        Err(invalid(text))
    }

    /// Returns the data of an extension header: a name, a link target, or pax records. Fails if they are too long.
    fn extension_data(&mut self, header: &Header) -> io::Result<Vec<u8>> {
        if header.size > MAX_EXTENSION_LENGTH {
            return Err(invalid(format!(
                "a name or extended header of {} bytes",
                header.size
            )));
        }
        let mut data = Vec::new();
        (&mut self.input).take(header.size).read_to_end(&mut data)?;
        if data.len() as u64 != header.size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = 0;
        self.padding = padding(header.size);
        self.skip_data()?;
        Ok(data)
    }

    /// Returns the member that a header describes, and prepares to read its data. `name` and `link` are the long name
    /// and link target from GNU headers before it. Fields of `extended` take precedence over these two, and these two
    /// over `header`.
    fn member(
        &mut self,
        header: &Header,
        extended: &ExtendedHeader,
        name: Option<Vec<u8>>,
        link: Option<Vec<u8>>,
    ) -> io::Result<Member> {
        let name = extended
            .path
            .clone()
            .or(name)
            .unwrap_or_else(|| header.name.clone());
        let target = extended
            .link_target
            .clone()
            .or(link)
            .unwrap_or_else(|| header.link_target.clone());
        let size = extended.size.unwrap_or(header.size);
        let kind = match header.type_flag {
            b'1' => MemberKind::Link { hard: true, target },
            b'2' => MemberKind::Link {
                hard: false,
                target,
            },
            b'3' => MemberKind::Device("a character device"),
            b'4' => MemberKind::Device("a block device"),
            b'6' => MemberKind::Device("a FIFO"),
            b'V' => MemberKind::Device("a volume label"),
            b'M' => return Err(invalid("a member that continues from another volume")),
            b'5' => MemberKind::Directory,
            // Before ustar, a directory was a file whose name ends in a slash.
            0 | b'0' if name.ends_with(b"/") && size == 0 => MemberKind::Directory,
            // Unknown flags are files (POSIX.1-2001, pax, ustar interchange format).
            _ => MemberKind::File,
        };
        // Only the size of files is used: some writers give links the size of their target. The directory lists of GNU
        // ('D') count as files.
        let stored = if kind == MemberKind::File { size } else { 0 };
        self.left = stored;
        self.padding = padding(stored);
        let map = if kind == MemberKind::File {
            self.sparse_map(header, extended)?
        } else {
            None
        };
        let size = map.as_ref().map_or(stored, |map| map.size);
        Ok(Member {
            name,
            kind,
            size,
            stored_size: stored,
            map,
        })
    }

    /// Returns the map of a sparse member; None for another file. Depending on its format, the map is in the headers, also
    /// in blocks after the header, or at the start of the data: the last two are read from the input.
    fn sparse_map(
        &mut self,
        header: &Header,
        extended: &ExtendedHeader,
    ) -> io::Result<Option<SparseMap>> {
        let unreadable = || invalid("the map of a sparse file is unreadable");
        // The old GNU format: 4 pairs (offset, length) from byte 386 of the header, and 21 in each block that follows
        // it.
        if header.type_flag == b'S' {
            let fields = header.block.get(386..).unwrap_or_default();
            let (mut pieces, mut more) = sparse::old_pairs(fields, 4).ok_or_else(unreadable)?;
            while more {
                let mut block = [0u8; BLOCK];
                self.input.read_exact(&mut block)?;
                let (next, another) = sparse::old_pairs(&block, 21).ok_or_else(unreadable)?;
                pieces.extend(next);
                more = another;
                if pieces.len() > MAX_PIECES {
                    return Err(invalid(
                        "the map of a sparse file has more than a million pieces",
                    ));
                }
            }
            let size = sparse::old_size(header).ok_or_else(unreadable)?;
            return SparseMap::new(pieces, size, self.left).map(Some);
        }
        let Some(size) = extended.real_size else {
            return Ok(None);
        };
        if extended.map_in_data {
            let (pieces, consumed) = sparse::map_in_data(&mut (&mut self.input).take(self.left))?;
            self.left = self.left.saturating_sub(consumed);
            return SparseMap::new(pieces, size, self.left).map(Some);
        }
        SparseMap::new(extended.map.clone(), size, self.left).map(Some)
    }

    /// Returns the content of the member that [`TarReader::next_member`] returned.
    pub fn content(&mut self, member: &mut Member) -> Content<'_, R> {
        let stored = StoredBytes {
            input: &mut self.input,
            left: &mut self.left,
        };
        match member.map.take() {
            Some(map) => Content::Sparse(SparseReader::new(stored, map)),
            None => Content::Plain(stored),
        }
    }

    /// Skips what is left of the current member and its padding.
    fn skip_data(&mut self) -> io::Result<()> {
        let skip = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        let skipped = io::copy(&mut (&mut self.input).take(skip), &mut io::sink())?;
        if skipped == skip {
            Ok(())
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }
}

/// Returns the number of zeros that fill the last block of `size` bytes of data.
fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// Returns the bytes before the first NUL.
fn until_nul(mut name: Vec<u8>) -> Vec<u8> {
    if let Some(end) = name.iter().position(|&byte| byte == 0) {
        name.truncate(end);
    }
    name
}

/// Reads to the end of the input; returns the number of bytes.
fn drain(input: &mut dyn Read) -> io::Result<u64> {
    io::copy(input, &mut io::sink())
}
