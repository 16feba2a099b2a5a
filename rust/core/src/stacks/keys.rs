//! Numbers, times and other values that can distinguish the volumes of a stack.

use std::collections::BTreeMap;

use super::clock::{Clock, rounded};
use super::slices::PlacedFrames;
use super::split::{StackFrame, multi_frame_file_index};

/// The volume of each frame of a stack.
#[derive(Debug, Clone, Default)]
pub(super) struct Assignment {
    /// Index of the volume of each frame, in the order of `PlacedFrames::stack_frames`. The volumes are in the order of the
    /// value that distinguishes them or, if it has no order, of their first frames.
    pub volume_indices: Vec<usize>,
    /// Number of volumes.
    pub volume_count: usize,
    /// Whether the volumes are those of a number that counts volumes: the temporal position or AcquisitionNumber.
    pub is_by_volume_number: bool,
    /// Number of volumes between the first and the last one of which no slice exists.
    pub missing_volumes: usize,
}

/// Returns the possible assignments, the most reliable first. There is always at least one: the last, by the order of the
/// frames ([`by_rank`]).
pub(super) fn candidate_assignments(
    placed_frames: &PlacedFrames<'_>,
    clock: &Clock,
) -> Vec<Assignment> {
    let by_volume_number = |assignment: Option<Assignment>| {
        assignment.map(|assignment| Assignment {
            is_by_volume_number: true,
            ..assignment
        })
    };
    let mut candidates: Vec<Assignment> = [
        by_volume_number(by_number(placed_frames, true, |stack_frame| {
            stack_frame.frame.attributes.temporal_position
        })),
        by_number(placed_frames, false, mosaic_number),
        by_volume_number(by_number(placed_frames, false, |stack_frame| {
            stack_frame.frame.attributes.acquisition_number
        })),
        by_number(placed_frames, false, multi_frame_file_index),
        by_number(placed_frames, false, |stack_frame| {
            rounded(clock.time(stack_frame), 1e3)
        }),
        by_number(placed_frames, false, |stack_frame| {
            rounded(stack_frame.frame.attributes.time_offset, 1e3)
        }),
        by_number(placed_frames, false, |stack_frame| {
            rounded(stack_frame.frame.attributes.trigger_time, 1e3)
        }),
        by_instance(placed_frames),
        by_diffusion(placed_frames),
    ]
    .into_iter()
    .flatten()
    .collect();
    candidates.push(by_rank(placed_frames, clock));
    candidates
}

/// Returns the InstanceNumber of a mosaic, because one mosaic is one volume; None for other objects.
fn mosaic_number(stack_frame: &StackFrame<'_>) -> Option<i64> {
    stack_frame
        .object
        .tiling
        .and(stack_frame.object.instance_number)
}

/// Assigns frames to volumes by a number; None if a frame lacks it. `counts_volumes` says that the number increases by
/// 1 from volume to volume, so that gaps are missing volumes.
fn by_number(
    placed_frames: &PlacedFrames<'_>,
    counts_volumes: bool,
    key: impl Fn(&StackFrame<'_>) -> Option<i64>,
) -> Option<Assignment> {
    let numbers: Vec<i64> = placed_frames
        .stack_frames
        .iter()
        .map(key)
        .collect::<Option<_>>()?;
    let mut assignment = by_number_rank(&numbers);
    if counts_volumes {
        assignment.missing_volumes = missing_count(&numbers);
    }
    Some(assignment)
}

/// Returns how many numbers are missing between the lowest and the highest one; 0 if more are missing than there are different
/// numbers, because then the numbers do not count volumes one by one.
pub(super) fn missing_count(numbers: &[i64]) -> usize {
    let mut distinct = numbers.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let range = distinct.last().zip(distinct.first());
    let range = range.and_then(|(last, first)| usize::try_from(last.saturating_sub(*first)).ok());
    let missing = range.map_or(0, |range| {
        range.saturating_add(1).saturating_sub(distinct.len())
    });
    if missing <= distinct.len() {
        missing
    } else {
        0
    }
}

/// Assigns each frame to the volume whose index is the rank of the frame's number among the different numbers.
fn by_number_rank(numbers: &[i64]) -> Assignment {
    let mut distinct = numbers.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    Assignment {
        volume_indices: numbers
            .iter()
            .map(|number| distinct.partition_point(|other| other < number))
            .collect(),
        volume_count: distinct.len(),
        ..Assignment::default()
    }
}

/// Assigns frames to volumes by InstanceNumber.
///
/// The most frequent step between the numbers at one position decides. If it is 1, the frames of all volumes at the
/// first position are numbered first, then those at the next position. If it is larger, all slices of the first volume
/// are numbered first, then those of the next volume. None if a frame has no number, if no position has two frames, or if
/// the step is 0.
fn by_instance(placed_frames: &PlacedFrames<'_>) -> Option<Assignment> {
    let numbers: Vec<i64> = placed_frames
        .stack_frames
        .iter()
        .map(|stack_frame| stack_frame.frame.attributes.instance_number)
        .collect::<Option<_>>()?;
    let mut slices: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for (slice, number) in placed_frames.slice_indices.iter().zip(&numbers) {
        slices.entry(*slice).or_default().push(*number);
    }
    let mut steps: BTreeMap<i64, usize> = BTreeMap::new();
    for numbers in slices.values_mut() {
        numbers.sort_unstable();
        for (before, after) in numbers.iter().zip(numbers.iter().skip(1)) {
            let count = steps.entry(after - before).or_default();
            *count = count.saturating_add(1);
        }
    }
    let step = *steps.iter().max_by_key(|(_, count)| **count)?.0;
    let first = *numbers.iter().min()?;
    if step > 1 {
        let volumes: Vec<i64> = numbers
            .iter()
            .map(|number| (number - first) / step)
            .collect();
        return Some(by_number_rank(&volumes));
    }
    // Step 1: the numbers at one position are one block.
    let block = slices.values().map(Vec::len).max()?;
    let block = i64::try_from(block).ok().filter(|_| step == 1)?;
    let volumes: Vec<i64> = numbers
        .iter()
        .map(|number| (number - first) % block)
        .collect();
    Some(by_number_rank(&volumes))
}

/// Assigns frames to volumes by b-value and direction; the volumes are in the order of their first frames. None if a
/// frame has no b-value.
fn by_diffusion(placed_frames: &PlacedFrames<'_>) -> Option<Assignment> {
    let mut numbers_by_key: BTreeMap<_, i64> = BTreeMap::new();
    let mut numbers = Vec::with_capacity(placed_frames.stack_frames.len());
    for stack_frame in &placed_frames.stack_frames {
        let diffusion = &stack_frame.frame.attributes.diffusion;
        let direction = diffusion.direction.map(|parts| parts.map(f64::to_bits));
        let key = (
            diffusion.b_value.or(diffusion.second_b_value)?.to_bits(),
            direction,
        );
        let next = i64::try_from(numbers_by_key.len()).ok()?;
        numbers.push(*numbers_by_key.entry(key).or_insert(next));
    }
    Some(by_number_rank(&numbers))
}

/// Assigns frames to volumes by their order at each position: the earliest frames form the first volume, and so on.
fn by_rank(placed_frames: &PlacedFrames<'_>, clock: &Clock) -> Assignment {
    let mut order: Vec<usize> = (0..placed_frames.stack_frames.len()).collect();
    order.sort_by(|index, other| {
        let key = |index: &usize| {
            placed_frames.stack_frames.get(*index).map(|stack_frame| {
                let time = clock.time(stack_frame).unwrap_or(0.0);
                (
                    time,
                    stack_frame.frame.attributes.instance_number,
                    stack_frame.file,
                )
            })
        };
        key(index)
            .partial_cmp(&key(other))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut frames_at_slice: BTreeMap<usize, usize> = BTreeMap::new();
    let mut assignment = Assignment {
        volume_indices: vec![0; placed_frames.stack_frames.len()],
        ..Assignment::default()
    };
    for index in order {
        let slice = placed_frames.slice_indices.get(index).copied().unwrap_or(0);
        let count = frames_at_slice.entry(slice).or_default();
        if let Some(volume) = assignment.volume_indices.get_mut(index) {
            *volume = *count;
        }
        *count = count.saturating_add(1);
        assignment.volume_count = assignment.volume_count.max(*count);
    }
    assignment
}

#[cfg(test)]
mod tests {
    use super::missing_count;

    #[test]
    fn gaps_are_counted_as_long_as_they_are_few() {
        assert_eq!(missing_count(&[1, 2, 4, 5]), 1);
        assert_eq!(missing_count(&[5, 1, 2, 2, 4]), 1);
        assert_eq!(missing_count(&[1, 1000]), 0);
        assert_eq!(missing_count(&[]), 0);
    }
}
