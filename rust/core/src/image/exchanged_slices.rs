//! Slices that belong to another volume of their image by an element of the headers.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::frame_positions::SeriesFrame;
use super::frame_values::{are_frame_numbers, times, values};
use super::volume_labels::volume_labels;
use super::volume_ranks::{have_equal_values, volume_ranks};
use crate::frames::Attributes;

/// The name of an element (or of two), and a function that returns its number or time in a frame.
type NumberKey = (&'static str, fn(&Attributes) -> Option<f64>);

#[allow(clippy::cast_precision_loss, reason = "numbers of volumes")]
const NUMBERS: [NumberKey; 5] = [
    (
        "TemporalPositionIndex or TemporalPositionIdentifier",
        |frame| frame.temporal_position.map(|number| number as f64),
    ),
    ("AcquisitionNumber", |frame| {
        frame.acquisition_number.map(|number| number as f64)
    }),
    ("TriggerTime", |frame| frame.trigger_time),
    (
        "TemporalPositionTimeOffset or dynamic scan begin time",
        |frame| frame.time_offset,
    ),
    ("FrameReferenceTime", |frame| frame.frame_reference_time),
];

const TIMES: [NumberKey; 2] = [
    ("AcquisitionTime", |frame| frame.acquisition_time),
    ("ContentTime or FrameReferenceDateTime", |frame| {
        frame.content_time
    }),
];

/// Returns the first volume with a slice that belongs to another volume, and the name of the element that says so.
/// `frames[slice][volume]` are the indices of its frames in `series_frames`. None if a slice has no frame.
///
/// Only an element that gives the volumes of all slices counts: at each slice no value occurs twice, and the lowest
/// values of all slices are lower than all second lowest ones, and so on. Elements that only label the volumes, without an
/// order ([`volume_labels`]), count if no other element gives the volumes of all slices. Numbers of volumes also count as
/// [`scattered_slices`] says. Frames for which `is_distinct` is false are not compared: they may be assigned to any volume,
/// because other frames have their values, or because their values were not read.
pub(super) fn exchanged_slices(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
    is_distinct: &dyn Fn(usize) -> bool,
) -> Option<(usize, &'static str)> {
    let volumes = frames.first().map_or(0, Vec::len);
    if volumes < 2 || frames.len() < 2 || frames.iter().flatten().any(Option::is_none) {
        return None;
    }
    let is_compared = |slice: usize, volume: usize| {
        let index = frames.get(slice).and_then(|row| *row.get(volume)?);
        index.is_some_and(is_distinct)
    };
    let mut any_ranks = false;
    let mut exchanged = |(name, ranks): (&'static str, Option<Vec<Vec<usize>>>)| {
        any_ranks |= ranks.is_some();
        Some((first_exchanged_volume(&ranks?, &is_compared)?, name))
    };
    let indices = [false, true].map(|with_file| {
        let ranks = volume_indices(series_frames, frames, with_file)
            .filter(|rows| have_equal_values(rows))
            .and_then(|rows| volume_ranks(&rows, Ord::cmp));
        ("DimensionIndexValues", ranks)
    });
    let numbers = NUMBERS.map(|(name, key)| (name, values(series_frames, frames, key)));
    let times = TIMES.map(|(name, key)| (name, times(series_frames, frames, key)));
    let numbers = numbers.map(|(name, rows)| (name, rows.filter(|rows| !are_frame_numbers(rows))));
    let ranked = numbers.into_iter().chain(times).map(|(name, rows)| {
        (
            name,
            rows.and_then(|rows| volume_ranks(&rows, f64::total_cmp)),
        )
    });
    let found = indices.into_iter().chain(ranked).find_map(&mut exchanged);
    let found = found.or_else(|| scattered_slices(series_frames, frames, &is_compared));
    if found.is_some() || any_ranks {
        return found;
    }
    volume_labels(series_frames, frames).find_map(|(name, rows)| {
        let ranks = volume_ranks(&rows, Ord::cmp)?;
        Some((first_exchanged_volume(&ranks, &is_compared)?, name))
    })
}

/// Returns the first volume that [`first_scattered_volume`] or, for temporal positions, [`first_mixed_volume`] finds, and the
/// name of the element. Slices were lost, so that the slices behind them moved into other volumes.
fn scattered_slices(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
    is_compared: &dyn Fn(usize, usize) -> bool,
) -> Option<(usize, &'static str)> {
    // Only the first two are numbers of volumes: volumes may share a time.
    for (index, (name, key)) in NUMBERS.iter().take(2).enumerate() {
        let Some(rows) =
            values(series_frames, frames, *key).filter(|rows| !are_frame_numbers(rows))
        else {
            continue;
        };
        let is_temporal_position = index == 0;
        let scattered = first_scattered_volume(&rows, f64::total_cmp, is_compared);
        let volume = scattered.or_else(|| {
            is_temporal_position
                .then(|| first_mixed_volume(&rows, is_compared))
                .flatten()
        });
        if let Some(volume) = volume {
            return Some((volume, name));
        }
        // All slices of a volume have its number.
        if volume_ranks(&rows, f64::total_cmp).is_some() {
            return None;
        }
    }
    let rows = volume_indices(series_frames, frames, true)?;
    let volume = first_scattered_volume(&rows, Ord::cmp, is_compared)?;
    Some((volume, "DimensionIndexValues"))
}

/// Returns the first volume with a value that a slice of an earlier volume has. `rows[slice][volume]` are the values of the
/// slices. None unless the values rise from volume to volume at each slice: other values do not number the volumes.
fn first_scattered_volume<T>(
    rows: &[Vec<T>],
    compare: impl Fn(&T, &T) -> Ordering,
    is_compared: &dyn Fn(usize, usize) -> bool,
) -> Option<usize> {
    let rise = |row: &Vec<T>| {
        let mut pairs = row.iter().zip(row.iter().skip(1));
        pairs.all(|(value, next)| compare(value, next).is_lt())
    };
    if !rows.iter().all(rise) {
        return None;
    }
    let mut values: Vec<(&T, usize)> = Vec::new();
    for (slice, row) in rows.iter().enumerate() {
        let compared = row.iter().enumerate();
        let compared = compared.filter(|(volume, _)| is_compared(slice, *volume));
        values.extend(compared.map(|(volume, value)| (value, volume)));
    }
    values.sort_by(|(one, volume), (other, other_volume)| {
        compare(one, other).then(volume.cmp(other_volume))
    });
    let pairs = values.iter().zip(values.iter().skip(1));
    let scattered = pairs.filter(|((one, volume), (other, other_volume))| {
        volume != other_volume && compare(one, other).is_eq()
    });
    scattered.map(|(_, (_, volume))| *volume).min()
}

/// Returns whether a slice belongs to another volume ([`exchanged_slices`]), if the n-th frame of each place is taken as
/// a slice of volume n. `places` has the place of each frame. False if the places have different numbers of frames.
pub(super) fn has_exchanged_frames(frames: &[SeriesFrame<'_>], places: &[Option<i64>]) -> bool {
    let mut at_places: BTreeMap<Option<i64>, Vec<Option<usize>>> = BTreeMap::new();
    for (index, place) in places.iter().enumerate() {
        at_places.entry(*place).or_default().push(Some(index));
    }
    let rows: Vec<Vec<Option<usize>>> = at_places.into_values().collect();
    let volumes = rows.first().map_or(0, Vec::len);
    rows.iter().all(|row| row.len() == volumes)
        && exchanged_slices(frames, &rows, &|_| true).is_some()
}

/// Returns the first volume that has a compared slice with another rank than its first compared slice.
/// `ranks[slice][volume]` are the ranks.
fn first_exchanged_volume(
    ranks: &[Vec<usize>],
    is_compared: &dyn Fn(usize, usize) -> bool,
) -> Option<usize> {
    let volumes = ranks.first()?.len();
    (0..volumes).find(|&volume| {
        let mut compared = ranks
            .iter()
            .enumerate()
            .filter(|(slice, _)| is_compared(*slice, volume))
            .map(|(_, row)| row.get(volume));
        let first = compared.next();
        compared.any(|rank| Some(rank) != first)
    })
}

/// Returns the first volume whose slices have several temporal positions, although all slices of another volume have one.
/// None unless the positions rise from volume to volume at each slice.
fn first_mixed_volume(
    rows: &[Vec<f64>],
    is_compared: &dyn Fn(usize, usize) -> bool,
) -> Option<usize> {
    if !rows
        .iter()
        .all(|row| row.is_sorted_by(|one, next| one < next))
    {
        return None;
    }
    let volumes = rows.first()?.len();
    let is_mixed = |volume: usize| {
        let rows = rows.iter().enumerate();
        let mut compared = rows.filter(|(slice, _)| is_compared(*slice, volume));
        let first = compared.next().and_then(|(_, row)| row.get(volume));
        compared.any(|(_, row)| row.get(volume) != first)
    };
    let has_one_value = |volume: usize| {
        let first = rows.first().and_then(|row| row.get(volume));
        rows.iter().all(|row| row.get(volume) == first)
    };
    (0..volumes)
        .find(|volume| is_mixed(*volume))
        .filter(|_| (0..volumes).any(has_one_value))
}

/// Returns DimensionIndexValues of each frame, `[slice][volume]`, without the indices of places: those that are equal in
/// all volumes at each slice. `with_file` puts the index of the file before them. None if a frame has none, or if their
/// counts differ.
pub(super) fn volume_indices(
    series_frames: &[SeriesFrame<'_>],
    frames: &[Vec<Option<usize>>],
    with_file: bool,
) -> Option<Vec<Vec<Vec<u32>>>> {
    let mut rows: Vec<Vec<Vec<u32>>> = Vec::with_capacity(frames.len());
    for slice in frames {
        let mut row = Vec::with_capacity(slice.len());
        for index in slice {
            let series_frame = series_frames.get((*index)?)?;
            let indices = &series_frame.frame.attributes.dimension_indices;
            if indices.is_empty() {
                return None;
            }
            let file = u32::try_from(series_frame.file).ok().filter(|_| with_file);
            row.push(file.into_iter().chain(indices.iter().copied()).collect());
        }
        rows.push(row);
    }
    let count = rows.first()?.first()?.len();
    if rows.iter().flatten().any(|indices| indices.len() != count) {
        return None;
    }
    let varying: Vec<bool> = (0..count)
        .map(|dimension| {
            rows.iter().any(|row| {
                let first = row.first().and_then(|indices| indices.get(dimension));
                row.iter().any(|indices| indices.get(dimension) != first)
            })
        })
        .collect();
    for indices in rows.iter_mut().flatten() {
        let mut keep = varying.iter();
        indices.retain(|_| keep.next() == Some(&true));
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use super::{first_exchanged_volume, first_mixed_volume, first_scattered_volume, volume_ranks};

    fn mixed(rows: &[Vec<i32>]) -> Option<usize> {
        first_exchanged_volume(&volume_ranks(rows, i32::cmp)?, &|_, _| true)
    }

    #[test]
    fn only_values_that_give_the_volumes_of_all_slices_count() {
        assert_eq!(mixed(&[vec![1, 2], vec![1, 2]]), None);
        assert_eq!(mixed(&[vec![2, 1], vec![2, 1]]), None);
        assert_eq!(mixed(&[vec![10, 20, 30], vec![11, 31, 21]]), Some(1));
        // A value of the first rank is as high as one of the second rank.
        assert_eq!(mixed(&[vec![1, 2], vec![3, 2]]), None);
        assert_eq!(mixed(&[vec![1, 1], vec![1, 1]]), None);
    }

    #[test]
    fn equal_numbers_in_different_volumes_count_if_numbers_rise() {
        let scattered = |rows: &[Vec<i32>]| first_scattered_volume(rows, i32::cmp, &|_, _| true);
        assert_eq!(scattered(&[vec![1, 2, 3], vec![1, 3, 4]]), Some(2));
        assert_eq!(scattered(&[vec![1, 2], vec![1, 2]]), None);
        // Numbers of groups of slices.
        assert_eq!(scattered(&[vec![1, 3], vec![2, 4]]), None);
        assert_eq!(scattered(&[vec![1, 1], vec![2, 2]]), None);
        assert_eq!(scattered(&[vec![1, 2, 3], vec![3, 1, 2]]), None);
    }

    #[test]
    fn several_temporal_positions_count_if_another_volume_has_one() {
        let first = |rows: &[Vec<f64>]| first_mixed_volume(rows, &|_, _| true);
        assert_eq!(first(&[vec![1.0, 2.0], vec![1.0, 3.0]]), Some(1));
        assert_eq!(first(&[vec![1.0, 3.0], vec![2.0, 4.0]]), None);
        assert_eq!(first(&[vec![1.0, 1.0], vec![1.0, 2.0]]), None);
    }

    #[test]
    fn slices_that_other_frames_may_show_are_not_compared() {
        let ranks = [vec![0, 1], vec![1, 0]];
        assert_eq!(first_exchanged_volume(&ranks, &|slice, _| slice == 0), None);
    }
}
