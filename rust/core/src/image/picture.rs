//! A slice of an uncompressed NIfTI image as 8-bit grey or colours, for thumbnails.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::voxel_type::VoxelType;
use crate::regular;

/// Percentiles of the pixels that become black and white, as fractions.
const DARK: f64 = 0.01;
const BRIGHT: f64 = 0.99;
/// Limit on the bytes of a row that are read at once; the pixels of a longer row are read one by one.
const MAX_READ_SIZE: u64 = 1 << 20;
/// Red, green and blue.
const COLOURS: usize = 3;

/// Returns pixels as 8-bit grey, row by row. `rows` and `columns` are offsets in voxels: a pixel is the voxel with the
/// index `row + column`. Voxel 0 is at byte `offset`.
///
/// # Errors
///
/// Fails if the file cannot be read, or ends before a voxel.
pub fn grey(
    path: &Path,
    offset: u64,
    voxel_type: VoxelType,
    rows: &[u64],
    columns: &[u64],
) -> io::Result<Vec<u8>> {
    draw_runs(rows, columns, 1, |rows, columns| {
        read_values(path, offset, voxel_type, rows, columns).map(|values| to_grey(&values))
    })
}

/// Returns red, green and blue of each pixel, row by row; None if the voxels are not colours. The parameters are those of
/// [`grey`].
///
/// # Errors
///
/// Fails if the file cannot be read, or ends before a voxel.
pub fn colours(
    path: &Path,
    offset: u64,
    voxel_type: VoxelType,
    rows: &[u64],
    columns: &[u64],
) -> io::Result<Option<Vec<u8>>> {
    if !voxel_type.is_colour() {
        return Ok(None);
    }
    let pixels = draw_runs(rows, columns, COLOURS, |rows, columns| {
        let mut pixels = Vec::with_capacity(rows.len() * columns.len() * COLOURS);
        for_each_voxel(path, offset, voxel_type, rows, columns, |voxel| {
            pixels.extend(voxel.iter().take(COLOURS));
        })?;
        Ok(pixels)
    });
    pixels.map(Some)
}

/// Returns the pixels of rows and columns, where equal adjacent rows or columns are drawn once and then repeated. A
/// pixel has `depth` bytes.
pub(super) fn draw_runs(
    rows: &[u64],
    columns: &[u64],
    depth: usize,
    draw: impl FnOnce(&[u64], &[u64]) -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    let (rows, heights) = runs(rows);
    let (columns, widths) = runs(columns);
    let pixels_of_runs = draw(&rows, &columns)?;
    let width = depth * widths.iter().sum::<usize>();
    let mut pixels = Vec::with_capacity(width * heights.iter().sum::<usize>());
    let mut line = Vec::with_capacity(width);
    for (row, height) in pixels_of_runs
        .chunks_exact((depth * columns.len()).max(1))
        .zip(heights)
    {
        line.clear();
        for (pixel, width) in row.chunks_exact(depth).zip(&widths) {
            for _ in 0..*width {
                line.extend_from_slice(pixel);
            }
        }
        for _ in 0..height {
            pixels.extend_from_slice(&line);
        }
    }
    Ok(pixels)
}

/// Returns the first value of each run of equal adjacent values, and the lengths of the runs.
fn runs(values: &[u64]) -> (Vec<u64>, Vec<usize>) {
    values
        .chunk_by(|value, next| value == next)
        .filter_map(|run| Some((*run.first()?, run.len())))
        .unzip()
}

/// Returns the value of each pixel, row by row.
fn read_values(
    path: &Path,
    offset: u64,
    voxel_type: VoxelType,
    rows: &[u64],
    columns: &[u64],
) -> io::Result<Vec<f64>> {
    let mut values = Vec::with_capacity(rows.len() * columns.len());
    for_each_voxel(path, offset, voxel_type, rows, columns, |voxel| {
        values.push(voxel_type.value(voxel));
    })?;
    Ok(values)
}

/// Passes the bytes of the voxel of each pixel to `each`, row by row.
fn for_each_voxel(
    path: &Path,
    offset: u64,
    voxel_type: VoxelType,
    rows: &[u64],
    columns: &[u64],
    mut each: impl FnMut(&[u8]),
) -> io::Result<()> {
    let file = regular::open(path)?;
    let size = voxel_type.size();
    let offset_of = |index: Option<u64>| {
        index
            .and_then(|index| index.checked_mul(size)?.checked_add(offset))
            .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))
    };
    let first = columns.iter().copied().min().unwrap_or(0);
    let last = columns.iter().copied().max().unwrap_or(0);
    let read_rows = (last - first).saturating_mul(size) < MAX_READ_SIZE;
    let mut buffer = vec![
        0;
        if read_rows {
            usize_of((last - first + 1) * size)
        } else {
            usize_of(size)
        }
    ];
    let mut row_in_buffer = None;
    for &row in rows {
        if read_rows && row_in_buffer != Some(row) {
            row_in_buffer = Some(row);
            file.read_exact_at(&mut buffer, offset_of(row.checked_add(first))?)?;
        }
        for &column in columns {
            if read_rows {
                let at = usize_of((column - first) * size);
                each(buffer.get(at..at + usize_of(size)).unwrap_or_default());
            } else {
                file.read_exact_at(&mut buffer, offset_of(row.checked_add(column))?)?;
                each(&buffer);
            }
        }
    }
    Ok(())
}

/// Converts a number that fits into `usize`.
fn usize_of(small: u64) -> usize {
    usize::try_from(small).unwrap_or(usize::MAX)
}

/// Returns values as 8-bit grey, from [`DARK`] to [`BRIGHT`]; from the lowest to the highest value if these percentiles
/// are equal.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a value between 0 and 255"
)]
pub(super) fn to_grey(values: &[f64]) -> Vec<u8> {
    let mut reordered = values.to_vec();
    let (mut low, mut high) = (
        percentile(&mut reordered, DARK),
        percentile(&mut reordered, BRIGHT),
    );
    if high <= low {
        low = reordered
            .iter()
            .copied()
            .min_by(f64::total_cmp)
            .unwrap_or(0.0);
        high = reordered
            .iter()
            .copied()
            .max_by(f64::total_cmp)
            .unwrap_or(0.0);
    }
    let span = if high > low { high - low } else { 1.0 };
    values
        .iter()
        .map(|value| (((value - low) / span).clamp(0.0, 1.0) * 255.0) as u8)
        .collect()
}

/// Returns a percentile of the values, interpolated between its two neighbours; 0 without values. `fraction` is from
/// 0 to 1. Reorders the values.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index among some thousand pixels"
)]
fn percentile(values: &mut [f64], fraction: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let at = (values.len() - 1) as f64 * fraction;
    let (_, below, rest) = values.select_nth_unstable_by(at.floor() as usize, f64::total_cmp);
    let below = *below;
    let above = rest.iter().copied().min_by(f64::total_cmp).unwrap_or(below);
    below + (above - below) * at.fract()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::draw_runs;

    #[test]
    fn a_voxel_of_several_pixels_is_drawn_once() {
        let pixels = draw_runs(&[8, 8, 0], &[0, 0, 1], 2, |rows, columns| {
            assert_eq!((rows, columns), (&[8, 0][..], &[0, 1][..]));
            Ok(b"aAbBcCdD".to_vec())
        });
        assert_eq!(pixels.unwrap(), b"aAaAbBaAaAbBcCcCdD");
    }

    #[test]
    fn a_picture_without_columns_has_no_pixels() {
        assert!(
            draw_runs(&[1, 2], &[], 1, |_, _| Ok(Vec::new()))
                .unwrap()
                .is_empty()
        );
    }
}
