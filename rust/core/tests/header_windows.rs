//! How much of a file is read, and how much of a gzip file is inflated.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod object;

use std::fs::File;
use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use object::{Counting, Syntax};
use qxbatch_core::header::{Field, FileWindow, Inflated, Parsed, Window, parse};
use qxbatch_core::scan::parse_plain_or_gzip;

const SYNTAX: Syntax = Syntax::Explicit;

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

/// Parses a file and returns the number of reads.
fn reads(bytes: &[u8]) -> u32 {
    let file = on_disk(bytes);
    let mut window = FileWindow::new(&file, bytes.len() as u64, Vec::new());
    let Parsed::Dicom(header) = parse(&mut window).unwrap() else {
        unreachable!()
    };
    assert_eq!(header.int(Field::SeriesNumber), Some(7));
    window.reads()
}

fn pixels(count: usize) -> Vec<u8> {
    SYNTAX.element(0x7FE0_0010, "OW", &vec![9; count])
}

#[test]
fn an_ordinary_header_takes_one_read() {
    assert_eq!(
        reads(&SYNTAX.file(&[SYNTAX.plain(), pixels(1_000_000)].concat())),
        1
    );
}

#[test]
fn a_large_private_sequence_costs_one_read_more_whatever_its_size() {
    for size in [100_000, 10_000_000] {
        let sequence = SYNTAX.sequence(0x0011_1001, &vec![b' '; size], true);
        assert_eq!(
            reads(&SYNTAX.file(&SYNTAX.plain_with(&sequence))),
            2,
            "{size}"
        );
    }
}

#[test]
fn a_window_gives_the_bytes_of_the_file_wherever_it_looks() {
    let bytes: Vec<u8> = (0..50_000_u32).map(|at| (at * 7 % 251) as u8).collect();
    let file = on_disk(&bytes);
    let mut window = FileWindow::new(&file, bytes.len() as u64, Vec::new());
    for (at, want) in [
        (0, 10),
        (49_990, 100),
        (20_000, 9000),
        (5, 3),
        (50_000, 1),
        (u64::MAX, 8),
        (24_000, 4),
    ] {
        let found = window.at(at, want).unwrap();
        let expected = usize::try_from(at)
            .ok()
            .and_then(|at| bytes.get(at..))
            .unwrap_or_default();
        assert!(found.len() >= want.min(expected.len()), "{at}");
        assert_eq!(found, &expected[..found.len()], "{at}");
    }
}

#[test]
fn a_file_that_shrinks_under_the_reader_ends_where_it_ends() {
    let bytes = SYNTAX.file(&SYNTAX.plain());
    let file = on_disk(&bytes[..bytes.len() - 700]);
    let mut window = FileWindow::new(&file, bytes.len() as u64, Vec::new());
    assert!(parse(&mut window).is_ok());
}

/// Returns a gzip file without checksum and size, whose header has the optional parts in `flags` (RFC 1952, 2.3.1).
fn gzip(bytes: &[u8], flags: u8) -> Vec<u8> {
    let mut out = vec![0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 255];
    if flags & 4 != 0 {
        out.extend([3, 0, b'a', b'b', b'c']);
    }
    if flags & 8 != 0 {
        out.extend(b"name.dcm\0");
    }
    if flags & 16 != 0 {
        out.extend(b"a comment\0");
    }
    if flags & 2 != 0 {
        out.extend([1, 2]);
    }
    let mut deflate = DeflateEncoder::new(out, Compression::fast());
    deflate.write_all(bytes).unwrap();
    deflate.finish().unwrap()
}

#[test]
fn gzip_headers_of_every_kind_are_passed() {
    let object = SYNTAX.file(&SYNTAX.plain());
    for flags in 0..32 {
        let bytes = gzip(&object, flags);
        let mut window = bytes.as_slice();
        let parsed = parse_plain_or_gzip(&mut window).unwrap();
        assert!(matches!(parsed, Parsed::Dicom(_)), "{flags}");
    }
}

#[test]
fn only_the_beginning_of_a_gzip_file_is_inflated() {
    let noise: Vec<u8> = (0..4_000_000_u64)
        .map(|at| (at.wrapping_mul(0x9E37_79B9) >> 13) as u8)
        .collect();
    let object = SYNTAX.file(&[SYNTAX.plain(), SYNTAX.element(0x7FE0_0010, "OW", &noise)].concat());
    let bytes = gzip(&object, 0);
    let mut window = Counting::new(bytes.len() as u64, |at| bytes[at as usize]);
    assert!(matches!(
        parse_plain_or_gzip(&mut window).unwrap(),
        Parsed::Dicom(_)
    ));
    assert!(
        window.furthest < 20_000,
        "{} bytes were looked at",
        window.furthest
    );
}

#[test]
fn inflated_bytes_are_the_same_forwards_and_backwards() {
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|at| (at / 3 % 251) as u8).collect();
    let packed = gzip(&bytes, 8);
    let mut source = packed.as_slice();
    let mut window = Inflated::gzip(&mut source).unwrap().unwrap();
    for at in [0, 500_000, 999_990, 10, 400_000, 399_000] {
        let found = window.at(at, 10).unwrap();
        let expected = &bytes[at as usize..];
        assert_eq!(found[..10], expected[..10], "{at}");
    }
    assert!(window.at(1_000_000, 1).unwrap().is_empty());
    assert_eq!(window.len(), 1_000_000);
}

#[test]
fn a_bomb_is_refused() {
    let head = [
        SYNTAX.file(&SYNTAX.identity()),
        SYNTAX.head(0x0011_1001, "OB", 1 << 30),
    ]
    .concat();
    let bytes = gzip(&[head, vec![0; 100_000_000]].concat(), 0);
    let mut window = bytes.as_slice();
    let Parsed::Broken { reason, .. } = parse_plain_or_gzip(&mut window).unwrap() else {
        unreachable!()
    };
    assert!(reason.contains("64 MB"), "{reason}");
}

#[test]
fn a_gzip_file_cut_short_or_of_something_else_is_no_dicom() {
    let object = SYNTAX.file(&SYNTAX.plain());
    for bytes in [
        &gzip(&object, 0)[..40],
        &gzip(b"a text", 0),
        b"\x1f\x8b",
        b"\x1f\x8b\x08\x04\0\0\0\0\0\0\xff",
    ] {
        let mut window = bytes;
        assert!(!matches!(
            parse_plain_or_gzip(&mut window),
            Ok(Parsed::Dicom(_))
        ));
    }
}
