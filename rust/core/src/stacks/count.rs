//! The volumes of a stack: their number, their missing slices, and their diffusion weighting.

use std::collections::{BTreeMap, BTreeSet};

use super::clock::Clock;
use super::keys::{Assignment, candidate_assignments};
use super::slices::PlacedFrames;

/// Limit on b-values in s/mm2: ten times those of scanners with the strongest gradients. A larger number is no b-value.
const B_VALUE_LIMIT: f64 = 1e6;

/// Counts of the volumes of a stack, and of their slices.
#[derive(Debug, Clone, Copy, Default)]
pub struct VolumeCounts {
    /// Number of slice positions that exist: a complete volume has a slice at each.
    pub slices: usize,
    /// Volumes with at least one slice.
    pub count: usize,
    /// Volumes with all slices.
    pub complete_volumes: usize,
    /// Number of slices of the last volume if this volume is incomplete, else 0.
    pub slices_in_partial_volume: usize,
    /// Number of slices that are missing in the counted volumes before the last one.
    pub missing_slices_before_last: usize,
    /// Volumes between the first and the last one of which no slice exists.
    pub missing_volumes: usize,
    /// Frames at a slice position where their volume already has another frame.
    pub repeated_frames: usize,
}

/// Assigns each frame of a stack to a volume, and counts the volumes.
///
/// Uses the one of the [`candidate_assignments`] with the lowest [`cost`]; of several, the one with the fewest repeated
/// frames, and of several of these the first. If a number of the volumes proves that volumes of this assignment have slices
/// of several volumes ([`is_mixed`]), uses that number.
pub(super) fn assign_volumes(
    placed_frames: &PlacedFrames<'_>,
    clock: &Clock,
) -> (VolumeCounts, Assignment) {
    let mut counted: Vec<(VolumeCounts, Assignment)> = candidate_assignments(placed_frames, clock)
        .into_iter()
        .map(|assignment| (count_volumes(placed_frames, &assignment), assignment))
        .collect();
    let best = counted
        .iter()
        .enumerate()
        .min_by_key(|(_, (volumes, _))| (cost(volumes), volumes.repeated_frames));
    let Some((index, (_, best))) = best else {
        return Default::default();
    };
    let slices = &placed_frames.slice_indices;
    let by_number = counted.iter().position(|(volumes, numbers)| {
        numbers.is_by_volume_number
            && volumes.repeated_frames == 0
            && !best.is_by_volume_number
            && is_mixed(slices, &best.volume_indices, &numbers.volume_indices)
    });
    counted.swap_remove(by_number.unwrap_or(index))
}

/// Returns whether volumes have slices of several volumes by a number: frames with one number are in different volumes, and
/// the numbers of the frames of each slice rise from volume to volume.
fn is_mixed(slices: &[usize], volumes: &[usize], numbers: &[usize]) -> bool {
    let mut volume_of: BTreeMap<usize, usize> = BTreeMap::new();
    let mut is_scattered = false;
    let mut numbers_at: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
    for ((slice, volume), number) in slices.iter().zip(volumes).zip(numbers) {
        is_scattered |= volume_of.entry(*number).or_insert(*volume) != volume;
        numbers_at
            .entry(*slice)
            .or_default()
            .insert(*volume, *number);
    }
    let rise = |at: &BTreeMap<usize, usize>| at.values().is_sorted_by(|one, next| one < next);
    is_scattered && numbers_at.values().all(rise)
}

/// Returns the number of missing slices (without those of whole missing volumes) plus the number of repeated frames.
fn cost(volumes: &VolumeCounts) -> usize {
    let missing_in_last = if volumes.slices_in_partial_volume > 0 {
        volumes
            .slices
            .saturating_sub(volumes.slices_in_partial_volume)
    } else {
        0
    };
    volumes
        .missing_slices_before_last
        .saturating_add(missing_in_last)
        .saturating_add(volumes.repeated_frames)
}

/// Counts the volumes of one assignment.
fn count_volumes(placed_frames: &PlacedFrames<'_>, assignment: &Assignment) -> VolumeCounts {
    let mut slice_counts = vec![0_usize; assignment.volume_count];
    let mut seen = BTreeSet::new();
    let mut repeated_frames: usize = 0;
    for (slice, volume) in placed_frames
        .slice_indices
        .iter()
        .zip(&assignment.volume_indices)
    {
        if !seen.insert((*volume, *slice)) {
            repeated_frames = repeated_frames.saturating_add(1);
        } else if let Some(count) = slice_counts.get_mut(*volume) {
            *count = count.saturating_add(1);
        }
    }
    let slices = placed_frames.slice_count;
    let last = slice_counts.last().copied().unwrap_or(0);
    let volumes_before_last = slice_counts.len().saturating_sub(1);
    VolumeCounts {
        slices,
        count: slice_counts.len(),
        complete_volumes: slice_counts
            .iter()
            .filter(|count| **count >= slices)
            .count(),
        slices_in_partial_volume: if last < slices { last } else { 0 },
        missing_slices_before_last: slice_counts
            .iter()
            .take(volumes_before_last)
            .map(|count| slices.saturating_sub(*count))
            .sum(),
        missing_volumes: assignment.missing_volumes,
        repeated_frames,
    }
}

/// Returns the b-values (s/mm2) with the number of their volumes, and the number of different directions; no b-values
/// and 0 if the scan is not diffusion weighted.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a b-value times 10, or a cosine times 1000"
)]
pub(super) fn diffusion(
    placed_frames: &PlacedFrames<'_>,
    assignment: &Assignment,
) -> (Vec<(f64, usize)>, usize) {
    // For each volume, from its first frame with a b-value: tenths of the b-value, and thousandths of the direction cosines.
    let mut weighting_by_volume: BTreeMap<usize, (i64, Option<[i64; 3]>)> = BTreeMap::new();
    let mut in_diffusion_scan = false;
    for (stack_frame, volume) in placed_frames
        .stack_frames
        .iter()
        .zip(&assignment.volume_indices)
    {
        let diffusion = &stack_frame.frame.attributes.diffusion;
        in_diffusion_scan |= diffusion.in_diffusion_scan;
        let b_value = diffusion.b_value.or(diffusion.second_b_value);
        let Some(b_value) = b_value.filter(|value| value.abs() < B_VALUE_LIMIT) else {
            continue;
        };
        let tenths = (b_value * 10.0).round() as i64;
        let direction = diffusion
            .direction
            .filter(|parts| tenths > 0 && parts.iter().any(|part| part.abs() > 1e-6))
            .map(|parts| parts.map(|part| (part * 1e3).round() as i64));
        weighting_by_volume
            .entry(*volume)
            .or_insert((tenths, direction));
    }
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for (b_value, _) in weighting_by_volume.values() {
        let count = counts.entry(*b_value).or_default();
        *count = count.saturating_add(1);
    }
    if !in_diffusion_scan && counts.keys().all(|value| *value == 0) {
        return (Vec::new(), 0);
    }
    let directions: BTreeSet<[i64; 3]> = weighting_by_volume
        .values()
        .filter_map(|(_, direction)| *direction)
        .collect();
    #[allow(clippy::cast_precision_loss, reason = "a b-value")]
    let b_values = counts
        .into_iter()
        .map(|(value, count)| (value as f64 / 10.0, count))
        .collect();
    (b_values, directions.len())
}

#[cfg(test)]
mod tests {
    use super::is_mixed;

    #[test]
    fn a_number_in_several_volumes_proves_a_mixture_if_numbers_rise() {
        // Three slices of two volumes; the second slice of the second volume has the number of a third volume, and so on.
        let (slices, volumes) = ([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]);
        assert!(is_mixed(&slices, &volumes, &[0, 1, 1, 2, 0, 1]));
        assert!(!is_mixed(&slices, &volumes, &[0, 1, 0, 1, 0, 1]));
        assert!(!is_mixed(&slices, &volumes, &[0, 1, 2, 3, 4, 5]));
        assert!(!is_mixed(&slices, &volumes, &[0, 1, 1, 0, 0, 1]));
    }
}
