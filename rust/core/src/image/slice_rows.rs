//! The compared rows of an image's slices as values.

use std::io;
use std::os::unix::fs::FileExt;

use super::grid::AxisMap;
use super::nifti::Nifti;
use super::voxel_type::VoxelType;
use crate::frames::{StoredValues, ValuesHasher, compared_rows};

/// A slice whose values differ from those of its frame.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// Index of the frame's file.
    pub file: usize,
    /// Number of the frame in its file, from 0.
    pub frame: u32,
    /// Index of the slice along its axis.
    pub slice: u32,
    /// Index of the volume.
    pub volume: u32,
    /// The value by the header and pixels of the frame; NaN if the values could not be compared one by one.
    pub expected: f64,
    /// The value in the image; NaN in the same case.
    pub value: f64,
}

/// The rows of one slice of an image that are compared with its frame ([`compared_rows`]).
#[derive(Debug, Default)]
pub(super) struct SliceRows {
    /// The bytes of the image from the first to the last voxel of these rows.
    bytes: Vec<u8>,
    /// Offsets in `bytes` of the first voxel of each row, in the order of the frame's rows.
    line_offsets: Vec<usize>,
    /// Bytes from one voxel of a row to the next.
    step: usize,
    /// Bytes of a voxel.
    voxel_size: usize,
    /// Voxels of a row.
    width: usize,
    /// Whether the frame's first column is the last one of the row.
    is_mirrored: bool,
}

impl SliceRows {
    /// Reads the compared rows of a slice, or all its rows if `all_rows` is set. Fails if the file ends before.
    pub(super) fn read(
        &mut self,
        image: &Nifti,
        axis_map: &AxisMap,
        slice: u32,
        volume: u32,
        all_rows: bool,
    ) -> io::Result<()> {
        let [x, y, z] = image.size.map(u64::from);
        let strides = [1, x, x * y];
        let along = |axis: usize| strides.get(axis).copied().unwrap_or(0);
        let size_of = |axis: usize| image.size.get(axis).copied().unwrap_or(1);
        let [across, down, deep] = axis_map.axes;
        let [mirrored, flipped] = axis_map.reversed;
        let (first, count) = compared_rows(size_of(down), all_rows);
        let lowest = if flipped {
            size_of(down) - first - count
        } else {
            first
        };
        let width = size_of(across);
        let base = u64::from(volume) * x * y * z + u64::from(slice) * along(deep);
        let span = along(across) * u64::from(width - 1) + along(down) * u64::from(count - 1) + 1;
        let size = image.voxel_type.map_or(0, VoxelType::size);
        let to_usize = |number: u64| usize::try_from(number).unwrap_or(0);
        self.bytes.resize(to_usize(span * size), 0);
        let start = base + u64::from(lowest) * along(down);
        image
            .file
            .read_exact_at(&mut self.bytes, image.offset + start * size)?;
        self.line_offsets.clear();
        self.line_offsets.extend((0..count).map(|row| {
            let row = if flipped { count - 1 - row } else { row };
            to_usize(u64::from(row) * along(down) * size)
        }));
        (self.width, self.is_mirrored) = (width as usize, mirrored);
        (self.step, self.voxel_size) = (to_usize(along(across) * size), to_usize(size));
        Ok(())
    }

    /// Returns the values of each row, in the order of the frame's pixels.
    fn values(&self, voxel_type: VoxelType) -> impl Iterator<Item = impl Iterator<Item = f64>> {
        self.line_offsets.iter().map(move |line| {
            (0..self.width).map(move |column| {
                let column = if self.is_mirrored {
                    self.width - 1 - column
                } else {
                    column
                };
                let from = line + column * self.step;
                voxel_type.value(
                    self.bytes
                        .get(from..from + self.voxel_size)
                        .unwrap_or_default(),
                )
            })
        })
    }

    /// Returns the stored voxels, in the order of the frame's pixels.
    pub(super) fn voxels(&self, image: &Nifti) -> Vec<f64> {
        image
            .voxel_type
            .map(|voxel_type| self.values(voxel_type).flatten().collect())
            .unwrap_or_default()
    }

    /// Returns the hash of integer voxels of at most 32 bits, which can be compared with that of stored values;
    /// None for other voxels.
    #[allow(clippy::cast_possible_truncation, reason = "of 32 bits at most")]
    pub(super) fn values_hash(&self, image: &Nifti) -> Option<u64> {
        let voxel_type = image
            .voxel_type
            .filter(|voxel_type| voxel_type.is_small_integer())?;
        let mut hasher = ValuesHasher::default();
        if let (Some(signed), false, true) = (
            voxel_type.short_is_signed(),
            self.is_mirrored,
            self.step == self.voxel_size,
        ) {
            for line in &self.line_offsets {
                let end = line + self.width * self.voxel_size;
                let cells = self.bytes.get(*line..end)?.chunks_exact(2);
                hasher.add(cells.map(|cell| match cell {
                    [low, high] if signed => i16::from_le_bytes([*low, *high]).into(),
                    [low, high] => u16::from_le_bytes([*low, *high]).into(),
                    _ => 0,
                }));
            }
        } else {
            for line in self.values(voxel_type) {
                hasher.add(line.map(|value| value as i64));
            }
        }
        Some(hasher.end())
    }
}

/// Returns whether two scalings (slope and intercept) are equal up to rounding: some headers round them to six digits,
/// and images to single precision.
///
/// dcm2niix computes the slope of Philips' floating-point values as the difference of two values in single precision,
/// so a large intercept leaves an error in the slope.
pub(super) fn scalings_agree(one: [f64; 2], other: [f64; 2]) -> bool {
    let ([slope, intercept], [other_slope, other_intercept]) = (one, other);
    let rounding = 2.0 * f64::from(f32::EPSILON) * intercept.abs();
    (slope - other_slope).abs() <= 1e-5 * slope.abs() + rounding
        && (intercept - other_intercept).abs() <= 1e-5 * (intercept.abs() + slope.abs())
}

/// Returns the first values that differ between a frame and a slice: the scaled stored value, and the scaled voxel.
/// None if all agree; both are NaN if the counts differ.
#[allow(clippy::cast_precision_loss, reason = "of 34 bits at most")]
pub(super) fn difference(
    stored: &StoredValues,
    voxels: &[f64],
    frame_scaling: [f64; 2],
    image_scaling: [f64; 2],
) -> Option<(f64, f64)> {
    let ([slope, intercept], [image_slope, image_intercept]) = (frame_scaling, image_scaling);
    // A part of the tolerance that does not depend on the value: the intercept may be rounded.
    let rounding = 1e-5 * intercept.abs();
    let difference_of = |stored: f64, voxel: f64, fixed_tolerance: f64| {
        let scaled = stored * slope;
        let image_value = voxel * image_slope + image_intercept;
        let agree =
            (scaled + intercept - image_value).abs() <= 1e-5 * scaled.abs() + fixed_tolerance;
        (!agree).then_some((scaled + intercept, image_value))
    };
    match stored {
        StoredValues::Integers(stored) if stored.len() == voxels.len() => {
            let tolerance = rounding + 1e-3 * slope.abs() + 1e-9;
            let mut pairs = stored.iter().zip(voxels);
            pairs.find_map(|(stored, voxel)| difference_of(*stored as f64, *voxel, tolerance))
        }
        // Maps in floating point may have any unit: no fixed difference is small in all of them.
        StoredValues::Floats(stored) if stored.len() == voxels.len() => {
            let tolerance = rounding + f64::from(f32::MIN_POSITIVE);
            let mut pairs = stored.iter().zip(voxels);
            pairs.find_map(|(stored, voxel)| difference_of(*stored, *voxel, tolerance))
        }
        _ => Some((f64::NAN, f64::NAN)),
    }
}
