//! The tiles of mosaics: their positions, their private headers, and the cost of malformed ones.
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

/// A CSA image header of the older format: the number of items of the first name is added to each length.
fn csa1(values: &[(&str, &[&str])]) -> Vec<u8> {
    let added = u32::try_from(values[0].1.len()).unwrap();
    let mut out = csa(values)[8..].to_vec();
    let mut at = 8;
    for (_, texts) in values {
        at += 84;
        for text in *texts {
            let length = u32::try_from(text.len()).unwrap();
            out[at..at + 4].copy_from_slice(&(length + added).to_le_bytes());
            out[at + 4..at + 8].copy_from_slice(&[0xCD; 4]);
            at += 16 + text.len().next_multiple_of(4);
        }
    }
    out
}

#[test]
fn the_older_csa_header_is_read() {
    for first in [&["1"][..], &["1", "2", "3", "4", "5", "6"]] {
        let header = csa1(&[
            ("EchoLinePosition", first),
            ("NumberOfImagesInMosaic", &["3"]),
            ("SliceNormalVector", &["0", "0", "-1"]),
            ("B_value", &["700"]),
        ]);
        let object = read(&siemens(Syntax::Explicit, &header));
        assert_eq!(object.tiling.unwrap().count, 3);
        assert_eq!(object.frames[0].attributes.diffusion.b_value, Some(700.0));
    }
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
            (
                tiling.count,
                tiling.tiles_per_row,
                tiling.rows,
                tiling.columns
            ),
            (3, 2, 2, 2)
        );
        assert!(tiling.has_direction);
        // Half of the two rows and columns by which the grid exceeds a tile; rows are 2 mm apart, columns 3 mm.
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
        // The two tiles are in one row.
        assert_eq!(
            (
                tiling.count,
                tiling.tiles_per_row,
                tiling.rows,
                tiling.columns
            ),
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
