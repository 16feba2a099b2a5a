//! The time between the volumes of an image, where the headers prove it.

use super::places::SeriesFrame;
use super::volume_order::{times, values};

/// Times that differ by at most this (in seconds) agree: clocks of scanners are rounded, and intervals vary.
const TOLERANCE: f64 = 0.05;

/// Times that differ by at most this fraction agree: a RepetitionTime of some milliseconds is not the time of a volume.
const FRACTION: f64 = 0.1;

/// Returns the RepetitionTime in seconds of the frames of an image, `frames[slice][volume]`, if all frames have the same
/// one, and their acquisition times agree with it.
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
        || have_median(&intervals, seconds) || repeat_times(&acquired, &intervals, seconds);
    (is_constant && seconds > 0.0 && agrees()).then_some(seconds)
}

/// Returns whether the median of the sorted intervals is a time between volumes. A scan with shorter intervals is
/// triggered, and has no such time.
fn have_median(intervals: &[f64], seconds: f64) -> bool {
    let tolerance = TOLERANCE.min(FRACTION * seconds);
    let median = intervals.get(intervals.len() / 2);
    intervals.first() >= Some(&(seconds - tolerance)) && median <= Some(&(seconds + tolerance))
}

/// Returns whether several volumes have the same acquisition time, and all times, `[slice][volume]`, are those of volumes
/// with this time between them: times that are cut to minutes, or pairs of control and label with one time (Philips).
/// `intervals` are the sorted times between volumes.
fn repeat_times(acquired: &[Vec<f64>], intervals: &[f64], seconds: f64) -> bool {
    let Some(unit) = intervals.iter().find(|interval| **interval > 0.0) else {
        return false;
    };
    let is_regular = |row: &Vec<f64>| {
        let (Some(first), Some(last)) = (row.first(), row.last()) else {
            return false;
        };
        let mut expected = *first;
        let mut all_agree = last - first >= 2.0 * unit;
        for time in row {
            all_agree &= (time - expected).abs() < *unit;
            expected += seconds;
        }
        all_agree
    };
    intervals.first() == Some(&0.0) && acquired.iter().all(is_regular)
}
