//! Series in which only some headers have the date of acquisition.

use super::midnight::{DAY, span};
use super::object::Object;

/// Makes the acquisition times of a series comparable if only some headers have a date: the other frames get this date. If
/// there are several dates, no time keeps its date.
pub(super) fn complete_dates(objects: &mut [Object]) {
    let mut times: Vec<&mut f64> = objects
        .iter_mut()
        .flat_map(|object| &mut object.frames)
        .filter_map(|frame| frame.attributes.acquisition_time.as_mut())
        .collect();
    let (dated, undated): (Vec<f64>, Vec<f64>) = times
        .iter()
        .map(|time| **time)
        .partition(|time| *time >= DAY);
    let Some((low, high)) = span(dated.into_iter()) else {
        return;
    };
    if undated.is_empty() {
        return;
    }
    let first_date = (low / DAY).floor() * DAY;
    let is_one_date = high < first_date + DAY;
    for time in &mut times {
        let is_dated = **time >= DAY;
        if is_one_date && !is_dated {
            **time += first_date;
        } else if !is_one_date && is_dated {
            **time %= DAY;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY, complete_dates};
    use crate::frames::{Frame, Object};

    /// Returns the acquisition times of frames of one object after [`complete_dates`].
    fn completed(times: &[f64]) -> Vec<f64> {
        let frames = times.iter().map(|time| {
            let mut frame = Frame::default();
            frame.attributes.acquisition_time = Some(*time);
            frame
        });
        let mut objects = [Object {
            frames: frames.collect(),
            ..Object::default()
        }];
        complete_dates(&mut objects);
        let frames = objects.iter().flat_map(|object| &object.frames);
        frames
            .filter_map(|frame| frame.attributes.acquisition_time)
            .collect()
    }

    #[test]
    fn times_without_a_date_get_that_of_the_others() {
        let date = 738_000.0 * DAY;
        assert_eq!(completed(&[date + 5.0, 7.0]), [date + 5.0, date + 7.0]);
        assert_eq!(completed(&[5.0, 7.0]), [5.0, 7.0]);
        let dated = [date + 5.0, date + DAY + 7.0];
        assert_eq!(completed(&dated), dated);
    }

    #[test]
    fn times_have_no_date_if_there_are_several_and_some_have_none() {
        let date = 738_000.0 * DAY;
        let times = [date + 80_000.0, date + DAY + 7.0, 9.0];
        assert_eq!(completed(&times), [80_000.0, 7.0, 9.0]);
    }
}
