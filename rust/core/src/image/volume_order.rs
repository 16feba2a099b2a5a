//! Whether the volumes of an image are in the order of a time or number in the headers.

use std::collections::BTreeMap;

use super::exchanged_slices::volume_indices;
use super::frame_positions::SeriesFrame;
use super::frame_values::{are_frame_numbers, times, values};
use super::volume_labels::has_labelled_volumes;
use crate::frames::{Attributes, span};

/// Numbers and times that may order the volumes of a series.
const KEYS: [fn(&Attributes) -> Option<f64>; 6] = [
    |frame| frame.temporal_position.map(as_float),
    |frame| frame.acquisition_number.map(as_float),
    |frame| frame.acquisition_time,
    |frame| frame.content_time,
    |frame| frame.trigger_time,
    |frame| frame.instance_number.map(as_float),
];

/// Times of volumes: one counts only if all slices of a volume have the same one, and each volume another one.
const VOLUME_TIMES: [fn(&Attributes) -> Option<f64>; 2] = [
    |frame| frame.time_offset,
    |frame| frame.frame_reference_time,
];

/// Indices in [`KEYS`]. The keys up to `ACQUISITION_NUMBER` are numbers of volumes.
const TEMPORAL_POSITION: usize = 0;
const ACQUISITION_NUMBER: usize = 1;
const ACQUISITION_TIME: usize = 2;
const CONTENT_TIME: usize = 3;
const INSTANCE_NUMBER: usize = 5;

#[allow(clippy::cast_precision_loss, reason = "numbers of volumes and frames")]
fn as_float(number: i64) -> f64 {
    number as f64
}

/// The order of the volumes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VolumeOrder {
    /// The order was not checked: one volume, a slice without a frame, or a b-value above 0 (unless the headers contain
    /// the gradient directions only along frequency, phase and slice encoding).
    #[default]
    NotCompared,
    /// In the order of at least one time or number in the headers.
    Right,
    /// In the order of no time or number in the headers, against temporal positions, acquisition times or times of volumes
    /// that prove the order, or with a temporal position, acquisition number or time that repeats only at some slices.
    Wrong,
    /// No time or number in the headers distinguishes the volumes, or they are only in the order of InstanceNumbers (in an
    /// object with several frames, numbers of frames), and these count neither volume by volume nor place by place.
    /// Numbers of frames do not count if several enhanced objects have the same InstanceNumber and place in a concatenation.
    Undetermined,
}

/// Returns whether the volumes of an image are in the order of some header element at every slice.
/// `frames[slice][volume]` are the indices of its frames in `series_frames`.
pub(super) fn volume_order(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
) -> VolumeOrder {
    if frames.iter().flatten().any(Option::is_none) {
        return VolumeOrder::NotCompared;
    }
    let mut any_distinguishes = false;
    for (index, key) in KEYS.iter().enumerate() {
        if index == INSTANCE_NUMBER {
            match order_of_volumes(series_frames, frames) {
                Some(true) => return VolumeOrder::Right,
                Some(false) => return VolumeOrder::Wrong,
                None if have_common_numbers(series_frames, frames) => continue,
                None => {}
            }
        }
        let rows = if matches!(index, ACQUISITION_TIME | CONTENT_TIME) {
            times(series_frames, frames, *key)
        } else {
            values(series_frames, frames, *key)
        };
        let Some(rows) = rows else {
            continue;
        };
        // An element that gives an order of time has another value in the last volume than in the first.
        let ends_differ = rows.iter().any(|row| row.first() != row.last());
        if !ends_differ {
            continue;
        }
        let is_only = !any_distinguishes;
        any_distinguishes = true;
        if index == ACQUISITION_NUMBER && are_frame_numbers(&rows) {
            continue;
        }
        if index == INSTANCE_NUMBER
            && is_only
            && lowest_rise(&rows)
            && has_labelled_volumes(series_frames, frames)
        {
            return VolumeOrder::Right;
        }
        if must_differ_at_all_slices(index, &rows) && repeats_at_some_slices(&rows) {
            return VolumeOrder::Wrong;
        }
        if index == INSTANCE_NUMBER && rises(&rows) && !is_regular(&rows) {
            return VolumeOrder::Undetermined;
        }
        let ascending = rises(&rows);
        // Temporal positions count only if all slices of a volume have the same one.
        let is_consistent =
            index != TEMPORAL_POSITION || rows.iter().all(|row| Some(row) == rows.first());
        if ascending && is_consistent {
            return VolumeOrder::Right;
        }
        // Times that rise only as times of the day: the volumes after midnight are the first ones.
        let is_by_time_of_day = index == ACQUISITION_TIME
            && values(series_frames, frames, *key).is_some_and(|rows| rises(&rows));
        if contradicts(index, &rows) || is_by_time_of_day {
            return VolumeOrder::Wrong;
        }
    }
    if any_distinguishes {
        VolumeOrder::Wrong
    } else {
        VolumeOrder::Undetermined
    }
}

/// Returns whether volumes whose values of a key differ at one slice must differ at every slice: the key is a number of
/// volumes, or an acquisition time that is not cut to whole seconds.
fn must_differ_at_all_slices(key: usize, rows: &[Vec<f64>]) -> bool {
    key <= ACQUISITION_NUMBER
        || (key == ACQUISITION_TIME && rows.iter().flatten().any(|time| time.fract() != 0.0))
}

/// Returns whether the values of a key, `[slice][volume]`, differ in all volumes at one slice, but repeat at another one.
/// At that one, the image shows a frame of one volume twice, and no frame of another volume.
fn repeats_at_some_slices(rows: &[Vec<f64>]) -> bool {
    let all_differ = |row: &Vec<f64>| {
        let mut sorted = row.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.windows(2).all(|pair| pair.first() != pair.last())
    };
    rows.iter().any(all_differ) && !rows.iter().all(all_differ)
}

/// Returns whether DimensionIndexValues, times of volumes or ImageIndex of PET give the order of the volumes, and this is
/// the order of the image. None if none of them gives it.
fn order_of_volumes(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
) -> Option<bool> {
    let by_time = || {
        VOLUME_TIMES
            .iter()
            .find_map(|key| rises_by_volume(&values(series_frames, frames, *key)?))
    };
    let by_image_index = || {
        let rows = values(series_frames, frames, |frame| {
            frame.image_index.map(as_float)
        })?;
        (rises(&rows) && is_regular(&rows)).then_some(true)
    };
    rises_by_dimension(series_frames, frames)
        .or_else(by_time)
        .or_else(by_image_index)
}

/// Returns whether times, `[slice][volume]`, rise from volume to volume. None if they are not the same at all slices, or
/// if they repeat.
fn rises_by_volume(rows: &[Vec<f64>]) -> Option<bool> {
    let first = rows.first()?;
    let mut sorted = first.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    let all_differ = sorted.windows(2).all(|pair| pair.first() != pair.last());
    (all_differ && rows.iter().all(|row| row == first)).then(|| sorted == *first)
}

/// Returns whether an image shows frames of several objects at the same place in their series: their frames have the same
/// numbers, which say nothing about the order.
fn have_common_numbers(series_frames: &[SeriesFrame<'_>], frames: &[Vec<Option<usize>>]) -> bool {
    let mut files = BTreeMap::new();
    frames.iter().flatten().flatten().any(|index| {
        let series_frame = series_frames.get(*index);
        series_frame.is_some_and(|series_frame| {
            series_frame.object.place().is_some_and(|place| {
                *files.entry(place).or_insert(series_frame.file) != series_frame.file
            })
        })
    })
}

/// Returns whether the lowest number of each volume, `[slice][volume]`, rises from volume to volume.
fn lowest_rise(rows: &[Vec<f64>]) -> bool {
    let mut lowest: Vec<f64> = rows.first().cloned().unwrap_or_default();
    for row in rows {
        for (low, number) in lowest.iter_mut().zip(row) {
            *low = low.min(*number);
        }
    }
    lowest.windows(2).all(|pair| pair.first() < pair.last())
}

/// Returns whether DimensionIndexValues rise from volume to volume. None if they are not the same at all slices, if they
/// repeat, or if several indices differ and do not rise: then the first of them need not be the first one in time.
fn rises_by_dimension(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
) -> Option<bool> {
    let rows = volume_indices(series_frames, frames, false)?;
    let first = rows.first()?;
    if rows.iter().any(|row| row != first) {
        return None;
    }
    let mut sorted = first.clone();
    sorted.sort_unstable();
    let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
    let all_differ = pairs.all(|(one, next)| one != next);
    let is_single = first.iter().all(|indices| indices.len() == 1);
    let rises = sorted == *first;
    (all_differ && (rises || is_single)).then_some(rises)
}

/// Returns whether instance numbers, `[slice][volume]`, count the slices volume by volume, or the volumes place by place.
/// In another order they do not say which slices belong to one volume.
fn is_regular(rows: &[Vec<f64>]) -> bool {
    let volumes = rows.first().map_or(0, Vec::len);
    let columns: Vec<Vec<f64>> = (0..volumes)
        .map(|volume| {
            rows.iter()
                .filter_map(|row| row.get(volume).copied())
                .collect()
        })
        .collect();
    are_separate(&columns) || are_separate(rows)
}

/// Returns whether the ranges of groups of numbers do not overlap.
fn are_separate(groups: &[Vec<f64>]) -> bool {
    let mut ranges: Vec<[f64; 2]> = groups
        .iter()
        .filter_map(|group| span(group.iter().copied()))
        .map(|(low, high)| [low, high])
        .collect();
    ranges.sort_by(|[low, _], [other, _]| low.total_cmp(other));
    ranges
        .iter()
        .zip(ranges.iter().skip(1))
        .all(|([_, high], [low, _])| high < low)
}

/// Returns whether the values of each slice, `[slice][volume]`, never fall from one volume to the next.
fn rises(rows: &[Vec<f64>]) -> bool {
    rows.iter()
        .all(|row| row.iter().zip(row.iter().skip(1)).all(|(a, b)| a <= b))
}

/// Returns whether the values of a key prove a wrong order; if so, later keys such as InstanceNumber are not tried. `key`
/// is an index in [`KEYS`], and `rows` are values that are not in order, `[slice][volume]`.
///
/// Temporal positions prove it if each volume has a different one, the same in all slices. Acquisition times prove it if
/// each volume was acquired before its predecessor.
fn contradicts(key: usize, rows: &[Vec<f64>]) -> bool {
    let descends = |row: &Vec<f64>| row.iter().zip(row.iter().skip(1)).all(|(a, b)| a > b);
    match key {
        TEMPORAL_POSITION => rows.first().is_some_and(|first| {
            let mut descending = first.clone();
            descending.sort_by(|a, b| b.total_cmp(a));
            descends(&descending) && rows.iter().all(|row| row == first)
        }),
        ACQUISITION_TIME => rows.iter().all(descends),
        _ => false,
    }
}
