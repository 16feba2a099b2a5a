//! The time between the volumes of an image, where the headers prove it.

use super::places::SeriesFrame;
use super::volume_order::{times, values};

/// Times that differ by at most this (in seconds) agree: clocks of scanners are rounded, and intervals vary.
const TOLERANCE: f64 = 0.05;

/// Returns the RepetitionTime in seconds of the frames of an image, `frames[slice][volume]`, if all frames have the same
/// one, and the median interval of their acquisition times agrees with it.
pub(super) fn time_step(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
) -> Option<f64> {
    let repetition_times = values(series_frames, frames, |frame| frame.repetition_time)?;
    let repetition_time = *repetition_times.first()?.first()?;
    #[allow(clippy::float_cmp, reason = "numbers of the headers")]
    let is_constant = repetition_times
        .iter()
        .flatten()
        .all(|other| *other == repetition_time);
    let acquired = times(series_frames, frames, |frame| frame.acquired)?;
    let mut intervals: Vec<f64> = acquired
        .iter()
        .flat_map(|row| row.iter().zip(row.iter().skip(1)))
        .map(|(before, after)| after - before)
        .collect();
    intervals.sort_by(f64::total_cmp);
    let median = *intervals.get(intervals.len() / 2)?;
    let seconds = repetition_time / 1e3;
    (is_constant && seconds > 0.0 && (median - seconds).abs() <= TOLERANCE).then_some(seconds)
}
