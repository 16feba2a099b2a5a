//! The frames of objects that are built byte by byte: precedence, lengths, mosaics, private headers, damage.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod object;

use object::Syntax;
use qxbatch_core::frames::{Object, Pixels, parse};

const PLACE: u32 = 0x0020_0032;
const DIRECTIONS: u32 = 0x0020_0037;
const PIXELS: u32 = 0x7FE0_0010;
const SHARED: u32 = 0x5200_9229;
const PER_FRAME: u32 = 0x5200_9230;

fn read(bytes: &[u8]) -> Object {
    let mut window = bytes;
    parse(&mut window).unwrap().expect("DICOM")
}

/// A data set of 4 rows and 4 columns, with elements in front of the pixels.
fn image(syntax: Syntax, kind: &str, place: &str, between: &[u8], pixels: usize) -> Vec<u8> {
    let bits = [
        (0x0028_0010, 4),
        (0x0028_0011, 4),
        (0x0028_0100, 16),
        (0x0028_0101, 12),
        (0x0028_0102, 11),
        (0x0028_0103, 0),
    ];
    let mut set = syntax.text(0x0008_0008, "CS", kind);
    set.extend(syntax.text(PLACE, "DS", place));
    set.extend(syntax.text(DIRECTIONS, "DS", "1\\0\\0\\0\\1\\0"));
    for (tag, value) in bits {
        set.extend(syntax.short(tag, value));
    }
    set.extend(syntax.text(0x0028_0030, "DS", "2\\3"));
    set.extend(between);
    set.extend(syntax.element(PIXELS, "OW", &vec![0; pixels]));
    set
}

fn items(syntax: Syntax, tag: u32, items: &[Vec<u8>], defined: bool) -> Vec<u8> {
    let mut body = Vec::new();
    for item in items {
        let length = if defined {
            item.len().try_into().unwrap()
        } else {
            u32::MAX
        };
        body.extend(syntax.head(0xFFFE_E000, "", length));
        body.extend(item);
        if !defined {
            body.extend(syntax.head(0xFFFE_E00D, "", 0));
        }
    }
    let length = if defined {
        body.len().try_into().unwrap()
    } else {
        u32::MAX
    };
    let mut out = syntax.head(tag, "SQ", length);
    out.extend(body);
    if !defined {
        out.extend(syntax.head(0xFFFE_E0DD, "", 0));
    }
    out
}

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
    // The second frame has pixel measures of its own, which take precedence.
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
        (object.pixels, object.frames.len(), object.cut),
        (Pixels::Absent, 0, false)
    );
}

#[test]
fn frames_that_the_pixels_cannot_have_are_not_believed() {
    for syntax in [Syntax::Implicit, Syntax::Explicit, Syntax::Big] {
        let between = syntax.text(0x0028_0008, "IS", "4000000000");
        let set = image(syntax, "ORIGINAL", "0\\0\\0", &between, 3 * 32);
        let object = read(&syntax.file(&set));
        assert_eq!((object.frames.len(), object.cut), (3, true));
    }
}

#[test]
fn a_cut_object_is_known_as_cut_wherever_it_ends() {
    let whole = enhanced(Syntax::Explicit, false);
    assert!(!read(&whole).cut);
    for end in 140..whole.len() {
        let mut window = &whole[..end];
        if let Some(object) = parse(&mut window).unwrap() {
            let complete = object.pixels == Pixels::Absent || object.cut;
            assert!(complete, "{end} of {} bytes", whole.len());
        }
    }
}

/// A CSA image header of format SV10.
fn csa(values: &[(&str, &[&str])]) -> Vec<u8> {
    let mut out = b"SV10\x04\x03\x02\x01".to_vec();
    out.extend(u32::try_from(values.len()).unwrap().to_le_bytes());
    out.extend(77_u32.to_le_bytes());
    for (name, texts) in values {
        let mut tag = vec![0; 84];
        tag[..name.len()].copy_from_slice(name.as_bytes());
        tag[76..80].copy_from_slice(&u32::try_from(texts.len()).unwrap().to_le_bytes());
        out.extend(tag);
        for text in *texts {
            let length = u32::try_from(text.len()).unwrap();
            for word in [length, length, 77, length] {
                out.extend(word.to_le_bytes());
            }
            out.extend(text.as_bytes());
            out.extend(vec![0; text.len().wrapping_neg() % 4]);
        }
    }
    out
}

fn siemens(syntax: Syntax, header: &[u8]) -> Vec<u8> {
    let mut between = syntax.text(0x0018_0088, "DS", "2.5");
    between.extend(syntax.text(0x0029_0010, "LO", "SIEMENS CSA HEADER"));
    between.extend(syntax.element(0x0029_1010, "OB", header));
    syntax.file(&image(
        syntax,
        "ORIGINAL\\PRIMARY\\M\\MOSAIC",
        "0\\0\\0",
        &between,
        32,
    ))
}

fn header() -> Vec<u8> {
    csa(&[
        ("NumberOfImagesInMosaic", &["3"]),
        ("SliceNormalVector", &["0", "0", "-1"]),
        ("B_value", &["700"]),
    ])
}

#[test]
fn tiles_of_a_mosaic_are_about_its_centre_along_the_normal_of_its_csa_header() {
    for syntax in [Syntax::Implicit, Syntax::Explicit, Syntax::Big] {
        let object = read(&siemens(syntax, &header()));
        let tiling = object.tiling.unwrap();
        assert_eq!(
            (tiling.count, tiling.across, tiling.rows, tiling.columns),
            (3, 2, 2, 2)
        );
        assert!(tiling.directed);
        // Half of the two rows and columns that the grid has more than a tile; rows are 2 mm apart, columns 3 mm.
        let places: Vec<_> = object
            .frames
            .iter()
            .map(|frame| frame.attributes.position.unwrap())
            .collect();
        assert_eq!(
            places,
            [[3.0, 2.0, 0.0], [3.0, 2.0, -2.5], [3.0, 2.0, -5.0]]
        );
        assert_eq!(object.frames[0].attributes.diffusion.b_value, Some(700.0));
    }
}

#[test]
fn a_csa_header_that_is_malformed_at_any_byte_costs_no_more_than_its_values() {
    let good = header();
    for at in 0..good.len() {
        for byte in [0x00, 0x7F, 0xFF] {
            let mut bad = good.clone();
            bad[at] = byte;
            let object = read(&siemens(Syntax::Explicit, &bad));
            assert!(object.frames.len() <= 4096, "byte {at}");
            let finite = |place: [f64; 3]| place.iter().all(|part| part.is_finite());
            assert!(
                object
                    .frames
                    .iter()
                    .all(|frame| frame.attributes.position.is_none_or(finite))
            );
        }
        let object = read(&siemens(Syntax::Explicit, &good[..at]));
        assert!(object.frames.len() <= 3, "cut at byte {at}");
    }
}

#[test]
fn a_united_imaging_mosaic_has_the_places_of_its_items() {
    for syntax in [Syntax::Implicit, Syntax::Explicit, Syntax::Big] {
        let tiles: Vec<Vec<u8>> = (0..2)
            .map(|z| syntax.text(PLACE, "DS", &format!("1\\2\\{z}")))
            .collect();
        let mut between = syntax.text(0x0065_0010, "LO", "Image Private Header");
        between.extend(syntax.text(0x0065_1050, "DS", "2"));
        between.extend(items(syntax, 0x0065_1051, &tiles, false));
        let set = image(
            syntax,
            "ORIGINAL\\PRIMARY\\M\\VFRAME",
            "9\\9\\9",
            &between,
            32,
        );
        let object = read(&syntax.file(&set));
        let tiling = object.tiling.unwrap();
        // Two tiles are side by side, in one row.
        assert_eq!(
            (tiling.count, tiling.across, tiling.rows, tiling.columns),
            (2, 2, 4, 2)
        );
        let places: Vec<_> = object
            .frames
            .iter()
            .map(|frame| frame.attributes.position)
            .collect();
        assert_eq!(
            places,
            [Some([1.0, 2.0, 0.0]), Some([1.0, 2.0, 1.0])],
            "{syntax:?}"
        );
    }
}

#[test]
fn a_mosaic_that_does_not_say_its_tiles_has_none() {
    let set = image(
        Syntax::Explicit,
        "ORIGINAL\\PRIMARY\\M\\MOSAIC",
        "0\\0\\0",
        &[],
        32,
    );
    let object = read(&Syntax::Explicit.file(&set));
    assert_eq!((object.frames.len(), object.tiling.unwrap().count), (0, 0));
}
