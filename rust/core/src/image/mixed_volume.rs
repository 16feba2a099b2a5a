//! Volumes that mix slices of different diffusion weighting.

use std::collections::HashMap;
use std::f64::consts::PI;

use super::frame_positions::SeriesFrame;
use super::gradient::{direction, encoding_direction};
use super::grid::{angle, norm};
use crate::frames::Attributes;

/// Accepted difference of b-values: this (s/mm2), or [`B_FRACTION`] of the larger b-value if that is more.
const B_TOLERANCE: f64 = 1.0;
/// Accepted relative difference of b-values.
const B_FRACTION: f64 = 0.01;
/// Accepted angle between gradient directions, rad.
const ANGLE_TOLERANCE: f64 = 0.04;
/// Directions are compared only above this b-value (s/mm2).
const MIN_WEIGHTED_B: f64 = 50.0;
/// Shorter vectors are no directions.
const MIN_LENGTH: f64 = 0.1;

/// Finds the frames of a series whose values no other frame has.
pub(super) struct DistinctFrames<'s> {
    series_frames: &'s [SeriesFrame<'s>],
    /// How many frames have the values with this hash.
    counts: HashMap<u64, usize>,
}

impl<'s> DistinctFrames<'s> {
    /// Counts the frames of a series by their values.
    pub(super) fn new(series_frames: &'s [SeriesFrame<'s>]) -> Self {
        let mut counts = HashMap::new();
        for values_hash in series_frames
            .iter()
            .filter_map(|frame| frame.frame.values_hash)
        {
            *counts.entry(values_hash).or_default() += 1;
        }
        Self {
            series_frames,
            counts,
        }
    }

    /// Returns the index of the first volume of an image whose slices have different b-values or gradient directions.
    /// The frames of the image are `frames[slice][volume]`.
    ///
    /// Frames with equal values are not compared, nor frames whose values are not read: any of them may be assigned to
    /// a slice.
    pub(super) fn mixed_volume(&self, frames: &[Vec<Option<usize>>]) -> Option<usize> {
        let volumes = frames.iter().map(Vec::len).max().unwrap_or(0);
        (0..volumes).find(|&volume| {
            let mut slices = frames.iter().filter_map(|row| self.distinct(row, volume));
            let first = slices.next();
            first.is_some_and(|first| slices.any(|other| !have_same_weighting(first, other)))
        })
    }

    /// Returns the attributes of the frame that a slice shows in a volume, if no other frame has its values. `row` has
    /// the frames of this slice in all volumes.
    fn distinct(&self, row: &[Option<usize>], volume: usize) -> Option<&'s Attributes> {
        let index = (*row.get(volume)?)?;
        let frame = self.series_frames.get(index)?.frame;
        self.is_distinct(index).then_some(&frame.attributes)
    }

    /// Returns whether the values of a frame were read, and no other frame has them.
    pub(super) fn is_distinct(&self, index: usize) -> bool {
        let frame = self
            .series_frames
            .get(index)
            .map(|series_frame| series_frame.frame);
        let hash = frame.and_then(|frame| frame.values_hash);
        hash.and_then(|hash| self.counts.get(&hash)) == Some(&1)
    }
}

/// Returns whether two frames have the same diffusion weighting, as far as their headers have one. A direction and its
/// opposite are the same.
pub(super) fn have_same_weighting(one: &Attributes, other: &Attributes) -> bool {
    let Some((b_value, other_b_value)) = b_value(one).zip(b_value(other)) else {
        return true;
    };
    let highest = b_value.max(other_b_value);
    if (b_value - other_b_value).abs() > B_TOLERANCE.max(B_FRACTION * highest) {
        return false;
    }
    let any_direction = |frame| direction(frame).or_else(|| encoding_direction(frame));
    match any_direction(one).zip(any_direction(other)) {
        Some((a, b)) if highest > MIN_WEIGHTED_B && norm(a).min(norm(b)) > MIN_LENGTH => {
            let between = angle(a, b);
            between.min(PI - between) <= ANGLE_TOLERANCE
        }
        _ => true,
    }
}

/// Returns the b-value of a frame in s/mm2. For classic GE, this is `second_b_value`: the b-value of the scan,
/// multiplied by the squared length of the frame's gradient.
fn b_value(frame: &Attributes) -> Option<f64> {
    let diffusion = &frame.diffusion;
    if diffusion.encoding_direction.is_some() {
        diffusion.second_b_value.or(diffusion.b_value)
    } else {
        diffusion.b_value.or(diffusion.second_b_value)
    }
}

#[cfg(test)]
mod tests {
    use super::have_same_weighting;
    use crate::frames::Attributes;

    fn weighted(b_value: Option<f64>, direction: Option<[f64; 3]>) -> Attributes {
        let mut frame = Attributes::default();
        (frame.diffusion.b_value, frame.diffusion.direction) = (b_value, direction);
        frame
    }

    #[test]
    fn the_slices_of_a_volume_have_one_weighting() {
        let (x, y) = (Some([1.0, 0.0, 0.0]), Some([0.0, 1.0, 0.0]));
        let first = weighted(Some(1000.0), x);
        for same in [
            weighted(Some(1000.5), x),
            weighted(Some(1000.0), Some([-1.0, 0.01, 0.0])),
            weighted(Some(1000.0), None),
            weighted(None, y),
        ] {
            assert!(have_same_weighting(&first, &same));
        }
        assert!(!have_same_weighting(&first, &weighted(Some(1000.0), y)));
        assert!(!have_same_weighting(&first, &weighted(Some(0.0), None)));
        let low = weighted(Some(5.0), x);
        assert!(have_same_weighting(&low, &weighted(Some(5.0), y)));
    }
}
