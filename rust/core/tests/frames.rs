//! The frames of objects that are built byte by byte: precedence, lengths, damage.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod frames_object;
mod object;

use frames_object::{PLACE, image, items, read};
use object::Syntax;
use qxbatch_core::frames::{Pixels, details, parse};

const SHARED: u32 = 0x5200_9229;
const PER_FRAME: u32 = 0x5200_9230;

fn enhanced(syntax: Syntax, defined: bool) -> Vec<u8> {
    let place = |z: &str| {
        let inner = syntax.text(PLACE, "DS", &format!("0\\0\\{z}"));
        syntax.sequence(0x0020_9113, &inner, defined)
    };
    let measures = |spacing: &str| {
        let inner = syntax.text(0x0028_0030, "DS", spacing);
        syntax.sequence(0x0028_9110, &inner, defined)
    };
    let shared = items(syntax, SHARED, &[measures("5\\6")], defined);
    // The second frame has its own pixel measures, which take precedence.
    let frames = [place("1"), [place("2"), measures("7\\8")].concat()];
    let per_frame = items(syntax, PER_FRAME, &frames, defined);
    let between = [shared, per_frame].concat();
    syntax.file(&image(
        syntax,
        "ORIGINAL\\PRIMARY\\M\\NONE",
        "9\\9\\9",
        &between,
        64,
    ))
}

#[test]
fn frames_take_their_own_macros_before_the_shared_ones() {
    for syntax in Syntax::ALL {
        for defined in [true, false] {
            let object = read(&enhanced(syntax, defined));
            let frames: Vec<_> = object
                .frames
                .iter()
                .map(|frame| &frame.attributes)
                .collect();
            assert_eq!(frames.len(), 2, "{syntax:?}");
            assert_eq!(frames[0].position, Some([0.0, 0.0, 1.0]));
            assert_eq!(frames[0].spacing, Some([5.0, 6.0]));
            assert_eq!(frames[1].position, Some([0.0, 0.0, 2.0]));
            assert_eq!(frames[1].spacing, Some([7.0, 8.0]));
            assert_eq!(frames[1].orientation, Some([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]));
            let native = matches!(object.pixels, Pixels::Native { big_endian, .. } if big_endian == (syntax == Syntax::Big));
            assert_eq!(native, syntax != Syntax::Deflated);
        }
    }
}

#[test]
fn an_object_without_pixels_has_no_frames() {
    let set = Syntax::Explicit.text(0x0008_0008, "CS", "ORIGINAL");
    let object = read(&Syntax::Explicit.file(&set));
    assert_eq!(
        (object.pixels, object.frames.len(), object.is_incomplete),
        (Pixels::Absent, 0, false)
    );
}

#[test]
fn frames_that_the_pixels_cannot_have_are_not_believed() {
    for syntax in [Syntax::Implicit, Syntax::Explicit, Syntax::Big] {
        let between = syntax.text(0x0028_0008, "IS", "4000000000");
        let set = image(syntax, "ORIGINAL", "0\\0\\0", &between, 3 * 32);
        let object = read(&syntax.file(&set));
        assert_eq!((object.frames.len(), object.is_incomplete), (3, true));
    }
}

#[test]
fn a_cut_object_is_known_as_incomplete_wherever_it_ends() {
    let whole = enhanced(Syntax::Explicit, false);
    assert!(!read(&whole).is_incomplete);
    for end in 140..whole.len() {
        let mut window = &whole[..end];
        if let Some(object) = parse(&mut window).unwrap() {
            let complete = object.pixels == Pixels::Absent || object.is_incomplete;
            assert!(complete, "{end} of {} bytes", whole.len());
        }
    }
}

#[test]
fn an_object_whose_pixel_data_are_cut_is_known_as_truncated() {
    for syntax in [Syntax::Implicit, Syntax::Explicit, Syntax::Big] {
        let whole = syntax.file(&image(syntax, "ORIGINAL", "0\\0\\0", &[], 32));
        assert!(!read(&whole).is_truncated, "{syntax:?}");
        for missing in 1..32 {
            assert!(
                read(&whole[..whole.len() - missing]).is_truncated,
                "{missing}"
            );
        }
        let surplus = syntax.file(&image(syntax, "ORIGINAL", "0\\0\\0", &[], 33));
        assert!(
            !read(&surplus[..surplus.len() - 1]).is_truncated,
            "the pad byte"
        );
        let few = syntax.text(0x0028_0008, "IS", "2");
        let short = syntax.file(&image(syntax, "ORIGINAL", "0\\0\\0", &few, 32));
        assert!(read(&short).is_truncated, "one of two frames");
    }
}

#[test]
fn pixels_that_are_packed_or_share_samples_are_complete() {
    let pixels = |bits: u16, samples: u16, photometric: &str, bytes: usize| {
        let syntax = Syntax::Explicit;
        let extra = [
            syntax.short(0x0028_0100, bits),
            syntax.short(0x0028_0002, samples),
            syntax.text(0x0028_0004, "CS", photometric),
        ];
        let set = image(syntax, "ORIGINAL", "0\\0\\0", &extra.concat(), bytes);
        read(&syntax.file(&set)).is_truncated
    };
    assert!(!pixels(1, 1, "MONOCHROME2", 2));
    assert!(!pixels(12, 1, "MONOCHROME2", 24));
    assert!(pixels(12, 1, "MONOCHROME2", 22));
    assert!(!pixels(8, 3, "YBR_FULL_422", 32));
    assert!(!pixels(8, 3, "RGB", 48));
    assert!(pixels(8, 3, "RGB", 46));
    assert!(!pixels(0, 1, "MONOCHROME2", 32), "no size");
}

#[test]
fn fragments_may_lack_their_delimiter_and_not_their_end() {
    let syntax = Syntax::Explicit;
    let mut set = syntax.text(0x0008_0008, "CS", "ORIGINAL");
    set.extend(syntax.short(0x0028_0010, 4));
    set.extend(syntax.short(0x0028_0011, 4));
    set.extend(syntax.head(0x7FE0_0010, "OB", u32::MAX));
    for length in [0, 8, 20] {
        set.extend(syntax.head(0xFFFE_E000, "", length));
        set.extend(vec![1; length as usize]);
    }
    let whole = syntax.file(&set);
    let delimited = [whole.clone(), syntax.head(0xFFFE_E0DD, "", 0)].concat();
    assert!(!read(&delimited).is_truncated);
    assert!(!read(&whole).is_truncated);
    for missing in 1..20 {
        assert!(
            read(&whole[..whole.len() - missing]).is_truncated,
            "{missing}"
        );
    }
}

#[test]
fn details_are_those_of_the_first_item_of_a_macro() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.dcm");
    let syntax = Syntax::Explicit;
    let timing = [
        syntax.text(0x0018_1314, "DS", "9"),
        syntax.text(0x0018_0080, "DS", "2000"),
    ];
    for defined in [true, false] {
        let timing = items(syntax, 0x0018_9112, &timing, defined);
        let shared = items(syntax, SHARED, &[timing], defined);
        let image = image(syntax, "ORIGINAL", "0\\0\\0", &shared, 32);
        std::fs::write(&path, syntax.file(&image)).unwrap();
        let details = details(&path).unwrap();
        assert_eq!(details.numbers["FlipAngle"], [9.0], "{defined}");
        assert!(!details.numbers.contains_key("RepetitionTime"), "{defined}");
    }
}

#[test]
fn texts_are_read_in_the_character_set_of_the_object() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.dcm");
    let syntax = Syntax::Explicit;
    let cases: [(&str, &[u8], &str); 4] = [
        ("ISO_IR 100", b"M\xfcller", "Müller"),
        ("ISO_IR 101", b"Dvo\xf8\xe1k ", "Dvořák"),
        ("GB18030", b"\xcd\xf5\xd0\xa1", "王小"),
        ("ISO_IR 192", "Müller".as_bytes(), "Müller"),
    ];
    for (set, coil, text) in cases {
        let elements = [
            syntax.text(0x0008_0005, "CS", set),
            syntax.element(0x0018_1250, "SH", coil),
        ];
        std::fs::write(&path, syntax.file(&elements.concat())).unwrap();
        assert_eq!(
            details(&path).unwrap().texts["ReceiveCoilName"],
            text,
            "{set}"
        );
    }
}
