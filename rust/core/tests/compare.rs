//! Series of classic files compared with images: motion, jitter, order of volumes, interleaved images, scaling.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::float_cmp,
    reason = "test code"
)]

mod object;

use std::fs;
use std::path::{Path, PathBuf};

use object::Syntax;
use qxbatch_core::frames::Series;
use qxbatch_core::image::{Comparison, VolumeOrder, compare};

const SIDE: usize = 4;
const SLICES: usize = 6;
const STEP: f64 = 2.0;

/// A slice: its position, rotation about its rows, volume, slope, first pixel value, and perhaps its temporal position. If
/// it has `second`, its acquisition time (seconds since midnight), it has no acquisition number.
#[derive(Clone, Copy)]
struct Slice {
    place: [f64; 3],
    turned: f64,
    volume: usize,
    slope: f64,
    first: u16,
    temporal: Option<usize>,
    second: Option<usize>,
}

fn volumes(count: usize) -> Vec<Slice> {
    let slice = |volume: usize, k: usize| Slice {
        place: [0.0, 0.0, STEP * k as f64],
        turned: 0.0,
        volume,
        slope: 1.0,
        first: (100 * volume + 20 * k + 1) as u16,
        temporal: None,
        second: None,
    };
    let all = (0..count).flat_map(|volume| (0..SLICES).map(move |k| (volume, k)));
    all.map(|(volume, k)| slice(volume, k)).collect()
}

fn file(slice: &Slice, number: usize) -> Vec<u8> {
    let syntax = Syntax::Explicit;
    let [x, y, z] = slice.place;
    let (sine, cosine) = slice.turned.sin_cos();
    let mut set = syntax.text(0x0008_0008, "CS", "ORIGINAL\\PRIMARY\\M");
    if let Some(second) = slice.second {
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let time = format!("{hour:02}{minute:02}{second:02}");
        set.extend(syntax.text(0x0008_0032, "TM", &time));
    }
    if slice.second.is_none() {
        set.extend(syntax.text(0x0020_0012, "IS", &slice.volume.to_string()));
    }
    set.extend(syntax.text(0x0020_0013, "IS", &number.to_string()));
    set.extend(syntax.text(0x0020_0032, "DS", &format!("{x}\\{y}\\{z}")));
    set.extend(syntax.text(
        0x0020_0037,
        "DS",
        &format!("1\\0\\0\\0\\{cosine:.10}\\{sine:.10}"),
    ));
    if let Some(temporal) = slice.temporal {
        set.extend(syntax.text(0x0020_0100, "IS", &temporal.to_string()));
    }
    set.extend(syntax.text(0x0028_0004, "CS", "MONOCHROME2"));
    for (tag, value) in [(0x0028_0010, 4), (0x0028_0011, 4)] {
        set.extend(syntax.short(tag, value));
    }
    set.extend(syntax.text(0x0028_0030, "DS", "3\\3"));
    for (tag, value) in [
        (0x0028_0100, 16),
        (0x0028_0101, 16),
        (0x0028_0102, 15),
        (0x0028_0103, 0),
    ] {
        set.extend(syntax.short(tag, value));
    }
    set.extend(syntax.text(0x0028_1052, "DS", "0"));
    set.extend(syntax.text(0x0028_1053, "DS", &slice.slope.to_string()));
    let pixels: Vec<u8> = values(slice.first)
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    set.extend(syntax.element(0x7FE0_0010, "OW", &pixels));
    syntax.file(&set)
}

fn values(first: u16) -> Vec<u16> {
    (0..(SIDE * SIDE) as u16)
        .map(|pixel| first + pixel)
        .collect()
}

/// Writes an image of `volumes` volumes from their single-precision slices. The first slice of each is at `z`, the others
/// are `step` mm apart.
fn image(path: &Path, z: f64, step: f64, slices: &[Vec<f32>], volumes: usize) -> PathBuf {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    let sizes = [4, SIDE, SIDE, slices.len() / volumes, volumes];
    for (index, size) in sizes.into_iter().enumerate() {
        put(40 + 2 * index, &(size as i16).to_le_bytes());
    }
    put(70, &16_i16.to_le_bytes());
    put(108, &352_f32.to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    let affine = [-3.0, 0.0, 0.0, 0.0, 0.0, -3.0, 0.0, 0.0, 0.0, 0.0, step, z];
    for (index, number) in affine.into_iter().enumerate() {
        put(280 + 4 * index, &(number as f32).to_le_bytes());
    }
    bytes.extend(
        slices
            .iter()
            .flatten()
            .flat_map(|value| value.to_le_bytes()),
    );
    fs::write(path, bytes).unwrap();
    path.to_owned()
}

fn scaled(slice: &Slice) -> Vec<f32> {
    values(slice.first)
        .into_iter()
        .map(|value| (f64::from(value) * slice.slope) as f32)
        .collect()
}

/// Compares slices with a correct image of the volumes.
fn compared(slices: &[Slice]) -> Comparison {
    compared_with(slices, |folder| {
        let all: Vec<Vec<f32>> = slices.iter().map(scaled).collect();
        vec![image(
            &folder.join("a.nii"),
            0.0,
            STEP,
            &all,
            slices.len() / SLICES,
        )]
    })
}

fn compared_with(slices: &[Slice], images: impl Fn(&Path) -> Vec<PathBuf>) -> Comparison {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (index, slice) in slices.iter().enumerate() {
        files.push(folder.path().join(format!("{index:03}")));
        fs::write(&files[index], file(slice, index + 1)).unwrap();
    }
    let images = images(folder.path());
    compare(
        &Series::read(files).unwrap(),
        &images,
        &vec![false; images.len()],
    )
    .unwrap()
}

fn flaws(comparison: &Comparison) -> (usize, usize, usize, usize) {
    let check = &comparison.checks[0];
    (
        comparison.misplaced_frames.len(),
        comparison.frames_without_slice,
        check.slices_without_frame,
        check.different_slices,
    )
}

#[test]
fn a_right_image_has_no_flaw() {
    let comparison = compared(&volumes(3));
    assert_eq!(flaws(&comparison), (0, 0, 0, 0));
    assert_eq!(comparison.checks[0].volume_order, VolumeOrder::Right);
    assert_eq!(
        (comparison.moved_volume_count, comparison.largest_tilt),
        (0, 0.0)
    );
}

#[test]
fn a_volume_that_moved_as_a_whole_is_motion() {
    let mut slices = volumes(3);
    for slice in slices.iter_mut().filter(|slice| slice.volume == 1) {
        slice.place[0] += 0.7;
        slice.place[2] += 1.1;
    }
    let comparison = compared(&slices);
    assert_eq!(flaws(&comparison), (0, 0, 0, 0));
    assert_eq!(comparison.moved_volume_count, 1);
    assert!((comparison.largest_movement - 0.7_f64.hypot(1.1)).abs() < 1e-5);
}

#[test]
fn a_single_slice_that_moved_is_misplaced() {
    for (axis, by) in [(0, 0.3), (2, 0.3), (1, 5.0), (2, 5.0)] {
        let mut slices = volumes(3);
        slices[SLICES + 2].place[axis] += by;
        let comparison = compared(&slices);
        let [one] = comparison.misplaced_frames.as_slice() else {
            panic!("{:?}", comparison.misplaced_frames);
        };
        assert_eq!((one.file, comparison.moved_volume_count), (SLICES + 2, 0));
        assert!(one.distance > 0.29);
    }
}

#[test]
fn jitter_below_the_tolerance_is_none() {
    let mut slices = volumes(2);
    for (index, slice) in slices.iter_mut().enumerate() {
        slice.place[2] += [0.0, 0.05, -0.05][index % 3];
    }
    assert_eq!(flaws(&compared(&slices)), (0, 0, 0, 0));
}

#[test]
fn a_slice_that_is_turned_by_more_than_a_stack_jitters_is_misplaced() {
    let mut slices = volumes(1);
    // About its centre, 4.5 mm along the column from the first pixel.
    slices[2].turned = 0.03;
    slices[2].place[1] += 4.5 * (1.0 - 0.03_f64.cos());
    slices[2].place[2] -= 4.5 * 0.03_f64.sin();
    assert_eq!(flaws(&compared(&slices)).0, 1);
}

#[test]
fn volumes_in_another_order_than_any_number_are_reported() {
    let slices = volumes(3);
    let comparison = compared_with(&slices, |folder| {
        let order = [1, 0, 2];
        let all: Vec<Vec<f32>> = order
            .iter()
            .flat_map(|volume| &slices[volume * SLICES..(volume + 1) * SLICES])
            .map(scaled)
            .collect();
        vec![image(&folder.join("a.nii"), 0.0, STEP, &all, 3)]
    });
    assert_eq!(flaws(&comparison), (0, 0, 0, 0));
    assert_eq!(comparison.checks[0].volume_order, VolumeOrder::Wrong);
}

#[test]
fn volumes_against_the_order_of_acquisition_are_reported_although_instance_numbers_rise() {
    let order = |count: usize, change: fn(&mut Slice)| {
        let mut slices = volumes(count);
        slices.iter_mut().for_each(change);
        compared(&slices).checks[0].volume_order
    };
    let temporal: [fn(&mut Slice); 2] = [
        |slice| slice.temporal = Some(3 - slice.volume),
        |slice| slice.temporal = Some([1, 3, 2][slice.volume]),
    ];
    for change in temporal {
        assert_eq!(order(3, change), VolumeOrder::Wrong);
    }
    let earlier: fn(&mut Slice) = |slice| slice.second = Some(50 - 10 * slice.volume);
    assert_eq!(order(3, earlier), VolumeOrder::Wrong);
    assert_eq!(order(2, earlier), VolumeOrder::Wrong);
    // Interleaved times order nothing.
    let mixed: fn(&mut Slice) = |slice| slice.second = Some([30, 10, 20][slice.volume]);
    assert_eq!(order(3, mixed), VolumeOrder::Right);
}

#[test]
fn times_of_volumes_continue_after_midnight() {
    let order = |times: &[usize]| {
        let mut slices = volumes(times.len());
        for slice in &mut slices {
            slice.second = Some(times[slice.volume]);
        }
        compared(&slices).checks[0].volume_order
    };
    let (before, after) = (86_398, 1);
    assert_eq!(order(&[before, after]), VolumeOrder::Right);
    assert_eq!(order(&[before, after, after + 3]), VolumeOrder::Right);
    assert_eq!(order(&[after, before]), VolumeOrder::Wrong);
    assert_eq!(order(&[after + 3, after, before]), VolumeOrder::Wrong);
    assert_eq!(order(&[after, after + 3, before]), VolumeOrder::Wrong);
}

#[test]
fn two_images_of_every_other_slice_are_one_volume() {
    let slices = volumes(1);
    let comparison = compared_with(&slices, |folder| {
        let half = |from: usize| -> Vec<Vec<f32>> {
            slices.iter().skip(from).step_by(2).map(scaled).collect()
        };
        let even = image(&folder.join("a.nii"), 0.0, 2.0 * STEP, &half(0), 1);
        vec![
            even,
            image(&folder.join("b.nii"), STEP, 2.0 * STEP, &half(1), 1),
        ]
    });
    let interleaved: Vec<_> = comparison
        .checks
        .iter()
        .map(|check| check.same_volume_as)
        .collect();
    assert_eq!(interleaved, [Some(1), Some(0)]);
}

#[test]
fn all_slices_of_an_image_follow_one_scaling() {
    let mut slices = volumes(2);
    slices[3].slope = 1.5;
    assert_eq!(flaws(&compared(&slices)), (0, 0, 0, 0));
    // An image of stored values is correct only if all slopes are 1.
    let stored = |slices: &[Slice]| {
        compared_with(slices, |folder| {
            let plain = slices.iter().map(|slice| Slice {
                slope: 1.0,
                ..*slice
            });
            let all: Vec<Vec<f32>> = plain.map(|slice| scaled(&slice)).collect();
            vec![image(&folder.join("a.nii"), 0.0, STEP, &all, 2)]
        })
    };
    let comparison = stored(&slices);
    assert_eq!(comparison.checks[0].different_slices, 1);
    let difference = comparison.checks[0].first_difference.unwrap();
    assert_eq!(
        (difference.file, difference.expected),
        (3, 1.5 * difference.value)
    );
    for slice in &mut slices {
        slice.slope = 1.5;
    }
    assert_eq!(flaws(&stored(&slices)), (0, 0, 0, 0));
}

#[test]
fn frames_with_a_slope_of_zero_are_counted() {
    let mut slices = volumes(1);
    assert_eq!(compared(&slices).zero_slopes, 0);
    slices[1].slope = 0.0;
    slices[4].slope = 0.0;
    assert_eq!(compared(&slices).zero_slopes, 2);
}
