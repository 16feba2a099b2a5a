//! Objects of every legal encoding give the same header.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "test code"
)]

mod object;

use object::{Syntax, header};
use qxbatch_core::header::{Field, Header, Parsed, Value, parse};

fn is_plain(header: &Header) {
    assert_eq!(header.text(Field::PatientId).unwrap(), "P001");
    assert_eq!(header.text(Field::SeriesInstanceUid).unwrap(), "1.2.3.4");
    assert_eq!(header.int(Field::SeriesNumber), Some(7));
    assert_eq!(header.int(Field::InstanceNumber), Some(12));
    assert_eq!(header.float(Field::EchoTime), Some(30.5));
    assert_eq!(header.int(Field::Rows), Some(64));
    assert_eq!(
        header.value(Field::PixelSpacing),
        Value::Floats(vec![3.0, 3.0])
    );
}

#[test]
fn every_syntax_gives_the_same_values() {
    for syntax in Syntax::ALL {
        let header = header(&syntax.file(&syntax.plain()));
        is_plain(&header);
        assert_eq!(header.text(Field::TransferSyntaxUid).unwrap(), syntax.uid());
    }
}

#[test]
fn neither_preamble_nor_meta_header_is_needed() {
    for syntax in [Syntax::Implicit, Syntax::Explicit, Syntax::Big] {
        is_plain(&header(&syntax.plain()));
        is_plain(&header(&syntax.file(&syntax.plain())[132..]));
        let no_meta = [&[0; 128][..], b"DICM", &syntax.plain()].concat();
        is_plain(&header(&no_meta));
    }
}

#[test]
fn a_wrong_transfer_syntax_is_not_believed() {
    for claimed in Syntax::ALL {
        for written in [Syntax::Implicit, Syntax::Explicit, Syntax::Big] {
            if claimed == Syntax::Deflated && written != Syntax::Explicit {
                continue;
            }
            let file = [&[0; 128][..], b"DICM", &claimed.meta(), &written.plain()].concat();
            is_plain(&header(&file));
        }
    }
}

#[test]
fn a_wrong_group_length_of_the_meta_header_is_not_believed() {
    for length in [0_u32, 4, 100_000, u32::MAX] {
        let mut file = Syntax::Explicit.file(&Syntax::Explicit.plain());
        file[140..144].copy_from_slice(&length.to_le_bytes());
        is_plain(&header(&file));
    }
}

#[test]
fn group_lengths_are_passed() {
    let syntax = Syntax::Explicit;
    let group = syntax.element(0x0008_0000, "UL", &99_u32.to_le_bytes());
    is_plain(&header(&syntax.file(&[group, syntax.plain()].concat())));
}

#[test]
fn sequences_are_passed_whatever_their_lengths() {
    for syntax in Syntax::ALL {
        for outer in [true, false] {
            for inner in [true, false] {
                let name = syntax.text(0x0010_0010, "PN", "Someone^Else");
                let nested = syntax.sequence(0x0008_1140, &name, inner);
                let sequence = syntax.sequence(0x0010_1002, &[name, nested].concat(), outer);
                let header = header(&syntax.file(&syntax.plain_with(&sequence)));
                is_plain(&header);
                assert_eq!(header.text(Field::PatientName).unwrap(), "Doe^Jane");
            }
        }
    }
}

#[test]
fn a_private_sequence_of_unknown_vr_is_implicit_inside() {
    let (explicit, implicit) = (Syntax::Explicit, Syntax::Implicit);
    for inside in [explicit, implicit] {
        let mut sequence = explicit.head(0x0011_1001, "UN", u32::MAX);
        sequence.extend(explicit.head(0xFFFE_E000, "", u32::MAX));
        sequence.extend(inside.text(0x0011_1002, "LO", "anything"));
        sequence.extend(inside.sequence(
            0x0011_1003,
            &inside.text(0x0011_1004, "LO", "more"),
            false,
        ));
        sequence.extend(explicit.head(0xFFFE_E00D, "", 0));
        sequence.extend(explicit.head(0xFFFE_E0DD, "", 0));
        is_plain(&header(&explicit.file(&explicit.plain_with(&sequence))));
    }
}

#[test]
fn fragments_before_the_end_are_passed() {
    let syntax = Syntax::Explicit;
    let mut icon = syntax.head(0x0011_1010, "OB", u32::MAX);
    icon.extend(syntax.head(0xFFFE_E000, "", 0));
    icon.extend(syntax.head(0xFFFE_E000, "", 4));
    icon.extend([0xFF, 0xD8, 0xFF, 0xD9]);
    icon.extend(syntax.head(0xFFFE_E0DD, "", 0));
    is_plain(&header(&syntax.file(&syntax.plain_with(&icon))));
}

#[test]
fn private_elements_belong_to_their_creator_wherever_the_block_is() {
    let syntax = Syntax::Explicit;
    for (private_creator, block, want) in [
        ("SIEMENS MR HEADER", 0x10, Some(32)),
        ("SIEMENS MR HEADER", 0x42, Some(32)),
        ("OTHER", 0x10, None),
    ] {
        let creator = syntax.text(0x0019_0000 | block, "LO", private_creator);
        let count = syntax.short(0x0019_000A | block << 8, 32);
        let mut data = syntax.identity();
        data.extend(syntax.text(0x0018_0080, "DS", "2000"));
        data.extend([creator, count].concat());
        data.extend(syntax.text(0x0020_000E, "UI", "1.2.3.4"));
        let header = header(&syntax.file(&data));
        assert_eq!(
            header.int(Field::SiemensNumberOfImagesInMosaic),
            want,
            "{private_creator} {block:x}"
        );
        assert_eq!(header.text(Field::SeriesInstanceUid).unwrap(), "1.2.3.4");
    }
}

#[test]
fn philips_counts_lie_past_the_picture_and_are_found() {
    for syntax in Syntax::ALL {
        let number = |tag, value: i32| {
            let bytes = if syntax == Syntax::Big {
                value.to_be_bytes()
            } else {
                value.to_le_bytes()
            };
            syntax.element(tag, "SL", &bytes)
        };
        let data = [
            syntax.text(0x0008_0018, "UI", "1.2.3.4.5"),
            syntax.text(0x0008_0070, "LO", "Philips Medical Systems"),
            syntax.short(0x0028_0010, 64),
            syntax.text(0x0028_0030, "DS", "3\\3"),
            syntax.sequence(0x0040_0275, &syntax.text(0x0040_0007, "LO", "step"), false),
            syntax.text(0x2001_0010, "LO", "Philips Imaging DD 001"),
            number(0x2001_1018, 24),
        ]
        .concat();
        assert_eq!(
            header(&syntax.file(&data)).int(Field::PhilipsNumberOfSlices),
            Some(24),
            "{syntax:?}"
        );
    }
}

fn enhanced(syntax: Syntax, defined: bool, shared: bool) -> Vec<u8> {
    let timing = syntax.sequence(
        0x0018_9112,
        &[
            syntax.text(0x0018_0080, "DS", "2000"),
            syntax.text(0x0018_1314, "DS", "77"),
        ]
        .concat(),
        defined,
    );
    let echo = syntax.sequence(0x0018_9114, &syntax.double(0x0018_9082, 2.46), defined);
    let groups = [timing, echo].concat();
    let (shared, frame) = if shared {
        (groups, Vec::new())
    } else {
        (Vec::new(), groups)
    };
    [
        syntax.text(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.4.1"),
        syntax.text(0x0008_0018, "UI", "1.2.3.4.5"),
        syntax.text(0x0020_000E, "UI", "1.2.3.4"),
        syntax.text(0x0028_0008, "IS", "30"),
        syntax.sequence(0x5200_9229, &shared, defined),
        syntax.sequence(0x5200_9230, &frame, defined),
    ]
    .concat()
}

#[test]
fn enhanced_objects_keep_times_in_functional_groups() {
    for syntax in Syntax::ALL {
        for defined in [true, false] {
            for shared in [true, false] {
                let header = header(&syntax.file(&enhanced(syntax, defined, shared)));
                assert_eq!(
                    header.float(Field::RepetitionTime),
                    Some(2000.0),
                    "{syntax:?} {defined} {shared}"
                );
                assert_eq!(header.float(Field::EchoTime), Some(2.46));
                assert_eq!(header.float(Field::FlipAngle), Some(77.0));
            }
        }
    }
}

#[test]
fn a_double_of_an_unknown_vr_is_read_in_functional_groups() {
    let syntax = Syntax::Explicit;
    let time = syntax.element(0x0018_9082, "UN", &2.46_f64.to_le_bytes());
    let echo = syntax.sequence(0x0018_9114, &time, true);
    let data = [
        syntax.text(0x0008_0016, "UI", "1.2.840.10008.5.1.4.1.1.4.1"),
        syntax.text(0x0008_0018, "UI", "1.2.3.4.5"),
        syntax.sequence(0x5200_9229, &echo, true),
    ];
    let header = header(&syntax.file(&data.concat()));
    assert_eq!(header.float(Field::EchoTime), Some(2.46));
}

#[test]
fn the_main_data_set_comes_before_functional_groups() {
    let syntax = Syntax::Explicit;
    let data = [
        syntax.text(0x0008_0018, "UI", "1.2.3.4.5"),
        syntax.text(0x0018_0080, "DS", "900"),
        syntax.text(0x0028_0008, "IS", "2"),
        syntax.sequence(
            0x5200_9229,
            &syntax.sequence(0x0018_9112, &syntax.text(0x0018_0080, "DS", "1"), true),
            true,
        ),
    ]
    .concat();
    assert_eq!(
        header(&syntax.file(&data)).float(Field::RepetitionTime),
        Some(900.0)
    );
}

#[test]
fn a_dicomdir_is_known_by_its_meta_header() {
    let syntax = Syntax::Explicit;
    let meta = syntax.text(0x0002_0002, "UI", "1.2.840.10008.1.3.10");
    let data = syntax.text(0x0004_1130, "CS", "DISC");
    let file = [&[0; 128][..], b"DICM", &meta, &data].concat();
    assert!(header(&file).is_dicomdir());
    assert!(!header(&syntax.file(&syntax.plain())).is_dicomdir());
}

#[test]
fn other_files_are_no_dicom() {
    let mut nifti = vec![0; 352];
    nifti[0] = 92;
    nifti[1] = 1;
    let mut archive = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
    archive.extend([8; 200]);
    let zeros = vec![0; 4096];
    let eights = [8, 0].repeat(2048);
    let text = b"# A readme that is longer than a hundred and forty-four bytes ....... ".repeat(4);
    let matlab = [
        b"MATLAB 5.0 MAT-file".to_vec(),
        vec![b' '; 105],
        vec![0, 1, b'I', b'M'],
    ]
    .concat();
    let others: [&[u8]; 12] = [
        b"",
        b"\x08",
        b"\x08\0\x05\0",
        b"\xff\xd8\xff\xe0\0\x10JFIF\0",
        b"{\"SeriesInstanceUID\": \"1.2.3\"}",
        b"\x02\0some other binary format with a length before it, and more of it",
        &nifti,
        &archive,
        &zeros,
        &eights,
        &text,
        &matlab,
    ];
    for bytes in others {
        let mut window = bytes;
        assert_eq!(
            parse(&mut window).unwrap(),
            Parsed::NotDicom,
            "{:?}",
            &bytes[..bytes.len().min(16)]
        );
    }
}

#[test]
fn an_element_of_all_items_of_a_sequence_is_one_value() {
    for syntax in Syntax::ALL {
        for outer in [true, false] {
            let id = syntax.text(0x0010_0020, "LO", "OTHER7");
            let nested = syntax.sequence(0x0010_0024, &id, outer);
            let sequence = syntax.sequence(0x0010_1002, &[id, nested].concat(), outer);
            let header = header(&syntax.file(&syntax.plain_with(&sequence)));
            is_plain(&header);
            assert_eq!(
                header.text(Field::OtherPatientIdsSequence).unwrap(),
                "OTHER7"
            );
        }
    }
}

#[test]
fn damaged_items_do_not_make_the_header_unreadable() {
    let syntax = Syntax::Explicit;
    for items in [
        &b"\xFE\xFF\x00\xE0\xFF\xFF\x00\x00\x10\x00\x20\x00LO\x02\x00AB"[..],
        b"\xFE\xFF\x00\xE0\x0C\x00\x00\x00\x10\x00\x20\x00LO\xFF\x00AB",
        b"??",
    ] {
        let mut sequence = syntax.head(0x0010_1002, "SQ", u32::try_from(items.len()).unwrap());
        sequence.extend(items);
        is_plain(&header(&syntax.file(&syntax.plain_with(&sequence))));
    }
}
