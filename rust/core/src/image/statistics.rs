//! Statistics of a time series in a NIfTI image: temporal SNR and the global signal (docs/statistics.md).

use std::io;
use std::path::Path;

use super::mask::{mask, upper_limit};
use super::moments::{Moments, moments};
use super::nifti;
use super::picture::{draw_runs, to_grey};
use super::statistics_error::StatisticsError;
use super::steady::count_unsteady;
use super::volume_reader::VolumeReader;
use crate::monitor::Monitor;

/// A series with fewer steady volumes has no statistics.
pub const MIN_VOLUMES: usize = 10;
/// Limit on the voxels of a volume: several arrays of this length are in memory at once.
const MAX_VOXELS: usize = 1 << 23;
/// Limit on the volumes at the start that are compared with each other to find those before the steady state.
const COMPARED_VOLUMES: usize = 25;
/// Limit on the steady volumes that are averaged for the mean image, evenly spaced over the scan.
const AVERAGED_VOLUMES: usize = 25;
/// Limit on the memory for sums and buffers, in bytes; a volume that needs more is read in several slabs.
const MEMORY: usize = 2 << 20;

/// Quality measures of a time series.
#[derive(Debug)]
pub struct Statistics {
    /// Median temporal SNR of the voxels whose value in `map` is not 0; None if all values are 0.
    pub tsnr: Option<f64>,
    /// The temporal SNR that [`Statistics::tsnr_slice`] draws as white, like all higher ones; None if `map` is 0
    /// everywhere.
    pub tsnr_limit: Option<f64>,
    /// Volumes at the start that are not in the steady state.
    pub dropped_volumes: usize,
    /// Mean of each volume in the mask, including the dropped volumes.
    pub global_signal: Vec<f64>,
    /// The mean of steady volumes.
    mean: Vec<f32>,
    /// Temporal SNR of each voxel; 0 outside of the mask, without variation, or without a positive mean.
    map: Vec<f32>,
}

impl Statistics {
    /// Returns voxels of the mean image as 8-bit grey, row by row. `rows` and `columns` are offsets in voxels: a pixel
    /// is the voxel with the index `row + column`.
    ///
    /// # Errors
    ///
    /// Fails if a voxel is outside of the volume.
    pub fn mean_slice(&self, rows: &[u64], columns: &[u64]) -> io::Result<Vec<u8>> {
        draw_runs(rows, columns, 1, |rows, columns| {
            values_at(&self.mean, rows, columns).map(|values| to_grey(&values))
        })
    }

    /// Returns voxels of `map` as 8-bit grey, row by row: 0 for 0, 255 for `tsnr_limit` and above. `rows` and `columns`
    /// are as in [`Statistics::mean_slice`].
    ///
    /// # Errors
    ///
    /// Fails if a voxel is outside of the volume.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a value between 0 and 255"
    )]
    pub fn tsnr_slice(&self, rows: &[u64], columns: &[u64]) -> io::Result<Vec<u8>> {
        let limit = self.tsnr_limit.unwrap_or(1.0);
        let grey = |value: f64| ((value / limit).clamp(0.0, 1.0) * 255.0) as u8;
        draw_runs(rows, columns, 1, |rows, columns| {
            let values = values_at(&self.map, rows, columns)?;
            Ok(values.into_iter().map(grey).collect())
        })
    }
}

/// Returns the values at the indices `row + column`; both are offsets in voxels.
fn values_at(values: &[f32], rows: &[u64], columns: &[u64]) -> io::Result<Vec<f64>> {
    let mut picked_values = Vec::with_capacity(rows.len().saturating_mul(columns.len()));
    for row in rows {
        for column in columns {
            let index = row.checked_add(*column);
            let value = index.and_then(|index| values.get(usize::try_from(index).ok()?));
            picked_values.push(f64::from(*value.ok_or(io::ErrorKind::UnexpectedEof)?));
        }
    }
    Ok(picked_values)
}

/// Returns the statistics of an uncompressed image; None if it has too few steady volumes, too many voxels, colours or
/// an unknown type of voxels, a mean without a positive voxel, or values whose sums or means are not finite.
///
/// # Errors
///
/// Fails if the file cannot be read, is truncated or is not a NIfTI image, or if the work was stopped.
pub fn statistics(path: &Path, monitor: &Monitor) -> Result<Option<Statistics>, StatisticsError> {
    with_memory(path, monitor, MEMORY)
}

/// Returns the statistics as [`statistics`] does, with a limit on the bytes of sums and buffers.
fn with_memory(
    path: &Path,
    monitor: &Monitor,
    memory: usize,
) -> Result<Option<Statistics>, StatisticsError> {
    let image = nifti::open(path)?;
    let scale = image.scale;
    let Some(mut reader) = VolumeReader::new(image) else {
        return Ok(None);
    };
    if reader.volumes < MIN_VOLUMES || reader.voxels > MAX_VOXELS {
        return Ok(None);
    }
    if !reader.contains_all_voxels() {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    reader.load_small()?;
    let compared_volumes = reader.volumes.min(COMPARED_VOLUMES);
    let first_steady = count_unsteady(&reader.means(compared_volumes, monitor)?);
    if reader.volumes - first_steady < MIN_VOLUMES {
        return Ok(None);
    }
    let mean = reader.mean_image(
        &averaged_volumes(first_steady, reader.volumes),
        scale,
        monitor,
    )?;
    let Some(mask) = mask(&mean) else {
        return Ok(None);
    };
    let Moments { map, signal } = moments(&reader, &mask, first_steady, scale, memory, monitor)?;
    let mut varying_values: Vec<f32> = map.iter().copied().filter(|value| *value > 0.0).collect();
    let tsnr = median(&mut varying_values);
    let is_finite = signal.iter().all(|value| value.is_finite());
    Ok(is_finite.then_some(Statistics {
        tsnr,
        tsnr_limit: upper_limit(&mut varying_values),
        dropped_volumes: first_steady,
        global_signal: signal,
        mean,
        map,
    }))
}

/// Returns the indices of the volumes that are averaged for the mean image.
fn averaged_volumes(first_steady: usize, volumes: usize) -> Vec<usize> {
    let steady = volumes - first_steady;
    let count = steady.min(AVERAGED_VOLUMES);
    (0..count)
        .map(|index| first_steady + index * steady / count)
        .collect()
}

/// Returns the median; None without values.
fn median(values: &mut [f32]) -> Option<f64> {
    let half = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (below, middle, _) = values.select_nth_unstable_by(half, f32::total_cmp);
    let upper = f64::from(*middle);
    let lower = below.iter().copied().max_by(f32::total_cmp);
    match lower {
        Some(lower) if values.len() % 2 == 0 => Some(f64::midpoint(f64::from(lower), upper)),
        _ => Some(upper),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

    use std::fs::write;

    use super::{Statistics, averaged_volumes, median, statistics, with_memory};
    use crate::image::StatisticsError;
    use crate::monitor::Monitor;

    /// An integer scan in which a bright box varies from volume to volume.
    fn image(volumes: i16) -> Vec<u8> {
        let mut bytes = vec![0; 352];
        let mut put = |at: usize, value: &[u8]| {
            bytes
                .get_mut(at..at + value.len())
                .unwrap()
                .copy_from_slice(value);
        };
        put(0, &348_i32.to_le_bytes());
        for (index, size) in [4, 30, 20, 10, volumes].into_iter().enumerate() {
            put(40 + 2 * index, &size.to_le_bytes());
        }
        put(70, &4_i16.to_le_bytes());
        put(108, &352_f32.to_le_bytes());
        put(112, &0.5_f32.to_le_bytes());
        let mut random = 1_u32;
        for volume in 0..volumes {
            for voxel in 0..6000 {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (random >> 24) as i16;
                let inside = (1000..5000).contains(&voxel) && voxel % 30 > 5;
                let value = noise / 8 + if inside { 3000 + noise + volume } else { 0 };
                bytes.extend(value.to_le_bytes());
            }
        }
        bytes
    }

    fn statistics_of(bytes: &[u8], memory: usize) -> Option<Statistics> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nii");
        write(&path, bytes).unwrap();
        with_memory(&path, &Monitor::default(), memory).unwrap()
    }

    #[test]
    fn slabs_give_what_the_whole_gives() {
        let bytes = image(37);
        let whole = statistics_of(&bytes, 1 << 24).unwrap();
        assert!(whole.tsnr.unwrap() > 10.0);
        for memory in [1, 5000, 100_000] {
            let slabs = statistics_of(&bytes, memory).unwrap();
            assert_eq!(slabs.tsnr, whole.tsnr);
            assert_eq!(slabs.global_signal, whole.global_signal);
            assert_eq!(slabs.map, whole.map);
            assert_eq!(slabs.mean, whole.mean);
        }
    }

    #[test]
    fn a_slope_of_zero_means_that_values_are_not_scaled() {
        let signal = |slope: f32, intercept: f32| {
            let mut bytes = image(12);
            let scaling = [slope.to_le_bytes(), intercept.to_le_bytes()].concat();
            bytes.get_mut(112..120).unwrap().copy_from_slice(&scaling);
            statistics_of(&bytes, 1 << 20).unwrap().global_signal
        };
        let unscaled = signal(1.0, 0.0);
        for slope in [0.0, f32::NAN] {
            assert_eq!(signal(slope, 100.0), unscaled, "{slope}");
        }
    }

    #[test]
    fn too_few_steady_volumes_have_no_statistics() {
        assert!(statistics_of(&image(9), 1 << 24).is_none());
        assert!(statistics_of(&image(10), 1 << 24).is_some());
        let mut bytes = image(10);
        for value in bytes.get_mut(352..352 + 12_000).unwrap().chunks_mut(2) {
            value.copy_from_slice(&9000_i16.to_le_bytes());
        }
        assert!(statistics_of(&bytes, 1 << 24).is_none());
    }

    #[test]
    fn a_cancelled_run_stops() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nii");
        write(&path, image(12)).unwrap();
        let monitor = Monitor::default();
        monitor.cancel();
        let result = statistics(&path, &monitor);
        assert!(matches!(result, Err(StatisticsError::Cancelled)));
    }

    #[test]
    fn the_mean_is_of_volumes_of_the_whole_scan() {
        assert_eq!(averaged_volumes(2, 12), (2..12).collect::<Vec<_>>());
        let of_many = averaged_volumes(3, 1003);
        assert_eq!(of_many.len(), 25);
        assert_eq!((of_many.first(), of_many.last()), (Some(&3), Some(&963)));
    }

    #[test]
    fn the_median_of_an_even_count_is_between_two() {
        assert_eq!(median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut []), None);
    }
}
