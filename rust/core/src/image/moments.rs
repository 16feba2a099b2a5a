//! Temporal SNR of each voxel and the mean of each volume.

use super::mask::Mask;
use super::statistics_error::StatisticsError;
use super::volume_reader::{BLOCK, VolumeReader, total};
use crate::monitor::Monitor;

/// Volumes that are processed together; the sums of a voxel are loaded and stored once for all of them.
const VOLUMES_AT_ONCE: usize = 8;
/// A standard deviation below this fraction of the mean is rounding of a constant voxel, not noise.
const MIN_RELATIVE_DEVIATION: f64 = 1e-6;

/// Sums over time for a block of adjacent voxels; values are relative to the first steady volume.
struct VoxelBlock {
    /// Index of the first voxel.
    first: usize,
    /// All bits set for a voxel in the mask, none for others.
    mask: [u64; BLOCK],
    /// Values in the first steady volume.
    reference: [f64; BLOCK],
    /// Sums of the values.
    value_sums: [f64; BLOCK],
    /// Sums of the running sums after each volume: volume t (from 0) of n counts n - t times.
    running_sums: [f64; BLOCK],
    /// Sums of the squared values.
    square_sums: [f64; BLOCK],
}

impl VoxelBlock {
    /// Returns a block without volumes.
    fn new(first: usize, mask: &[u64; BLOCK], reference: &[f64; BLOCK]) -> Self {
        Self {
            first,
            mask: *mask,
            reference: *reference,
            value_sums: [0.0; BLOCK],
            running_sums: [0.0; BLOCK],
            square_sums: [0.0; BLOCK],
        }
    }

    /// Adds the values of the voxels in some volumes. The compiler unrolls the inner loop and vectorises the outer one.
    #[allow(clippy::indexing_slicing, reason = "arrays of a fixed length")]
    #[inline]
    fn add<const VOLUMES: usize>(&mut self, values: &[[f64; BLOCK]; VOLUMES]) {
        for index in 0..BLOCK {
            let reference = self.reference[index];
            let mut sum = self.value_sums[index];
            let mut running = self.running_sums[index];
            let mut squares = self.square_sums[index];
            for volume in values {
                let difference = volume[index] - reference;
                sum += difference;
                running += sum;
                squares += difference * difference;
            }
            self.value_sums[index] = sum;
            self.running_sums[index] = running;
            self.square_sums[index] = squares;
        }
    }

    /// Returns the sum of values in the mask.
    fn sum_in_mask(&self, values: &[f64; BLOCK]) -> f64 {
        let mut inside = *values;
        for (value, mask) in inside.iter_mut().zip(&self.mask) {
            *value = f64::from_bits(value.to_bits() & mask);
        }
        total(&inside)
    }

    /// Writes the ratio of mean and standard deviation over `n` volumes to `map` for each voxel in the mask. `map`
    /// starts at the first voxel of the block, and contains zeros. The ratio remains 0 if a voxel does not vary or has
    /// no positive mean.
    ///
    /// The deviation is that of the residuals of a straight line fitted to the volumes, with n - 2 degrees of freedom.
    #[allow(clippy::cast_possible_truncation, reason = "a map in single precision")]
    fn ratios(&self, n: f64, [slope, intercept]: [f64; 2], map: &mut [f32]) {
        // The sum of the squared times, where the time is 0 in the middle of the scan.
        let sum_of_squared_times = n * (n * n - 1.0) / 12.0;
        let first = self.reference.iter().zip(&self.value_sums);
        let second = self.running_sums.iter().zip(&self.square_sums);
        let all = first.zip(second).zip(&self.mask).zip(map);
        for ((((reference, sum), (running, squares)), mask), ratio) in all {
            let mean = (reference + sum / n) * slope + intercept;
            // The sum of the products of value and time, where the time is 0 in the middle of the scan.
            let product = n * sum - running - sum * (n - 1.0) / 2.0;
            let residual = squares - sum * sum / n - product * product / sum_of_squared_times;
            let deviation = (residual / (n - 2.0)).max(0.0).sqrt() * slope.abs();
            if *mask != 0 && mean > 0.0 && deviation > mean * MIN_RELATIVE_DEVIATION {
                *ratio = (mean / deviation) as f32;
            }
        }
    }
}

/// Temporal SNR and global signal of a time series.
pub(super) struct Moments {
    /// Temporal SNR of each voxel in the mask; 0 outside, and where a voxel does not vary or has no positive mean.
    pub map: Vec<f32>,
    /// Mean of each volume in the mask.
    pub signal: Vec<f64>,
}

/// Returns temporal SNR over the volumes from `first_steady` on, and the mean of each volume. `first_steady` is the
/// index of the first volume in the steady state, `reader` reads the image, `scale` is its slope and intercept, and
/// `memory` limits the bytes of sums and buffers.
#[allow(clippy::cast_precision_loss, reason = "numbers of volumes and voxels")]
pub(super) fn moments(
    reader: &VolumeReader,
    mask: &Mask,
    first_steady: usize,
    scale: [f64; 2],
    memory: usize,
    monitor: &Monitor,
) -> Result<Moments, StatisticsError> {
    let voxel_bytes = size_of::<VoxelBlock>() / BLOCK + VOLUMES_AT_ONCE * reader.voxel_size;
    // A slab is a range of adjacent voxels whose sums fit into the memory.
    let slab_voxels = (memory / voxel_bytes / BLOCK).max(1) * BLOCK;
    let mut moments = Moments {
        map: vec![0.0; reader.voxels],
        signal: vec![0.0; reader.volumes],
    };
    for first in (0..reader.voxels).step_by(slab_voxels) {
        let end = first.saturating_add(slab_voxels).min(reader.voxels);
        let Some(span) = mask.span(first, end) else {
            continue;
        };
        let blocks = slab_blocks(
            reader,
            mask,
            first_steady,
            span,
            &mut moments.signal,
            monitor,
        )?;
        for block in &blocks {
            let map = moments.map.get_mut(block.first..).unwrap_or_default();
            block.ratios((reader.volumes - first_steady) as f64, scale, map);
        }
    }
    let [slope, intercept] = scale;
    for signal in &mut moments.signal {
        *signal = *signal / mask.count.max(1) as f64 * slope + intercept;
    }
    Ok(moments)
}

/// Returns the sums of the voxels from `first` to `end` over the steady volumes, those from `first_steady` on, in
/// blocks; a block without a voxel in the mask is left out. Also adds to `signal`, for each volume, the sum of its
/// voxels in this range and in the mask.
fn slab_blocks(
    reader: &VolumeReader,
    mask: &Mask,
    first_steady: usize,
    (first, end): (usize, usize),
    signal: &mut [f64],
    monitor: &Monitor,
) -> Result<Vec<VoxelBlock>, StatisticsError> {
    let bytes = (end - first) * reader.voxel_size;
    let mut buffers: [Vec<u8>; VOLUMES_AT_ONCE] = Default::default();
    let mut blocks = Vec::new();
    let [buffer, ..] = &mut buffers;
    let reference = reader.read(first_steady, first, bytes, buffer)?;
    for at in (first..end).step_by(BLOCK) {
        if let Some(mask) = mask.block(at) {
            let mut numbers = [0.0; BLOCK];
            reader.numbers(reference, at - first, &mut numbers);
            blocks.push(VoxelBlock::new(at, &mask, &numbers));
        }
    }
    for (index, signal) in signal.iter_mut().enumerate().take(first_steady) {
        let volume = reader.read(index, first, bytes, buffer)?;
        let signal = std::slice::from_mut(signal);
        add_volumes(reader, &[volume], first, &mut blocks, signal, false);
    }
    let steady = signal.get_mut(first_steady..).unwrap_or_default();
    for (group, signal) in steady.chunks_mut(VOLUMES_AT_ONCE).enumerate() {
        monitor.check_cancelled()?;
        let mut volumes: [&[u8]; VOLUMES_AT_ONCE] = Default::default();
        let indices = first_steady + group * VOLUMES_AT_ONCE..;
        let slots = volumes.iter_mut().zip(&mut buffers).zip(indices);
        for ((volume, buffer), index) in slots.take(signal.len()) {
            *volume = reader.read(index, first, bytes, buffer)?;
        }
        add_volumes(reader, &volumes, first, &mut blocks, signal, true);
    }
    Ok(blocks)
}

/// Adds the voxels of a slab that are in the mask to `signal`, which has a sum for each of these volumes. If the
/// volumes are `steady`, also adds them to the sums of the voxels. The slab starts at the voxel `first`.
fn add_volumes(
    reader: &VolumeReader,
    volumes: &[&[u8]],
    first: usize,
    blocks: &mut [VoxelBlock],
    signal: &mut [f64],
    steady: bool,
) {
    let mut values = [[0.0; BLOCK]; VOLUMES_AT_ONCE];
    for block in blocks {
        let pairs = values.iter_mut().zip(volumes);
        for ((values, volume), signal) in pairs.zip(&mut *signal) {
            reader.numbers(volume, block.first - first, values);
            *signal += block.sum_in_mask(values);
        }
        // Volumes before the steady state are added one by one, so a complete group is steady.
        if signal.len() == VOLUMES_AT_ONCE {
            block.add(&values);
        } else if steady {
            for values in values.iter().take(signal.len()) {
                block.add(&[*values]);
            }
        }
    }
}
