//! The frames of an object, and their comparison with an image: bounded work and consistent counts.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use qxbatch_core::frames::{Object, Pixels, Series, parse};
use qxbatch_core::image::compare;

/// Starts of elements (explicit, little-endian), private creators, values.
pub const WORDS: &[&[u8]] = &[
    b"\x08\x00\x08\x00CS",
    b"ORIGINAL\\PRIMARY\\M\\MOSAIC",
    b"ORIGINAL\\PRIMARY\\M\\VFRAME",
    b"\x18\x00\x87\x90FD\x08\x00",
    b"\x19\x00\x10\x00LO\x12\x00SIEMENS MR HEADER ",
    b"\x19\x00\x0a\x10US\x02\x00\x04\x00",
    b"\x20\x00\x32\x00DS",
    b"\x20\x00\x37\x00DS",
    b"1\\0\\0\\0\\1\\0",
    b"\x28\x00\x08\x00IS\x0a\x004000000000",
    b"\x28\x00\x10\x00US\x02\x00\xff\xff",
    b"\x28\x00\x11\x00US\x02\x00\x01\x00",
    b"\x28\x00\x00\x01US\x02\x00\x20\x00",
    b"\x28\x00\x01\x01US\x02\x00\x20\x00",
    b"\x28\x00\x02\x01US\x02\x00\xff\xff",
    b"\x28\x00\x30\x00DS",
    b"\x28\x00\x52\x10DS\x04\x001e38",
    b"\x00\x52\x29\x92SQ\x00\x00\xff\xff\xff\xff",
    b"\x00\x52\x30\x92SQ\x00\x00\xff\xff\xff\xff",
    b"\x20\x00\x13\x91SQ\x00\x00\xff\xff\xff\xff",
    b"\x05\x20\x0f\x14SQ\x00\x00\xff\xff\xff\xff",
    b"\x65\x00\x50\x10DS",
    b"\x65\x00\x51\x10SQ\x00\x00\xff\xff\xff\xff",
    b"\xe0\x7f\x10\x00OW\x00\x00",
    b"\xe0\x7f\x10\x00OB\x00\x00\xff\xff\xff\xff",
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff",
    b"\xfe\xff\x0d\xe0\x00\x00\x00\x00",
    b"\xfe\xff\xdd\xe0\x00\x00\x00\x00",
    b"SV10\x04\x03\x02\x01",
    b"NumberOfImagesInMosaic\0",
    b"SliceNormalVector\0",
    b"B_value\0",
    b"1e308",
    b"nan",
    b"1.2.840.10008.1.2",
    b"1.2.840.10008.1.2.2",
    b"1.2.840.10008.1.2.1.99",
];

/// Columns and rows, slices, volumes of the compared image: those of the corpus.
const SHAPE: [i16; 4] = [3, 4, 2, 2];

/// Reads bytes as one object, and compares it with an image.
pub fn run(bytes: &[u8]) {
    let mut window = bytes;
    let Some(object) = parse(&mut window).unwrap() else {
        return;
    };
    consistent(&object, bytes.len() as u64);
    let folder = tempfile::tempdir().unwrap();
    let (path, image) = (folder.path().join("a"), folder.path().join("b"));
    File::create(&path).unwrap().write_all(bytes).unwrap();
    write_image(&image);
    compared(&path, image);
}

fn consistent(object: &Object, size: u64) {
    if object.pixels == Pixels::Absent {
        assert!(object.frames.is_empty());
        return;
    }
    // A deflated object may have more frames than bytes.
    if object.transfer_syntax != "1.2.840.10008.1.2.1.99" {
        assert!(object.frames.len() as u64 <= size.max(4096));
    }
    for (index, frame) in object.frames.iter().enumerate() {
        assert_eq!(frame.index as usize, index);
        let frame = &frame.attributes;
        let numbers = frame.position.into_iter().flatten();
        let numbers = numbers.chain(frame.diffusion.b_value);
        assert!(
            numbers
                .chain(frame.spacing.into_iter().flatten())
                .all(f64::is_finite)
        );
    }
}

fn write_image(path: &Path) {
    let [columns, rows, slices, volumes] = SHAPE;
    let voxels = columns * rows * slices * volumes;
    let mut bytes = vec![0; 352 + 2 * usize::try_from(voxels).unwrap()];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    for (index, size) in [4, columns, rows, slices, volumes].into_iter().enumerate() {
        put(40 + 2 * index, &size.to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    let affine = [
        [-3.0, 0.0, 0.0, 3.0],
        [0.0, -3.0, 0.0, 4.5],
        [0.0, 0.0, 4.0, 0.0_f32],
    ];
    for (index, number) in affine.into_iter().flatten().enumerate() {
        put(280 + 4 * index, &number.to_le_bytes());
    }
    File::create(path).unwrap().write_all_at(&bytes, 0).unwrap();
}

fn compared(path: &Path, image: PathBuf) {
    let series = Series::read(vec![path.to_owned(), path.to_owned()]).unwrap();
    let facts = series.facts();
    assert!(facts.objects_with_pixels <= 2 && facts.objects_without_pixels <= 2);
    let comparison = compare(&series, &[image], &[false]).unwrap();
    let [check] = comparison.checks.as_slice() else {
        unreachable!("one image");
    };
    let frames: usize = series
        .objects
        .iter()
        .map(|object| object.frames.len())
        .sum();
    assert_eq!(comparison.frames, frames);
    assert!(
        comparison.misplaced_frames.len()
            + comparison.frames_without_geometry
            + comparison.frames_without_slice
            <= frames
    );
    assert!(check.slices_without_frame + check.different_slices <= check.slices);
    assert_eq!(check.b_values.len(), 2);
}
