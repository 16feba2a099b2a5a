//! The acquisition times of a series, also of one that continues after midnight.

use super::split::StackFrame;
use crate::frames::{Pixels, Series, continue_after_midnight, next_day_limit, span};

/// Acquisition times that increase across midnight, even if all headers have the date on which the series started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    /// First and last acquisition time in seconds; None if no frame has one.
    first_and_last_time: Option<(f64, f64)>,
    /// Times before this limit (in seconds) belong to the next day; None if no time needs a day more.
    next_day_limit: Option<f64>,
}

impl Clock {
    pub(super) fn new(series: &Series) -> Self {
        let times = || {
            series
                .objects
                .iter()
                .filter(|object| object.pixels != Pixels::Absent)
                .flat_map(|object| &object.frames)
                .filter_map(|frame| frame.attributes.acquisition_time)
        };
        let next_day_limit = next_day_limit(times());
        Self {
            first_and_last_time: span(
                times().map(|time| continue_after_midnight(time, next_day_limit)),
            ),
            next_day_limit,
        }
    }

    /// Returns the acquisition time of a frame in seconds; None if its header has none.
    pub(super) fn time(&self, stack_frame: &StackFrame<'_>) -> Option<f64> {
        stack_frame
            .frame
            .attributes
            .acquisition_time
            .map(|time| continue_after_midnight(time, self.next_day_limit))
    }

    /// Returns the first and the last acquisition time in seconds; None if no frame has one.
    pub(super) fn first_and_last_time(&self) -> Option<(f64, f64)> {
        self.first_and_last_time
    }
}

/// Returns the bits of a number, as an integer that can be hashed and compared.
pub(super) fn bits(value: Option<f64>) -> Option<u64> {
    value.map(f64::to_bits)
}

/// Returns `value` times `scale`, rounded to an integer.
#[allow(
    clippy::cast_possible_truncation,
    reason = "milliseconds of some millennia"
)]
pub(super) fn rounded(value: Option<f64>, scale: f64) -> Option<i64> {
    value.map(|value| (value * scale).round() as i64)
}
