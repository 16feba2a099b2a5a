//! Intervals between consecutive volumes.

use std::collections::BTreeMap;

use super::clock::Clock;
use super::keys::Assignment;
use super::slices::PlacedFrames;
use super::split::StackFrame;

/// Median intervals between consecutive volumes in ms, each from another kind of time. The times of one slice in two volumes are
/// compared. None if a frame lacks this time, if no two volumes are consecutive, or if the median is not positive.
#[derive(Debug, Clone, Copy, Default)]
pub struct Intervals {
    /// From date and time of acquisition.
    pub acquisition_time: Option<f64>,
    /// From TemporalPositionTimeOffset, or the vendor's element.
    pub time_offset: Option<f64>,
    /// From trigger time or trigger delay.
    pub trigger_time: Option<f64>,
}

/// Returns the intervals between the volumes of a stack.
pub(super) fn intervals(
    placed_frames: &PlacedFrames<'_>,
    assignment: &Assignment,
    clock: &Clock,
) -> Intervals {
    let median =
        |time: &dyn Fn(&StackFrame<'_>) -> Option<f64>| interval(placed_frames, assignment, time);
    Intervals {
        acquisition_time: median(&|stack_frame| clock.time(stack_frame).map(|time| time * 1e3)),
        time_offset: median(&|stack_frame| {
            stack_frame
                .frame
                .attributes
                .time_offset
                .map(|time| time * 1e3)
        }),
        trigger_time: median(&|stack_frame| stack_frame.frame.attributes.trigger_time),
    }
}

/// Returns the median interval between consecutive volumes in the unit of `time`; None as for [`Intervals`].
fn interval(
    placed_frames: &PlacedFrames<'_>,
    assignment: &Assignment,
    time: &dyn Fn(&StackFrame<'_>) -> Option<f64>,
) -> Option<f64> {
    let mut slices: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
    for ((stack_frame, slice), volume) in placed_frames
        .stack_frames
        .iter()
        .zip(&placed_frames.slice_indices)
        .zip(&assignment.volume_indices)
    {
        slices
            .entry(*slice)
            .or_default()
            .push((*volume, time(stack_frame)?));
    }
    let mut steps = Vec::new();
    for times in slices.values_mut() {
        times.sort_by_key(|(volume, _)| *volume);
        let next = times.iter().skip(1);
        steps.extend(
            times
                .iter()
                .zip(next)
                .filter(|((before, _), (after, _))| *after == before.saturating_add(1))
                .map(|((_, before), (_, after))| after - before),
        );
    }
    steps.sort_by(f64::total_cmp);
    let middle = steps.get(steps.len() / 2).copied()?;
    (middle > 0.0).then(|| (middle * 1e3).round() / 1e3)
}
