//! Volumes that the scanner moved as a whole to correct motion: the positions of their slices differ between volumes.

use std::collections::BTreeMap;

use super::clock::{Clock, rounded};
use super::split::{StackFrame, multi_frame_file_index};

/// Limit on the movement of a slice since the first volume, mm.
const MAX_MOVEMENT: f64 = 8.0;
/// Slices of two volumes match within this fraction of the slice distance in any case. If the odd and the even slices of one
/// volume have different numbers, they look like two volumes, whose positions differ by half of their slice distance.
const MAX_OFFSET: f64 = 0.3;
/// Fewer slices than this do not form a volume.
const MIN_SLICES: usize = 3;

/// The slices of volumes that moved.
pub(super) struct MovedSlices {
    /// Index of the slice of each frame: its rank in its volume.
    pub slice_indices: Vec<usize>,
    /// Positions of the slices of the first volume along the normal, mm.
    pub slice_positions: Vec<f64>,
}

/// Returns the slices of volumes that moved; None if no movement is recognised. `positions` are the positions of the frames
/// along the normal in mm; `slice_positions` are the same positions without repetitions.
pub(super) fn moved_slices(
    stack_frames: &[StackFrame<'_>],
    positions: &[f64],
    slice_positions: &[f64],
    clock: &Clock,
) -> Option<MovedSlices> {
    let temporal = |stack_frame: &StackFrame<'_>| stack_frame.frame.attributes.temporal_position;
    let acquisition =
        |stack_frame: &StackFrame<'_>| stack_frame.frame.attributes.acquisition_number;
    let time = |stack_frame: &StackFrame<'_>| rounded(clock.time(stack_frame), 1e3);
    slices_by_key(
        stack_frames,
        positions,
        slice_positions,
        MAX_MOVEMENT,
        &temporal,
    )
    .or_else(|| {
        slices_by_key(
            stack_frames,
            positions,
            slice_positions,
            MAX_MOVEMENT,
            &multi_frame_file_index,
        )
    })
    // Acquisition numbers and times can differ between the slices of one volume: for them, only MAX_OFFSET counts.
    .or_else(|| slices_by_key(stack_frames, positions, slice_positions, 0.0, &acquisition))
    .or_else(|| slices_by_key(stack_frames, positions, slice_positions, 0.0, &time))
}

/// Returns the slices of the volumes that `key` distinguishes. Returns None in these cases:
///
/// - A frame has no `key`, there is only one volume, or no volume has [`MIN_SLICES`] slices.
/// - A volume other than the last one has fewer slices than another one.
/// - No volume moved.
/// - A slice is further from the same slice of the first volume than both `bound` (mm) and [`MAX_OFFSET`] allow.
fn slices_by_key(
    stack_frames: &[StackFrame<'_>],
    positions: &[f64],
    slice_positions: &[f64],
    bound: f64,
    key: &dyn Fn(&StackFrame<'_>) -> Option<i64>,
) -> Option<MovedSlices> {
    let mut volumes: BTreeMap<i64, Vec<(usize, f64)>> = BTreeMap::new();
    for (index, (stack_frame, position)) in stack_frames.iter().zip(positions).enumerate() {
        volumes
            .entry(key(stack_frame)?)
            .or_default()
            .push((index, *position));
    }
    let size = volumes.values().map(Vec::len).max()?;
    let last = volumes.len().saturating_sub(1);
    let all_but_last_are_full = volumes
        .values()
        .take(last)
        .all(|volume| volume.len() == size);
    if last == 0 || size < MIN_SLICES || size >= slice_positions.len() || !all_but_last_are_full {
        return None;
    }
    let mut slices = vec![0; stack_frames.len()];
    let mut first_positions: Vec<f64> = Vec::new();
    for volume in volumes.values_mut() {
        volume.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        if first_positions.is_empty() {
            first_positions = volume.iter().map(|(_, position)| *position).collect();
        }
        let steps = first_positions.iter().zip(first_positions.iter().skip(1));
        let step = steps
            .map(|(position, next)| next - position)
            .fold(f64::INFINITY, f64::min);
        for ((index, position), place) in volume.iter().zip(&first_positions) {
            if (position - place).abs() > bound.max(step * MAX_OFFSET) {
                return None;
            }
            let rank = first_positions.partition_point(|other| other < place);
            if let Some(slice) = slices.get_mut(*index) {
                *slice = rank;
            }
        }
    }
    Some(MovedSlices {
        slice_indices: slices,
        slice_positions: first_positions,
    })
}
