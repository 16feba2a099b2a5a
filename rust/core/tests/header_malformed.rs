//! One malformation per test: lengths are never trusted or followed out of bounds, and every error has an offset.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod object;

use object::{Counting, Syntax, broken, header};
use qxbatch_core::header::{Field, Parsed, parse};

const SYNTAX: Syntax = Syntax::Explicit;

#[test]
fn a_length_that_lies_is_refused_with_its_place() {
    let mut file = SYNTAX.file(&SYNTAX.identity());
    let at = file.len() as u64 + 12;
    file.extend(SYNTAX.head(0x0011_1001, "OB", 4_000_000_000));
    let (reason, offset) = broken(&file);
    assert!(
        reason.contains("(0011,1001)") && reason.contains("4000000000"),
        "{reason}"
    );
    assert_eq!(offset, at);
}

#[test]
fn a_length_that_lies_after_the_series_is_known_costs_nothing_else() {
    let known = [
        SYNTAX.identity(),
        SYNTAX.text(0x0020_000E, "UI", "1.2"),
        SYNTAX.text(0x0020_0011, "IS", "3"),
    ];
    let data = [known.concat(), SYNTAX.head(0x0020_4000, "UT", 1 << 30)].concat();
    assert_eq!(
        header(&SYNTAX.file(&data)).int(Field::SeriesNumber),
        Some(3)
    );
}

#[test]
fn a_file_cut_anywhere_is_whole_broken_or_no_dicom_and_never_wrong() {
    for syntax in Syntax::ALL {
        let file = syntax.file(&syntax.plain());
        for end in 0..file.len() {
            let mut window = &file[..end];
            if let Parsed::Dicom(header) = parse(&mut window).unwrap() {
                let uid = header.text(Field::SeriesInstanceUid);
                assert!(
                    uid.is_none() || uid.as_deref() == Some("1.2.3.4"),
                    "{syntax:?} {end} {uid:?}"
                );
            }
        }
    }
}

#[test]
fn a_sequence_without_an_end_is_refused() {
    let mut file = SYNTAX.file(&SYNTAX.identity());
    file.extend(SYNTAX.head(0x0011_1001, "SQ", u32::MAX));
    file.extend(SYNTAX.head(0xFFFE_E000, "", u32::MAX));
    file.extend(SYNTAX.text(0x0011_1002, "LO", "anything"));
    assert!(broken(&file).0.contains("has no end"));
}

#[test]
fn an_element_where_an_item_is_due_is_refused() {
    let mut file = SYNTAX.file(&SYNTAX.identity());
    file.extend(SYNTAX.head(0x0011_1001, "SQ", u32::MAX));
    file.extend(SYNTAX.rest());
    assert!(broken(&file).0.contains("item of a sequence"));
}

#[test]
fn endless_nesting_is_refused_after_some_levels() {
    let level = [
        SYNTAX.head(0x0011_1001, "SQ", u32::MAX),
        SYNTAX.head(0xFFFE_E000, "", u32::MAX),
    ]
    .concat();
    let file = SYNTAX.file(&[SYNTAX.identity(), level.repeat(100_000)].concat());
    assert!(broken(&file).0.contains("deep"));
}

#[test]
fn stray_delimiters_are_passed() {
    let stray = [
        SYNTAX.head(0xFFFE_E00D, "", 0),
        SYNTAX.head(0xFFFE_E0DD, "", 0),
    ]
    .concat();
    let sequence = [
        SYNTAX.head(0x0011_1001, "SQ", u32::MAX),
        SYNTAX.head(0xFFFE_E00D, "", 0),
        SYNTAX.head(0xFFFE_E0DD, "", 0),
    ]
    .concat();
    assert_eq!(
        header(&SYNTAX.file(&SYNTAX.plain_with(&sequence))).int(Field::SeriesNumber),
        Some(7)
    );
    // After the data set, where files may be padded or joined.
    assert_eq!(
        header(&SYNTAX.file(&[SYNTAX.plain(), stray].concat())).int(Field::SeriesNumber),
        Some(7)
    );
}

#[test]
fn an_item_left_open_ends_with_its_sequence() {
    let sequence = [
        SYNTAX.head(0x0011_1001, "SQ", u32::MAX),
        SYNTAX.head(0xFFFE_E000, "", u32::MAX),
        SYNTAX.text(0x0011_1002, "LO", "anything"),
        SYNTAX.head(0xFFFE_E0DD, "", 0),
    ]
    .concat();
    assert_eq!(
        header(&SYNTAX.file(&SYNTAX.plain_with(&sequence))).int(Field::SeriesNumber),
        Some(7)
    );
}

#[test]
fn an_unknown_vr_is_skipped_in_either_form() {
    let mut long = SYNTAX.tag(0x0011_1001);
    long.extend(b"ZZ\0\0\x02\0\0\0AB");
    let mut short = SYNTAX.tag(0x0011_1001);
    short.extend(b"ZZ\x02\0AB");
    let mut none = SYNTAX.tag(0x0011_1001);
    none.extend(b"\x02\0\0\0AB");
    for odd in [long, short, none] {
        assert_eq!(
            header(&SYNTAX.file(&SYNTAX.plain_with(&odd))).int(Field::SeriesNumber),
            Some(7),
            "{odd:?}"
        );
    }
}

#[test]
fn elements_out_of_order_are_found_before_the_last_wanted_one() {
    let data = [SYNTAX.text(0x0020_0011, "IS", "9"), SYNTAX.plain()].concat();
    let header = header(&[&[0; 128][..], b"DICM", &SYNTAX.meta(), &data].concat());
    assert_eq!(header.text(Field::PatientId).as_deref(), Some("P001"));
    assert_eq!(
        header.int(Field::SeriesNumber),
        Some(7),
        "the later one counts"
    );
}

#[test]
fn zeros_after_the_data_set_end_it() {
    let data = [SYNTAX.identity(), vec![0; 4096]].concat();
    assert_eq!(
        header(&SYNTAX.file(&data))
            .text(Field::PatientId)
            .as_deref(),
        Some("P001")
    );
}

#[test]
fn what_follows_the_mark_has_to_be_dicom() {
    let file = [
        &[0; 128][..],
        b"DICM",
        b"this is a text that somebody wrote",
    ]
    .concat();
    assert!(broken(&file).0.contains("start with a data element"));
}

#[test]
fn a_meta_element_longer_than_the_file_is_refused() {
    let meta = SYNTAX.head(0x0002_0001, "OB", 1 << 31);
    let file = [&[0; 128][..], b"DICM", &meta, &SYNTAX.plain()].concat();
    assert!(broken(&file).0.contains("meta header"));
}

#[test]
fn damaged_deflated_data_are_refused() {
    let mut file = Syntax::Deflated.file(&SYNTAX.plain());
    let start = 132 + Syntax::Deflated.meta().len();
    file[start..].fill(0xFF);
    assert!(broken(&file).0.contains("damaged"));
}

#[test]
fn numbers_that_are_none_are_absent() {
    let data = [
        SYNTAX.identity(),
        SYNTAX.text(0x0018_0080, "DS", "fast"),
        SYNTAX.text(0x0018_0081, "DS", ""),
        SYNTAX.text(0x0020_000E, "UI", "1.2.3.4"),
        SYNTAX.text(0x0020_0011, "IS", "1A"),
    ]
    .concat();
    let header = header(&SYNTAX.file(&data));
    assert_eq!(
        (
            header.float(Field::RepetitionTime),
            header.float(Field::EchoTime)
        ),
        (None, None)
    );
    assert_eq!(header.int(Field::SeriesNumber), None);
    assert_eq!(
        header.text(Field::SeriesNumber).as_deref(),
        Some("1A"),
        "its text stays"
    );
}

/// Returns a file of `head`, `between` bytes of value 0xAA, and `tail`.
fn around(between: u64, head: &[u8], tail: &[u8]) -> Counting<impl Fn(u64) -> u8 + use<>> {
    let (start, end) = (head.len() as u64, head.len() as u64 + between);
    let (head, tail) = (head.to_vec(), tail.to_vec());
    Counting::new(end + tail.len() as u64, move |at| {
        if at < start {
            head[at as usize]
        } else if at < end {
            0xAA
        } else {
            tail[(at - end) as usize]
        }
    })
}

#[test]
fn a_gigabyte_value_is_passed_without_reading_it() {
    let size = 1_u32 << 30;
    let head = [
        SYNTAX.file(&SYNTAX.identity()),
        SYNTAX.head(0x0011_1001, "OB", size),
    ]
    .concat();
    let mut window = around(u64::from(size), &head, &SYNTAX.rest());
    assert!(matches!(parse(&mut window).unwrap(), Parsed::Dicom(_)));
    assert!(window.bytes < 20_000, "{} bytes were read", window.bytes);
}

#[test]
fn a_wanted_value_of_a_gigabyte_is_cut() {
    let size = 1_u32 << 30;
    let head = [
        SYNTAX.file(&SYNTAX.identity()),
        SYNTAX.head(0x0018_1030, "UT", size),
    ]
    .concat();
    let mut window = around(u64::from(size), &head, &SYNTAX.rest());
    let Parsed::Dicom(header) = parse(&mut window).unwrap() else {
        unreachable!()
    };
    assert!(header.raw(Field::ProtocolName).len() <= 4096);
    assert!(window.bytes < 20_000, "{} bytes were read", window.bytes);
}

#[test]
fn an_absent_field_does_not_make_it_read_to_the_pixels() {
    let head = SYNTAX.file(&SYNTAX.identity());
    let tail = [
        SYNTAX.text(0x0020_000E, "UI", "1.2.3.4"),
        SYNTAX.text(0x0020_0011, "IS", "7"),
        SYNTAX.short(0x0028_0010, 64),
        SYNTAX.text(0x0028_0030, "DS", "3\\3"),
        SYNTAX.head(0x0029_1010, "OB", 100_000),
    ]
    .concat();
    let end = (head.len() + tail.len()) as u64;
    let file = [
        head,
        tail,
        vec![0; 100_000],
        SYNTAX.element(0x7FE0_0010, "OW", &[1; 100]),
    ]
    .concat();
    let mut window = Counting::new(file.len() as u64, |at| file[at as usize]);
    parse(&mut window).unwrap();
    assert!(window.furthest <= end, "{} > {end}", window.furthest);
}

#[test]
fn work_grows_with_the_number_of_elements_and_not_faster() {
    let bytes_read = |count: usize| {
        let items = [
            SYNTAX.head(0xFFFE_E000, "", 10),
            SYNTAX.text(0x0011_1002, "LO", "x"),
        ]
        .concat();
        let sequence = [
            SYNTAX.head(0x0011_1001, "SQ", u32::MAX),
            items.repeat(count),
            SYNTAX.head(0xFFFE_E0DD, "", 0),
        ];
        let file = SYNTAX.file(&SYNTAX.plain_with(&sequence.concat()));
        let mut window = Counting::new(file.len() as u64, |at| file[at as usize]);
        assert!(matches!(parse(&mut window).unwrap(), Parsed::Dicom(_)));
        window.bytes
    };
    let (few, many) = (bytes_read(1000), bytes_read(10_000));
    assert!(many < few * 11, "{few} {many}");
}

#[test]
fn a_file_of_only_elements_is_refused() {
    let head = [
        SYNTAX.file(&SYNTAX.identity()),
        SYNTAX.head(0x0011_1001, "SQ", u32::MAX),
    ]
    .concat();
    let start = head.len() as u64;
    let item = SYNTAX.head(0xFFFE_E000, "", 0);
    let mut window = Counting::new(1 << 40, |at| {
        if at < start {
            head[at as usize]
        } else {
            item[((at - start) % 8) as usize]
        }
    });
    let Parsed::Broken { reason, .. } = parse(&mut window).unwrap() else {
        unreachable!()
    };
    assert!(reason.contains("too many data elements"), "{reason}");
}

#[test]
fn a_wrong_tag_does_not_hide_the_series() {
    let wrong = SYNTAX.text(0x7F10_0020, "LO", "P001");
    let header = header(&SYNTAX.file(&SYNTAX.plain_with(&wrong)));
    assert_eq!(
        header.text(Field::SeriesInstanceUid).as_deref(),
        Some("1.2.3.4")
    );
    assert_eq!(header.int(Field::SeriesNumber), Some(7));
}
