//! Reads the volumes of an image piece by piece, and converts voxels to numbers.

use std::cell::RefCell;
use std::io;
use std::mem::take;
use std::os::unix::fs::FileExt;

use super::nifti::Nifti;
use super::statistics_error::StatisticsError;
use super::voxel_type::VoxelType;
use crate::monitor::Monitor;

/// Number of voxels that are converted at once; their numbers stay in the first-level cache.
pub(super) const BLOCK: usize = 64;
/// Number of voxels that are read at once, a multiple of [`BLOCK`].
const READ_VOXELS: usize = 1 << 16;
/// Limit on the bytes of a small image, which is read once for all passes.
const MAX_SMALL_BYTES: u64 = 16 << 20;
/// Number of partial sums that are accumulated in parallel.
const LANES: usize = 8;

thread_local! {
    /// Memory of the last small image. It is reused because the kernel has mapped its pages already, which makes
    /// reading the next image faster.
    static MEMORY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reads the volumes of an image.
pub(super) struct VolumeReader {
    image: Nifti,
    voxel_type: VoxelType,
    /// Bytes of a voxel.
    pub voxel_size: usize,
    /// Voxels of a volume.
    pub voxels: usize,
    /// Number of volumes.
    pub volumes: usize,
    /// All voxels of a small image, else empty.
    in_memory: Vec<u8>,
}

impl Drop for VolumeReader {
    fn drop(&mut self) {
        if !self.in_memory.is_empty() {
            MEMORY.replace(take(&mut self.in_memory));
        }
    }
}

impl VolumeReader {
    /// Returns the reader of an image; None for colours and unknown types of voxels, and for sizes that exceed `usize`.
    pub(super) fn new(image: Nifti) -> Option<Self> {
        let voxel_type = image
            .voxel_type
            .filter(|voxel_type| !voxel_type.is_colour())?;
        let mut voxels: usize = 1;
        for size in image.size {
            voxels = voxels.checked_mul(usize::try_from(size).ok()?)?;
        }
        Some(Self {
            voxel_type,
            voxel_size: usize::try_from(voxel_type.size()).ok()?,
            voxels,
            volumes: usize::try_from(image.volumes).ok()?,
            image,
            in_memory: Vec::new(),
        })
    }

    /// Reads all voxels of a small image into memory, for all passes; does nothing for a larger image.
    pub(super) fn load_small(&mut self) -> io::Result<()> {
        let bytes = self.total_bytes().filter(|bytes| *bytes <= MAX_SMALL_BYTES);
        if let Some(bytes) = bytes.and_then(|bytes| usize::try_from(bytes).ok()) {
            self.in_memory = MEMORY.take();
            self.in_memory.resize(bytes, 0);
            self.image
                .file
                .read_exact_at(&mut self.in_memory, self.image.offset)?;
        }
        Ok(())
    }

    /// Returns the number of bytes of all voxels; None if it exceeds `usize`.
    fn total_bytes(&self) -> Option<u64> {
        let voxels = self.voxels.checked_mul(self.volumes)?;
        u64::try_from(voxels.checked_mul(self.voxel_size)?).ok()
    }

    /// Returns whether the file contains all voxels.
    pub(super) fn contains_all_voxels(&self) -> bool {
        let end = self
            .total_bytes()
            .and_then(|bytes| self.image.offset.checked_add(bytes));
        let length = self.image.file.metadata().map_or(0, |data| data.len());
        end.is_some_and(|end| end <= length)
    }

    /// Returns `bytes` bytes of a volume, starting at its voxel `first`; reads them into the buffer unless the image is in
    /// memory.
    pub(super) fn read<'a>(
        &'a self,
        volume: usize,
        first: usize,
        bytes: usize,
        buffer: &'a mut Vec<u8>,
    ) -> io::Result<&'a [u8]> {
        let begin = || {
            let voxel = volume.checked_mul(self.voxels)?.checked_add(first)?;
            voxel.checked_mul(self.voxel_size)
        };
        let begin = begin().ok_or(io::ErrorKind::InvalidInput)?;
        if !self.in_memory.is_empty() {
            let in_memory = self
                .in_memory
                .get(begin..)
                .and_then(|rest| rest.get(..bytes));
            return in_memory.ok_or_else(|| io::ErrorKind::UnexpectedEof.into());
        }
        let offset = u64::try_from(begin).map_err(|_| io::ErrorKind::InvalidInput)?;
        let offset = offset.checked_add(self.image.offset);
        buffer.resize(bytes, 0);
        self.image
            .file
            .read_exact_at(buffer, offset.ok_or(io::ErrorKind::InvalidInput)?)?;
        Ok(buffer)
    }

    /// Converts a block of voxels, starting at voxel `k` of the bytes, to numbers; a value that is not finite becomes
    /// 0. Numbers past the end of the bytes are unchanged.
    #[inline]
    pub(super) fn numbers(&self, bytes: &[u8], k: usize, out: &mut [f64; BLOCK]) {
        let bytes = bytes.get(k * self.voxel_size..).unwrap_or_default();
        self.voxel_type.numbers(bytes, out);
    }

    /// Passes each block of a volume to `each`: the index of its first voxel, and its numbers. Zeros fill the last block.
    fn for_each_block(
        &self,
        volume: usize,
        monitor: &Monitor,
        mut each: impl FnMut(usize, &[f64; BLOCK]),
    ) -> Result<(), StatisticsError> {
        let mut buffer = Vec::new();
        for first in (0..self.voxels).step_by(READ_VOXELS) {
            monitor.check_cancelled()?;
            let voxels = (self.voxels - first).min(READ_VOXELS);
            let bytes = self.read(volume, first, voxels * self.voxel_size, &mut buffer)?;
            for k in (0..voxels).step_by(BLOCK) {
                let mut numbers = [0.0; BLOCK];
                self.numbers(bytes, k, &mut numbers);
                each(first + k, &numbers);
            }
        }
        Ok(())
    }

    /// Returns the mean over all voxels of each of the first `volumes` volumes, without slope and intercept.
    #[allow(clippy::cast_precision_loss, reason = "a number of voxels")]
    pub(super) fn means(
        &self,
        volumes: usize,
        monitor: &Monitor,
    ) -> Result<Vec<f64>, StatisticsError> {
        let mut means = Vec::with_capacity(volumes);
        for volume in 0..volumes {
            let mut sum = 0.0;
            self.for_each_block(volume, monitor, |_, numbers| sum += total(numbers))?;
            means.push(sum / self.voxels.max(1) as f64);
        }
        Ok(means)
    }

    /// Returns the mean of each voxel over some volumes, with slope and intercept applied.
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
            self.for_each_block(*volume, monitor, |first, numbers| {
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

/// Returns the sum of numbers, in an order that allows parallel additions.
pub(super) fn total(numbers: &[f64; BLOCK]) -> f64 {
    let mut lanes = [0.0; LANES];
    for chunk in numbers.chunks_exact(LANES) {
        for (lane, number) in lanes.iter_mut().zip(chunk) {
            *lane += number;
        }
    }
    lanes.iter().sum()
}
