//! The header reader: the same result for the same bytes through every window, with bounded work.

use std::io;

use qxbatch_core::header::{Field, FileWindow, Header, Parsed, Value, ValueType, Window, parse};
use qxbatch_core::scan::parse_plain_or_gzip;
use qxbatch_core::series::{InputFile, group};

use super::pieces::Short;

/// Starts of elements (explicit, little-endian), delimiters, transfer syntaxes, and other marks.
pub const WORDS: &[&[u8]] = &[
    b"\x02\x00\x10\x00UI\x14\x00",
    b"\x08\x00\x05\x00CS\x0a\x00",
    b"\x08\x00\x16\x00UI",
    b"\x08\x00\x18\x00UI",
    b"\x10\x00\x10\x00PN",
    b"\x18\x00\x81\x00DS",
    b"\x20\x00\x0d\x00UI",
    b"\x20\x00\x0e\x00UI",
    b"\x20\x00\x11\x00IS",
    b"\x28\x00\x08\x00IS",
    b"\x28\x00\x30\x00DS",
    b"\x01\x20\x10\x00LO",
    b"\x00\x52\x29\x92SQ\x00\x00",
    b"\x00\x52\x30\x92SQ\x00\x00",
    b"\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff",
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
    b"\xfe\xff\x0d\xe0\x00\x00\x00\x00",
    b"\xfe\xff\xdd\xe0\x00\x00\x00\x00",
    b"\xff\xfe\xe0\x00",
    b"\xff\xff\xff\xff",
    b"UN\x00\x00\xff\xff\xff\xff",
    b"OB\x00\x00",
    b"1.2.840.10008.1.2",
    b"1.2.840.10008.1.2.1",
    b"1.2.840.10008.1.2.2",
    b"1.2.840.10008.1.2.1.99",
    b"1.2.840.113619.5.2",
    b"1.2.840.10008.5.1.4.1.1.4.1",
    b"\\ISO 2022 IR 87",
    b"ISO_IR 192",
    b"GB18030",
    b"\x1b$B",
    b"\x1b(B",
    b"\x1f\x8b\x08\x00",
    b"DICM",
    b"Philips Imaging DD 001",
    b"SIEMENS CSA HEADER",
    b"GEMS_ACQU_01",
];

/// Reads bytes through every window, and compares the results.
pub fn run(bytes: &[u8]) {
    let size = bytes.len() as u64;
    let mut whole = bytes;
    let parsed = parse(&mut whole).unwrap();

    // Returns exactly the requested bytes, never more.
    let mut strict = Strict::new(bytes);
    assert_eq!(parse(&mut strict).unwrap(), parsed, "strict window");
    assert!(strict.furthest <= size, "read past the end");
    assert!(
        strict.calls <= 20 * size + 100,
        "{} calls for {size} bytes",
        strict.calls
    );

    // As files are read, in blocks with only a part of the header.
    let file = Short(bytes);
    let mut blocks = FileWindow::with_read_length(&file, size, Vec::new(), 64);
    assert_eq!(parse(&mut blocks).unwrap(), parsed, "window of blocks");

    if bytes.starts_with(&[0x1f, 0x8b]) {
        let of_slice = parse_plain_or_gzip(&mut whole).map_err(|error| error.to_string());
        let mut blocks = FileWindow::with_read_length(&file, size, Vec::new(), 64);
        let of_file = parse_plain_or_gzip(&mut blocks).map_err(|error| error.to_string());
        assert_eq!(of_slice, of_file, "a gzip file");
        if let Ok(Parsed::Dicom(header)) = &of_slice {
            look(header);
        }
    }
    match &parsed {
        Parsed::Dicom(header) => {
            look(header);
            together(header, size);
        }
        Parsed::Broken { offset, reason } => {
            assert!(*offset <= size.max(1 << 20) && !reason.is_empty());
        }
        Parsed::NotDicom => {}
    }
}

/// Checks every field by its type: all ways to get its value agree, numbers are finite, and its bytes are within the
/// length limit.
fn look(header: &Header) {
    for field in Field::ALL {
        let raw = header.raw(field);
        if raw.is_empty() {
            assert_eq!(header.value(field), Value::None, "{field:?}");
            continue;
        }
        assert!(raw.len() <= Header::MAX_VALUE, "{field:?}");
        match (field.value_type(), header.value(field)) {
            (_, Value::None) => {}
            (ValueType::Int, Value::Int(number)) => assert_eq!(header.int(field), Some(number)),
            (ValueType::Int, Value::Ints(numbers)) => {
                assert_eq!(header.int(field), numbers.first().copied());
            }
            (ValueType::Float, Value::Float(number)) => {
                assert!(number.is_finite());
                assert_eq!(header.float(field), Some(number));
            }
            (ValueType::Float, Value::Floats(numbers)) => {
                assert!(numbers.iter().all(|number| number.is_finite()));
                assert_eq!(header.float(field), numbers.first().copied());
            }
            (ValueType::Text | ValueType::Person | ValueType::Ascii, Value::Text(text)) => {
                assert_eq!(header.text(field), Some(text));
            }
            (ValueType::Text | ValueType::Person | ValueType::Ascii, Value::Texts(texts)) => {
                assert_eq!(header.text(field), Some(texts.join("\\")));
            }
            (kind, value) => unreachable!("{field:?} of {kind:?} is {value:?}"),
        }
    }
}

/// Two files with one header belong to one series, and a moved header is unchanged.
fn together(header: &Header, size: u64) {
    let file = InputFile {
        sort_key: b"a",
        folder: b"",
        header,
        size,
    };
    let groups = group(&[file, file]);
    assert!(groups.iter().all(|group| group.members == [0, 1]));
    let mut moved = [header.clone(), header.clone()];
    Header::move_into_one_block(moved.iter_mut());
    assert!(moved.iter().all(|one| one == header));
}

/// Returns exactly the requested bytes, and counts them.
struct Strict<'a> {
    bytes: &'a [u8],
    calls: u64,
    furthest: u64,
}

impl<'a> Strict<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            calls: 0,
            furthest: 0,
        }
    }
}

impl Window for Strict<'_> {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn at(&mut self, offset: u64, want: usize) -> io::Result<&[u8]> {
        self.calls += 1;
        let end = offset.saturating_add(want as u64).min(self.len());
        self.furthest = self.furthest.max(end);
        if offset >= end {
            return Ok(&[]);
        }
        Ok(&self.bytes[usize::try_from(offset).unwrap()..usize::try_from(end).unwrap()])
    }
}
