//! The time between the volumes of an image: the RepetitionTime, if the acquisition times agree with it.

use super::frame_positions::SeriesFrame;
use super::frame_values::{times, values};

/// Limit on the difference between intervals and the RepetitionTime, in seconds: clocks of scanners are rounded, and
/// intervals vary.
const TOLERANCE: f64 = 0.05;

/// Limit on the same difference as a fraction of the RepetitionTime: [`TOLERANCE`] is longer than a RepetitionTime of a
/// few milliseconds.
const FRACTION: f64 = 0.1;

/// Returns the RepetitionTime of an image in seconds, if all its frames have the same one and their acquisition times
/// agree with it; else None. `frames[slice][volume]` are the indices of the frames in `series_frames`.
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
    let acquired = times(series_frames, frames, |frame| frame.acquisition_time)?;
    let mut intervals: Vec<f64> = acquired
        .iter()
        .flat_map(|row| row.iter().zip(row.iter().skip(1)))
        .map(|(before, after)| after - before)
        .collect();
    intervals.sort_by(f64::total_cmp);
    let seconds = repetition_time / 1e3;
    let agrees =
        || median_agrees(&intervals, seconds) || times_repeat(&acquired, &intervals, seconds);
    (is_constant && seconds > 0.0 && agrees()).then_some(seconds)
}

/// Returns whether the median of the sorted intervals between volumes agrees with the RepetitionTime `seconds`, and no
/// interval is shorter by more than the tolerance. Shorter intervals occur in triggered scans, whose volumes have no
/// constant interval.
fn median_agrees(intervals: &[f64], seconds: f64) -> bool {
    let tolerance = TOLERANCE.min(FRACTION * seconds);
    let median = intervals.get(intervals.len() / 2);
    intervals.first() >= Some(&(seconds - tolerance)) && median <= Some(&(seconds + tolerance))
}

/// Returns whether consecutive volumes share some acquisition times, and all times fit volumes that start every `seconds`.
/// Examples are times without their seconds, and pairs of control and label with one time (Philips).
/// `acquired[slice][volume]` are the times, and `intervals` the sorted differences between one volume and the next.
fn times_repeat(acquired: &[Vec<f64>], intervals: &[f64], seconds: f64) -> bool {
    // The smallest interval above 0 shows the resolution of the times.
    let Some(resolution) = intervals.iter().find(|interval| **interval > 0.0) else {
        return false;
    };
    let is_regular = |row: &Vec<f64>| {
        let (Some(first), Some(last)) = (row.first(), row.last()) else {
            return false;
        };
        let mut expected = *first;
        let mut all_agree = last - first >= 2.0 * resolution;
        for time in row {
            all_agree &= (time - expected).abs() < *resolution;
            expected += seconds;
        }
        all_agree
    };
    intervals.first() == Some(&0.0) && acquired.iter().all(is_regular)
}
