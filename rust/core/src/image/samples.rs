//! Some rows of a frame as values, from the DICOM object and from the image, to be compared.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::grid::Way;
use super::nifti::Nifti;
use crate::frames::{Object, Pixels};

/// Rows of a frame that are compared, in hundredths of its height: the middle, where the anatomy is, and both halves.
const ROWS: [u32; 4] = [30, 47, 53, 70];

/// The rows that are compared of a frame with so many.
pub(super) fn rows(count: u32) -> Vec<u32> {
    let mut rows: Vec<u32> = ROWS
        .iter()
        .map(|part| count.saturating_mul(*part) / 100)
        .collect();
    rows.dedup();
    rows
}

/// Why the values of an object cannot be compared; None when they can.
pub(super) fn obstacle(object: &Object) -> Option<&'static str> {
    let Pixels::Native { length, .. } = object.pixels else {
        return Some("compressed");
    };
    if object.cut {
        return Some("a file that is cut short");
    }
    let encoding = &object.encoding;
    let known = matches!(encoding.bits_allocated, 8 | 16 | 32)
        && (1..=encoding.bits_allocated).contains(&encoding.bits_stored)
        && encoding.high_bit < encoding.bits_allocated
        && encoding.high_bit.saturating_add(1) >= encoding.bits_stored;
    let colour = match (object.photometric.as_str(), encoding.samples) {
        ("MONOCHROME2", 0 | 1) => true,
        ("RGB", 3) => encoding.bits_allocated == 8,
        _ => false,
    };
    if !known || !colour {
        return Some("an unusual pixel encoding");
    }
    // Functional groups may have more items than NumberOfFrames says.
    let frames = match object.tiling {
        Some(_) => 1,
        None => (object.frame_count as usize).max(object.frames.len()) as u64,
    };
    let need = u64::from(object.rows)
        .saturating_mul(object.columns.into())
        .saturating_mul(frames)
        .saturating_mul(bytes_of_pixel(object));
    (length < need).then_some("pixel data that is too short")
}

fn bytes_of_pixel(object: &Object) -> u64 {
    u64::from(object.encoding.bits_allocated / 8) * u64::from(object.encoding.samples.max(1))
}

/// Reads the sampled rows of a frame as stored values (colours as their mean).
pub(super) fn stored(
    file: &File,
    object: &Object,
    index: u32,
    rows: &[u32],
    out: &mut Vec<f64>,
) -> io::Result<()> {
    out.clear();
    let Pixels::Native {
        offset, big_endian, ..
    } = object.pixels
    else {
        return Ok(());
    };
    let (width, samples) = (object.frame_columns(), object.encoding.samples.max(1));
    let size = u64::from(object.encoding.bits_allocated / 8);
    let frame = u64::from(object.rows) * u64::from(object.columns);
    let (first, across) = match &object.tiling {
        Some(tiling) => {
            let (down, right) = (index / tiling.across.max(1), index % tiling.across.max(1));
            let above = u64::from(down) * u64::from(tiling.rows) * u64::from(object.columns);
            (above + u64::from(right) * u64::from(tiling.columns), 1)
        }
        None => (
            frame * u64::from(index) * u64::from(samples),
            u64::from(samples),
        ),
    };
    let planar = samples > 1 && object.encoding.planar;
    let together = if planar { 1 } else { across };
    let mut bytes = vec![0; usize::try_from(u64::from(width) * size * together).unwrap_or(0)];
    for &row in rows {
        let start = first + u64::from(row) * u64::from(object.columns) * together;
        if planar {
            let at = out.len();
            out.resize(at + width as usize, 0.0);
            for plane in 0..u64::from(samples) {
                file.read_exact_at(&mut bytes, offset + (start + plane * frame) * size)?;
                for (value, byte) in out.iter_mut().skip(at).zip(&bytes) {
                    *value += f64::from(*byte) / f64::from(samples);
                }
            }
            continue;
        }
        file.read_exact_at(&mut bytes, offset + start * size)?;
        let pixels = bytes.chunks_exact(usize::try_from(size * across).unwrap_or(1).max(1));
        out.extend(pixels.map(|pixel| {
            if samples > 1 {
                pixel.iter().map(|&byte| f64::from(byte)).sum::<f64>() / f64::from(samples)
            } else {
                value(pixel, object, big_endian)
            }
        }));
    }
    Ok(())
}

/// One stored value: the bits up to the high bit, with a sign where there is one (PS3.5 section 8.1.1).
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "of 32 bits at most"
)]
fn value(pixel: &[u8], object: &Object, big_endian: bool) -> f64 {
    let mut wide = [0; 8];
    for (to, from) in wide.iter_mut().zip(pixel) {
        *to = *from;
    }
    if big_endian {
        wide.get_mut(..pixel.len()).unwrap_or_default().reverse();
    }
    let encoding = &object.encoding;
    let stored = u32::from(encoding.bits_stored);
    let low = u32::from(encoding.high_bit + 1) - stored;
    let bits = u64::from_le_bytes(wide) >> low & ((1 << stored) - 1);
    if encoding.signed && bits >> (stored - 1) == 1 {
        (bits as i64 - (1_i64 << stored)) as f64
    } else {
        bits as f64
    }
}

/// Reads the sampled rows of one slice of an image as values, in the order of the frame's pixels.
pub(super) fn imaged(
    image: &Nifti,
    way: &Way,
    slice: u32,
    volume: u32,
    rows: &[u32],
    out: &mut Vec<f64>,
) -> io::Result<()> {
    out.clear();
    let Some(voxel) = image.voxel else {
        return Ok(());
    };
    let [x, y, z] = image.size.map(u64::from);
    let strides = [1, x, x * y];
    let along = |axis: usize| strides.get(axis).copied().unwrap_or(0);
    let size_of = |axis: usize| image.size.get(axis).copied().unwrap_or(1);
    let [across, down, deep] = way.axes;
    let [left, up] = way.against;
    let base = u64::from(volume) * x * y * z + u64::from(slice) * along(deep);
    let width = size_of(across);
    let size = voxel.size();
    let one = usize::try_from(size).unwrap_or(0);
    let [slope, intercept] = image.scale;
    let span = along(across) * u64::from(width.saturating_sub(1)) + 1;
    let mut bytes = vec![0; usize::try_from(span * size).unwrap_or(0)];
    for &row in rows {
        let row = if up {
            size_of(down) - 1 - row.min(size_of(down) - 1)
        } else {
            row
        };
        let start = base + u64::from(row) * along(down);
        image
            .file
            .read_exact_at(&mut bytes, image.offset + start * size)?;
        let at =
            |column: u32| usize::try_from(u64::from(column) * along(across)).unwrap_or(0) * one;
        for column in 0..width {
            let column = if left { width - 1 - column } else { column };
            let from = at(column);
            let bytes = bytes.get(from..from + one).unwrap_or_default();
            out.push(voxel.value(bytes) * slope + intercept);
        }
    }
    Ok(())
}

/// The first pair of values that differ under a scaling, as (expected, found); None when all agree.
pub(super) fn difference(stored: &[f64], image: &[f64], scaling: [f64; 2]) -> Option<(f64, f64)> {
    let [slope, intercept] = scaling;
    if stored.len() != image.len() {
        return Some((f64::NAN, f64::NAN));
    }
    let fixed = 1e-5 * intercept.abs() + 1e-3 * slope.abs() + 1e-9;
    stored.iter().zip(image).find_map(|(stored, found)| {
        // Slopes are rounded to six digits in some headers, and to single precision in images.
        let scaled = stored * slope;
        let near = (scaled + intercept - found).abs() <= 1e-5 * scaled.abs() + fixed;
        (!near).then_some((scaled + intercept, *found))
    })
}
