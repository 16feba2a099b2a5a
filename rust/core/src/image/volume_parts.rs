//! Parts of the volumes of an image, read as numbers.

use std::io;
use std::os::unix::fs::FileExt;

use super::nifti::Nifti;
use super::statistics_error::StatisticsError;
use super::voxel::Voxel;
use crate::monitor::Monitor;

/// Voxels that are converted at once; their numbers stay in the first cache.
pub(super) const BLOCK: usize = 64;
/// Voxels that are read at once, a multiple of a block.
const READ: usize = 1 << 16;
/// Sums that run beside each other.
const LANES: usize = 8;

/// The volumes of an image.
pub(super) struct VolumeParts {
    image: Nifti,
    voxel: Voxel,
    /// Bytes of a voxel.
    pub size: usize,
    /// Of a volume.
    pub voxels: usize,
    pub volumes: usize,
}

impl VolumeParts {
    /// None for colours, and for images that are larger than what can be counted.
    pub(super) fn new(image: Nifti) -> Option<Self> {
        let voxel = image.voxel.filter(|voxel| !voxel.is_colour())?;
        let mut voxels: usize = 1;
        for size in image.size {
            voxels = voxels.checked_mul(usize::try_from(size).ok()?)?;
        }
        Some(Self {
            voxel,
            size: usize::try_from(voxel.size()).ok()?,
            voxels,
            volumes: usize::try_from(image.volumes).ok()?,
            image,
        })
    }

    /// Whether the file has all voxels.
    pub(super) fn is_whole(&self) -> bool {
        let bytes = self.voxels.checked_mul(self.volumes);
        let bytes = bytes.and_then(|voxels| u64::try_from(voxels.checked_mul(self.size)?).ok());
        let end = bytes.and_then(|bytes| self.image.offset.checked_add(bytes));
        let length = self.image.file.metadata().map_or(0, |data| data.len());
        end.is_some_and(|end| end <= length)
    }

    /// Reads voxels of a volume, from `first` on, until the buffer is full.
    pub(super) fn read(&self, volume: usize, first: usize, buffer: &mut [u8]) -> io::Result<()> {
        let place = || {
            let voxel = volume.checked_mul(self.voxels)?.checked_add(first)?;
            let bytes = u64::try_from(voxel.checked_mul(self.size)?).ok()?;
            self.image.offset.checked_add(bytes)
        };
        let place = place().ok_or(io::ErrorKind::InvalidInput)?;
        self.image.file.read_exact_at(buffer, place)
    }

    /// Converts a block of voxels, from the k-th of some bytes on, to numbers; 0 for what is no number. Voxels that the bytes
    /// do not have stay as they are.
    #[inline]
    pub(super) fn numbers(&self, bytes: &[u8], k: usize, out: &mut [f64; BLOCK]) {
        let bytes = bytes.get(k * self.size..).unwrap_or_default();
        self.voxel.numbers(bytes, out);
    }

    /// Passes on the blocks of a volume, each with the index of its first voxel and filled up with zeros.
    fn blocks(
        &self,
        volume: usize,
        monitor: &Monitor,
        mut each: impl FnMut(usize, &[f64; BLOCK]),
    ) -> Result<(), StatisticsError> {
        let mut buffer = Vec::new();
        for first in (0..self.voxels).step_by(READ) {
            monitor.check()?;
            let voxels = (self.voxels - first).min(READ);
            buffer.resize(voxels * self.size, 0);
            self.read(volume, first, &mut buffer)?;
            for k in (0..voxels).step_by(BLOCK) {
                let mut numbers = [0.0; BLOCK];
                self.numbers(&buffer, k, &mut numbers);
                each(first + k, &numbers);
            }
        }
        Ok(())
    }

    /// Returns the mean of each of the first volumes over all voxels, as stored.
    #[allow(clippy::cast_precision_loss, reason = "a number of voxels")]
    pub(super) fn means(
        &self,
        volumes: usize,
        monitor: &Monitor,
    ) -> Result<Vec<f64>, StatisticsError> {
        let mut found = Vec::with_capacity(volumes);
        for volume in 0..volumes {
            let mut sum = 0.0;
            self.blocks(volume, monitor, |_, numbers| sum += total(numbers))?;
            found.push(sum / self.voxels.max(1) as f64);
        }
        Ok(found)
    }

    /// Returns the mean of some volumes for each voxel.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "a number of volumes; a picture in single precision"
    )]
    pub(super) fn mean_image(
        &self,
        volumes: &[usize],
        [slope, intercept]: [f64; 2],
        monitor: &Monitor,
    ) -> Result<Vec<f32>, StatisticsError> {
        let mut sums = vec![0.0; self.voxels];
        for volume in volumes {
            self.blocks(*volume, monitor, |first, numbers| {
                let sums = sums.get_mut(first..).unwrap_or_default();
                for (sum, number) in sums.iter_mut().zip(numbers) {
                    *sum += number;
                }
            })?;
        }
        let mean = |sum| (sum / volumes.len() as f64 * slope + intercept) as f32;
        Ok(sums.into_iter().map(mean).collect())
    }
}

/// The sum of numbers, in an order that lets several be added at once.
pub(super) fn total(numbers: &[f64; BLOCK]) -> f64 {
    let mut lanes = [0.0; LANES];
    for chunk in numbers.chunks_exact(LANES) {
        for (lane, number) in lanes.iter_mut().zip(chunk) {
            *lane += number;
        }
    }
    lanes.iter().sum()
}
