//! The slices of a stack: frames at the same position, and duplicates.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::clock::{Clock, bits};
use super::moved;
use super::split::{StackFrame, StackFrames};

/// Positions within this distance (mm) are the same: scanners round to 5 or 6 digits.
const TOLERANCE: f64 = 0.05;

/// Limit on positions in mm. A larger one is an error of the header.
const POSITION_LIMIT: f64 = 1e9;

/// The frames of a stack with the slice of each frame.
#[derive(Debug)]
pub(super) struct PlacedFrames<'s> {
    pub stack_frames: Vec<StackFrame<'s>>,
    /// Index of the slice of each frame.
    pub slice_indices: Vec<usize>,
    /// Number of slices.
    pub slice_count: usize,
    /// Positions of the slices along the normal in mm, ascending; those of one volume if the frames are tiles, or if the scanner
    /// moved the volumes with the head (motion correction). Empty if the position of a frame is unknown.
    pub slice_positions: Vec<f64>,
    /// Number of frames that were removed because they repeat another frame.
    pub duplicates: usize,
}

/// Assigns the frames of a stack to slices, and removes duplicates.
pub(super) fn assign_slices<'s>(stack: &StackFrames<'s>, clock: &Clock) -> PlacedFrames<'s> {
    let (stack_frames, duplicates) = without_duplicates(stack, clock);
    // None if the position of a frame is unknown.
    let positions: Option<Vec<f64>> = stack_frames
        .iter()
        .map(|stack_frame| position_along(stack_frame, stack.normal))
        .collect();
    let are_tiles = stack_frames.iter().all(|stack_frame| {
        stack_frame
            .object
            .tiling
            .is_some_and(|tiling| tiling.count > 0)
    });
    let slice_positions = positions
        .as_deref()
        .filter(|_| !stack_frames.is_empty())
        .map_or_else(Vec::new, distinct);
    if are_tiles && !stack_frames.is_empty() {
        return assign_tiles(stack_frames, positions.as_deref(), duplicates);
    }
    if let Some(moved) = positions.as_deref().and_then(|positions| {
        moved::moved_slices(&stack_frames, positions, &slice_positions, clock)
    }) {
        return PlacedFrames {
            stack_frames,
            slice_indices: moved.slice_indices,
            slice_count: moved.slice_positions.len(),
            slice_positions: moved.slice_positions,
            duplicates,
        };
    }
    let slice_indices = positions.map_or_else(
        || vec![0; stack_frames.len()],
        |positions| {
            positions
                .iter()
                .map(|position| nearest(&slice_positions, *position))
                .collect()
        },
    );
    PlacedFrames {
        slice_count: slice_positions
            .len()
            .max(usize::from(!stack_frames.is_empty())),
        stack_frames,
        slice_indices,
        slice_positions,
        duplicates,
    }
}

/// Assigns the frames of mosaics to slices by the index of their tile, even if motion correction moved them.
/// `positions` are those of the frames along the normal, None if one is unknown.
fn assign_tiles<'s>(
    stack_frames: Vec<StackFrame<'s>>,
    positions: Option<&[f64]>,
    duplicates: usize,
) -> PlacedFrames<'s> {
    let slice_indices: Vec<usize> = stack_frames
        .iter()
        .map(|stack_frame| stack_frame.frame.index as usize)
        .collect();
    let count = slice_indices
        .iter()
        .max()
        .map_or(0, |last| last.saturating_add(1));
    let file = stack_frames.first().map(|stack_frame| stack_frame.file);
    let mut slice_positions: Vec<f64> = positions
        .unwrap_or_default()
        .iter()
        .zip(&stack_frames)
        .filter(|(_, stack_frame)| Some(stack_frame.file) == file)
        .map(|(position, _)| *position)
        .collect();
    slice_positions.sort_by(f64::total_cmp);
    PlacedFrames {
        stack_frames,
        slice_indices,
        slice_count: count,
        slice_positions,
        duplicates,
    }
}

/// Returns the frames without duplicates, and the number of duplicates: frames that repeat another frame in every
/// distinguishing value. A frame without InstanceNumber is no duplicate.
fn without_duplicates<'s>(stack: &StackFrames<'s>, clock: &Clock) -> (Vec<StackFrame<'s>>, usize) {
    let mut seen = BTreeSet::new();
    let mut stack_frames = Vec::with_capacity(stack.frames.len());
    for stack_frame in &stack.frames {
        let frame = &stack_frame.frame.attributes;
        let numbers = (
            frame.temporal_position,
            frame.acquisition_number,
            frame.instance_number,
        );
        let object = (stack_frame.object.frame_count > 1).then(|| object_key(stack_frame, clock));
        let times_and_b_value = [
            clock.time(stack_frame),
            frame.trigger_time,
            frame.time_offset,
            frame.diffusion.b_value,
            frame.content_time,
        ]
        .map(bits);
        let more = [
            frame.inversion_time,
            frame.flip_angle,
            position_along(stack_frame, stack.normal),
        ]
        .map(bits);
        let direction = frame
            .diffusion
            .direction
            .map(|parts| parts.map(f64::to_bits));
        let key = digest(&(
            numbers,
            object,
            times_and_b_value,
            more,
            direction,
            stack_frame.frame.index,
        ));
        if frame.instance_number.is_none() || seen.insert(key) {
            stack_frames.push(*stack_frame);
        }
    }
    let repeated = stack.frames.len().saturating_sub(stack_frames.len());
    (stack_frames, repeated)
}

/// Returns what distinguishes an object with several frames: its InstanceNumber (`Ok`) if it has one and the frame has a
/// time, else the index of its file (`Err`). Objects with one volume each may all have the same InstanceNumber.
fn object_key(stack_frame: &StackFrame<'_>, clock: &Clock) -> Result<i64, usize> {
    let timed = clock.time(stack_frame).is_some();
    stack_frame
        .object
        .instance_number
        .filter(|_| timed)
        .ok_or(stack_frame.file)
}

/// Returns a hash of 128 bits in place of a long key: a series may have a hundred thousand keys.
fn digest(key: &impl Hash) -> [u64; 2] {
    [0_u8, 1].map(|half| {
        let mut hasher = DefaultHasher::new();
        (half, key).hash(&mut hasher);
        hasher.finish()
    })
}

/// Returns the position of a frame along a normal in mm; without position or normal, its SliceLocation. None if the
/// position along the normal is beyond [`POSITION_LIMIT`].
fn position_along(stack_frame: &StackFrame<'_>, normal: Option<[f64; 3]>) -> Option<f64> {
    let frame = &stack_frame.frame.attributes;
    match (frame.position, normal) {
        (Some([x, y, z]), Some([a, b, c])) => {
            Some(x * a + y * b + z * c).filter(|position| position.abs() < POSITION_LIMIT)
        }
        _ => frame.slice_location,
    }
}

/// Returns the different positions, ascending; of adjacent ones within the tolerance, only the lowest.
fn distinct(positions: &[f64]) -> Vec<f64> {
    let mut sorted = positions.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup_by(|next, previous| *next - *previous <= TOLERANCE);
    sorted
}

/// Returns the index of the slice whose position is nearest.
fn nearest(slice_positions: &[f64], position: f64) -> usize {
    let after = slice_positions.partition_point(|place| *place < position);
    let before = after.saturating_sub(1);
    let distance = |index: usize| {
        slice_positions
            .get(index)
            .map_or(f64::INFINITY, |place| (place - position).abs())
    };
    if distance(before) <= distance(after) {
        before
    } else {
        after
    }
}
