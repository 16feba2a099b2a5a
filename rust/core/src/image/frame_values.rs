//! Numbers and times of the frames of an image, by slice and volume.

use super::frame_positions::SeriesFrame;
use crate::frames::{Attributes, continue_after_midnight, next_day_limit};

/// Returns the time `key` of each frame of `frames` in seconds, `[slice][volume]`; times after midnight continue those
/// before it. None if a frame has no such time.
pub(super) fn times(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
    key: fn(&Attributes) -> Option<f64>,
) -> Option<Vec<Vec<f64>>> {
    let mut rows = values(series_frames, frames, key)?;
    let limit = next_day_limit(rows.iter().flatten().copied());
    for time in rows.iter_mut().flatten() {
        *time = continue_after_midnight(*time, limit);
    }
    Some(rows)
}

/// Returns the number `key` of each frame of `frames`, `[slice][volume]`; None if a frame has no such number.
pub(super) fn values(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
    key: fn(&Attributes) -> Option<f64>,
) -> Option<Vec<Vec<f64>>> {
    let value = |frame: &Option<usize>| key(&series_frames.get((*frame)?)?.frame.attributes);
    frames
        .iter()
        .map(|volumes| volumes.iter().map(value).collect())
        .collect()
}

/// Returns whether numbers, `[slice][volume]`, are numbers of frames, not of volumes: there are several slices, and no
/// number occurs twice.
pub(super) fn are_frame_numbers(rows: &[Vec<f64>]) -> bool {
    let mut numbers: Vec<f64> = rows.iter().flatten().copied().collect();
    numbers.sort_unstable_by(f64::total_cmp);
    rows.len() > 1 && numbers.windows(2).all(|pair| pair.first() != pair.last())
}
