//! Acquisition times, also across midnight.

use super::split::StackFrame;
use crate::frames::{Pixels, Series};

const DAY: f64 = 86_400.0;

/// Acquisition times that increase across midnight, even if all headers have the date on which the series started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    /// First and last time in seconds; None if no frame has a time.
    span: Option<(f64, f64)>,
    /// Times before this limit (in seconds) belong to the next day; None if the times in the headers already increase.
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
                .filter_map(|frame| frame.attributes.acquired)
        };
        let bounds = |times: &mut dyn Iterator<Item = f64>| {
            times.fold(None, |span: Option<(f64, f64)>, time| {
                let (low, high) = span.unwrap_or((time, time));
                Some((low.min(time), high.max(time)))
            })
        };
        let span = bounds(&mut times());
        let next_day_limit = span
            .filter(|(low, high)| (DAY / 2.0..DAY).contains(&(high - low)))
            .map(|(low, _)| low + DAY / 2.0);
        let clock = Self {
            span,
            next_day_limit,
        };
        let span = bounds(&mut times().map(|time| clock.continuous(time)));
        Self {
            span,
            next_day_limit,
        }
    }

    /// Returns a time that increases across midnight.
    fn continuous(&self, time: f64) -> f64 {
        match self.next_day_limit {
            Some(limit) if time < limit => time + DAY,
            _ => time,
        }
    }

    /// Returns the acquisition time of a frame in seconds; None if its header has none.
    pub(super) fn time(&self, stack_frame: &StackFrame<'_>) -> Option<f64> {
        stack_frame
            .frame
            .attributes
            .acquired
            .map(|time| self.continuous(time))
    }

    /// Returns the first and the last acquisition time in seconds.
    pub(super) fn span(&self) -> Option<(f64, f64)> {
        self.span
    }
}

/// Returns the bits of a number, to compare it for equality.
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
