//! Builds DICOM objects byte by byte, valid or invalid, for the tests.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

use std::io::{self, Write};

use qxbatch_core::header::{Header, Parsed, Window, parse};

/// Encoding of the elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    Implicit,
    Explicit,
    Big,
    Deflated,
}

impl Syntax {
    pub const ALL: [Self; 4] = [Self::Implicit, Self::Explicit, Self::Big, Self::Deflated];

    pub fn uid(self) -> &'static str {
        match self {
            Self::Implicit => "1.2.840.10008.1.2",
            Self::Explicit => "1.2.840.10008.1.2.1",
            Self::Big => "1.2.840.10008.1.2.2",
            Self::Deflated => "1.2.840.10008.1.2.1.99",
        }
    }

    fn word(self, value: u16) -> [u8; 2] {
        if self == Self::Big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn long(self, value: u32) -> [u8; 4] {
        if self == Self::Big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    pub fn tag(self, tag: u32) -> Vec<u8> {
        let (group, element) = (
            u16::try_from(tag >> 16).unwrap(),
            u16::try_from(tag & 0xFFFF).unwrap(),
        );
        [self.word(group), self.word(element)].concat()
    }

    /// Returns the header of an element; the length may be wrong, and `u32::MAX` is the undefined length.
    pub fn head(self, tag: u32, vr: &str, length: u32) -> Vec<u8> {
        let mut out = self.tag(tag);
        if self == Self::Implicit || tag >> 16 == 0xFFFE {
            out.extend(self.long(length));
        } else if matches!(vr, "OB" | "OW" | "SQ" | "UN" | "UT") {
            out.extend(vr.as_bytes());
            out.extend([0, 0]);
            out.extend(self.long(length));
        } else {
            out.extend(vr.as_bytes());
            out.extend(self.word(u16::try_from(length).unwrap()));
        }
        out
    }

    pub fn element(self, tag: u32, vr: &str, value: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        if value.len() % 2 == 1 {
            value.push(if vr == "UI" { 0 } else { b' ' });
        }
        let mut out = self.head(tag, vr, u32::try_from(value.len()).unwrap());
        out.extend(value);
        out
    }

    pub fn text(self, tag: u32, vr: &str, value: &str) -> Vec<u8> {
        self.element(tag, vr, value.as_bytes())
    }

    pub fn double(self, tag: u32, value: f64) -> Vec<u8> {
        let bytes = if self == Self::Big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        };
        self.element(tag, "FD", &bytes)
    }

    pub fn short(self, tag: u32, value: u16) -> Vec<u8> {
        self.element(tag, "US", &self.word(value))
    }

    /// Returns a sequence of one item, with defined or undefined lengths.
    pub fn sequence(self, tag: u32, item: &[u8], defined: bool) -> Vec<u8> {
        let mut body;
        if defined {
            body = self.head(0xFFFE_E000, "", u32::try_from(item.len()).unwrap());
            body.extend(item);
            let mut out = self.head(tag, "SQ", u32::try_from(body.len()).unwrap());
            out.extend(body);
            return out;
        }
        body = self.head(tag, "SQ", u32::MAX);
        body.extend(self.head(0xFFFE_E000, "", u32::MAX));
        body.extend(item);
        body.extend(self.head(0xFFFE_E00D, "", 0));
        body.extend(self.head(0xFFFE_E0DD, "", 0));
        body
    }

    /// Returns a meta header for this syntax.
    pub fn meta(self) -> Vec<u8> {
        let mut group = Self::Explicit.text(0x0002_0002, "UI", "1.2.840.10008.5.1.4.1.1.4");
        group.extend(Self::Explicit.text(0x0002_0010, "UI", self.uid()));
        let length = u32::try_from(group.len()).unwrap().to_le_bytes();
        [Self::Explicit.element(0x0002_0000, "UL", &length), group].concat()
    }

    /// Returns a whole file: preamble, meta header, data set.
    pub fn file(self, data_set: &[u8]) -> Vec<u8> {
        let mut out = vec![0; 128];
        out.extend(b"DICM");
        out.extend(self.meta());
        if self == Self::Deflated {
            let mut deflate =
                flate2::write::DeflateEncoder::new(out, flate2::Compression::default());
            deflate.write_all(data_set).unwrap();
            return deflate.finish().unwrap();
        }
        out.extend(data_set);
        out
    }

    /// Returns the elements before those that a test adds: groups 0008 and 0010.
    pub fn identity(self) -> Vec<u8> {
        [
            self.text(0x0008_0005, "CS", "ISO_IR 100"),
            self.text(0x0008_0008, "CS", "ORIGINAL\\PRIMARY\\M"),
            self.text(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.4"),
            self.text(0x0008_0018, "UI", "1.2.3.4.5"),
            self.text(0x0008_0060, "CS", "MR"),
            self.text(0x0008_0070, "LO", "SIEMENS"),
            self.text(0x0010_0010, "PN", "Doe^Jane"),
            self.text(0x0010_0020, "LO", "P001"),
        ]
        .concat()
    }

    /// Returns the elements after those: group 0018 to the pixels.
    pub fn rest(self) -> Vec<u8> {
        [
            self.text(0x0018_0080, "DS", "2000"),
            self.text(0x0018_0081, "DS", "30.5"),
            self.text(0x0020_000D, "UI", "1.2.3"),
            self.text(0x0020_000E, "UI", "1.2.3.4"),
            self.text(0x0020_0011, "IS", "7"),
            self.text(0x0020_0013, "IS", "12"),
            self.short(0x0028_0010, 64),
            self.short(0x0028_0011, 48),
            self.text(0x0028_0030, "DS", "3\\3"),
            self.element(0x7FE0_0010, "OW", &[7; 512]),
        ]
        .concat()
    }

    /// Returns an ordinary data set.
    pub fn plain(self) -> Vec<u8> {
        [self.identity(), self.rest()].concat()
    }

    /// Returns an ordinary data set with additional elements, in the order of tags if theirs are between groups 0010 and
    /// 0018.
    pub fn plain_with(self, between: &[u8]) -> Vec<u8> {
        [self.identity(), between.to_vec(), self.rest()].concat()
    }
}

/// Parses bytes that must be DICOM.
pub fn header(bytes: &[u8]) -> Header {
    let mut window = bytes;
    match parse(&mut window).unwrap() {
        Parsed::Dicom(header) => header,
        other => panic!("{other:?}"),
    }
}

/// Returns the reason and offset for bytes that must be broken DICOM.
pub fn broken(bytes: &[u8]) -> (String, u64) {
    let mut window = bytes;
    match parse(&mut window).unwrap() {
        Parsed::Broken { reason, offset } => (reason, offset),
        other => panic!("{other:?}"),
    }
}

/// Bytes of any size that are generated on demand; counts the requests.
pub struct Counting<F> {
    pub size: u64,
    pub calls: u64,
    pub bytes: u64,
    pub furthest: u64,
    fill: F,
    buffer: Vec<u8>,
}

impl<F: Fn(u64) -> u8> Counting<F> {
    pub fn new(size: u64, fill: F) -> Self {
        Self {
            size,
            calls: 0,
            bytes: 0,
            furthest: 0,
            fill,
            buffer: Vec::new(),
        }
    }
}

impl<F: Fn(u64) -> u8> Window for Counting<F> {
    fn len(&self) -> u64 {
        self.size
    }

    fn at(&mut self, offset: u64, want: usize) -> io::Result<&[u8]> {
        let end = offset.saturating_add(want as u64).min(self.size);
        self.calls += 1;
        self.bytes += end.saturating_sub(offset);
        self.furthest = self.furthest.max(end);
        self.buffer.clear();
        self.buffer.extend((offset..end).map(&self.fill));
        Ok(&self.buffer)
    }
}
