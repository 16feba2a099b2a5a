//! What was scanned in a series: stacks of slices, their volumes (complete or not) and acquisition times.
//!
//! A stack contains the frames of one contrast (echo, component, derived or not) in parallel planes of one size. Its
//! slices are the positions along its normal; a volume has one frame at each position.

mod clock;
mod count;
mod keys;
mod moved;
mod slices;
mod split;
mod times;

pub use count::VolumeCounts;
pub use times::Intervals;

use std::collections::BTreeSet;

use crate::frames::{Pixels, Series};
use clock::Clock;

/// The frames of one contrast in parallel planes.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Echo time, ms.
    pub echo_time: Option<f64>,
    /// Component of complex images: `M`, `P`, `R`, `I`; empty if the header has none or a mixed one.
    pub component: &'static str,
    /// Whether ImageType or FrameType says that the frames are derived.
    pub is_derived: bool,
    /// Rows and columns of a frame; of a tile for mosaics.
    pub size: (u32, u32),
    /// Direction cosines of a row and of a column.
    pub orientation: Option<[f64; 6]>,
    /// Distances between rows and between columns, mm.
    pub spacing: Option<[f64; 2]>,
    /// Number of frames without duplicates.
    pub frames: usize,
    /// Number of frames that repeat another frame in every distinguishing value, such as position, numbers and times.
    /// Frames without InstanceNumber do not count.
    pub duplicate_frames: usize,
    /// Positions of the slices along the normal in mm, ascending; those of the first volume if volumes moved. Empty if the
    /// position of a frame is unknown.
    pub slice_positions: Vec<f64>,
    /// Counts of the volumes.
    pub volumes: VolumeCounts,
    /// Intervals between consecutive volumes.
    pub intervals: Intervals,
    /// b-values (s/mm2) with the number of their volumes, ascending.
    pub b_values: Vec<(f64, usize)>,
    /// Number of different gradient directions.
    pub direction_count: usize,
}

/// All stacks of a series.
#[derive(Debug, Clone, Default)]
pub struct AcquiredStacks {
    /// The stack with the most frames first.
    pub stacks: Vec<Stack>,
    /// First and last acquisition time: seconds since 1 March of the year 0, or since midnight if no date is known.
    pub first_and_last_time: Option<(f64, f64)>,
    /// The different echo times of the stacks in ms, ascending.
    pub echo_times: Vec<f64>,
    /// Number of missing mosaics: gaps between the InstanceNumbers of the others.
    pub missing_mosaics: usize,
}

/// Returns what was scanned in a series.
pub fn acquired_stacks(series: &Series) -> AcquiredStacks {
    let clock = Clock::new(series);
    let mut stacks: Vec<Stack> = split::split_into_stacks(series)
        .iter()
        .map(|stack_frames| stack(stack_frames, &clock))
        .collect();
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.frames));
    let mut echo_times: Vec<f64> = stacks.iter().filter_map(|stack| stack.echo_time).collect();
    echo_times.sort_by(f64::total_cmp);
    echo_times.dedup();
    AcquiredStacks {
        stacks,
        first_and_last_time: clock.first_and_last_time(),
        echo_times,
        missing_mosaics: missing_mosaics(series),
    }
}

/// Returns the number of missing mosaics; 0 if an image is not a mosaic, if a mosaic has no InstanceNumber or that of another
/// one, or if more numbers are missing than exist.
fn missing_mosaics(series: &Series) -> usize {
    let images = series
        .objects
        .iter()
        .filter(|object| object.pixels != Pixels::Absent);
    let numbers: Option<Vec<i64>> = images
        .map(|object| object.tiling.and(object.instance_number))
        .collect();
    let numbers = numbers.unwrap_or_default();
    let different: BTreeSet<&i64> = numbers.iter().collect();
    if different.len() == numbers.len() {
        keys::missing_count(&numbers)
    } else {
        0
    }
}

fn stack(stack_frames: &split::StackFrames<'_>, clock: &Clock) -> Stack {
    let placed_frames = slices::assign_slices(stack_frames, clock);
    let (volumes, assignment) = count::assign_volumes(&placed_frames, clock);
    let first = stack_frames.frames.first();
    let attributes = first.map(|stack_frame| &stack_frame.frame.attributes);
    let (b_values, directions) = count::diffusion(&placed_frames, &assignment);
    Stack {
        echo_time: attributes.and_then(|attributes| attributes.echo_time),
        component: stack_frames.component,
        is_derived: attributes.is_some_and(|attributes| attributes.is_derived),
        size: first.map_or((0, 0), |stack_frame| {
            (
                stack_frame.object.frame_rows(),
                stack_frame.object.frame_columns(),
            )
        }),
        orientation: attributes.and_then(|attributes| attributes.orientation),
        spacing: attributes.and_then(|attributes| attributes.spacing),
        frames: placed_frames.stack_frames.len(),
        duplicate_frames: placed_frames.duplicates,
        intervals: times::intervals(&placed_frames, &assignment, clock),
        slice_positions: placed_frames.slice_positions,
        volumes,
        b_values,
        direction_count: directions,
    }
}
