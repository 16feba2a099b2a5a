//! Whether frames whose values cannot be compared are in an order that converters follow.

use std::collections::{BTreeMap, BTreeSet};

use super::exchanged_slices::has_exchanged_frames;
use super::frame_positions::SeriesFrame;
use super::grid::{Plane, dot};
use super::mixed_volume::have_same_weighting;
use super::unreadable_frames::kind_of;
use crate::frames::{Object, comparison_obstacle};

/// Returns the number of frames whose values cannot be compared and whose order is irregular. In a series of classic
/// objects, which have one frame each, the order of all frames counts. Other series are regular only if all frames belong to
/// one object and are of one kind, in a regular order: dcm2niix 1.0.20260724 mixes echoes and components, and writes other
/// bytes of its memory into the images of the second and later objects.
///
/// `series_frames` are in the order of their InstanceNumbers, in which converters store classic objects.
pub(super) fn frames_of_irregular_order(
    objects: &[Object],
    series_frames: &[SeriesFrame<'_>],
) -> usize {
    let not_comparable = objects
        .iter()
        .filter(|object| !object.frames.is_empty() && comparison_obstacle(object).is_some())
        .count();
    if not_comparable == 0 {
        return 0;
    }
    if objects.iter().all(|object| object.frames.len() <= 1) {
        return if is_regular_series(series_frames) {
            0
        } else {
            not_comparable
        };
    }
    let mut frames = series_frames.to_vec();
    frames.sort_by_key(|series_frame| (series_frame.file, series_frame.frame.index));
    if is_one_object_of_one_kind(&frames) && !is_shuffled(&frames) {
        return 0;
    }
    let is_obscure = |frame: &&SeriesFrame<'_>| comparison_obstacle(frame.object).is_some();
    frames.iter().filter(is_obscure).count()
}

/// Returns whether all frames belong to one object, and would belong to one image.
fn is_one_object_of_one_kind(frames: &[SeriesFrame<'_>]) -> bool {
    let of = |frame: &SeriesFrame<'_>| (frame.file, kind_of(&frame.frame.attributes));
    frames
        .windows(2)
        .all(|pair| pair.first().map(of) == pair.last().map(of))
}

/// Returns whether the frames of each kind of image are in a regular order. Frames of one kind have the same component,
/// image type, echo time, flip angle and slice direction. A kind with frames whose values can be compared counts as
/// regular: they show the order.
fn is_regular_series(series_frames: &[SeriesFrame<'_>]) -> bool {
    let mut kinds: BTreeMap<_, Vec<&SeriesFrame<'_>>> = BTreeMap::new();
    for series_frame in series_frames {
        let attributes = &series_frame.frame.attributes;
        let bits = |value: Option<f64>| value.map(f64::to_bits);
        let kind = (
            attributes.component,
            attributes.image_type_hash,
            bits(attributes.echo_time),
            bits(attributes.flip_angle),
            series_frame.plane.map(|plane| normal_of(&plane)),
        );
        kinds.entry(kind).or_default().push(series_frame);
    }
    kinds.values().all(|frames| {
        frames
            .iter()
            .any(|frame| comparison_obstacle(frame.object).is_none())
            || is_regular(frames)
    })
}

/// Returns whether all frames have different InstanceNumbers and follow each other volume by volume or place by place, each
/// volume has one diffusion weighting, and no header says that a frame belongs to another volume. A place is a position
/// along the normal. Returns true for a single volume, and for incomplete volumes, which other checks report.
fn is_regular(frames: &[&SeriesFrame<'_>]) -> bool {
    let places: Vec<Option<i64>> = frames
        .iter()
        .map(|series_frame| series_frame.plane.map(|plane| place_of(&plane)))
        .collect();
    let place_count = places.iter().collect::<BTreeSet<_>>().len().max(1);
    if frames.len() <= place_count || frames.len() % place_count != 0 {
        return true;
    }
    let numbers = frames
        .iter()
        .map(|frame| frame.frame.attributes.instance_number);
    if numbers.collect::<BTreeSet<_>>().len() < frames.len() {
        return false;
    }
    let volume_count = frames.len() / place_count;
    let by_volume = are_equal_volumes(&places, place_count);
    let runs: Vec<_> = places.chunks(volume_count).collect();
    let first_places: Vec<_> = runs.iter().filter_map(|run| run.first()).collect();
    let by_place = runs
        .iter()
        .all(|run| run.iter().all(|place| Some(place) == run.first()))
        && is_monotonic(&first_places);
    let frame = |volume: usize, place: usize| {
        let index = if by_volume {
            volume * place_count + place
        } else {
            place * volume_count + volume
        };
        frames.get(index).map(|frame| &frame.frame.attributes)
    };
    let has_one_weighting = |volume: usize| {
        (1..place_count).all(|place| {
            frame(volume, 0)
                .zip(frame(volume, place))
                .is_none_or(|(first, other)| have_same_weighting(first, other))
        })
    };
    let frames: Vec<SeriesFrame<'_>> = frames.iter().map(|frame| **frame).collect();
    (by_volume || by_place)
        && (0..volume_count).all(has_one_weighting)
        && !has_exchanged_frames(&frames, &places)
}

/// Returns whether converters may misplace the `frames` of one object, which are in this order. They do not if the frames
/// follow each other volume by volume, the slices of all volumes have the same ascending or descending positions, and no
/// header says that a slice has another place in its volume or belongs to another volume. Descending positions are
/// right only if converters sort the slices (see [`are_sorted_by_converters`]).
fn is_shuffled(frames: &[SeriesFrame<'_>]) -> bool {
    let places: Vec<Option<i64>> = frames
        .iter()
        .map(|series_frame| Some(place_of(&series_frame.plane?)))
        .collect();
    let different: BTreeSet<_> = places.iter().flatten().collect();
    let count = different.len().max(1);
    let is_ascending = places.chunks(count).all(<[_]>::is_sorted);
    !are_equal_volumes(&places, count)
        || !(is_ascending || are_sorted_by_converters(frames))
        || has_other_slice_order(frames, count)
        || has_exchanged_frames(frames, &places)
}

/// Returns whether converters sort the slices of an object by its dimensions. They write the frames of other objects in
/// their order, but with the geometry of ascending slices.
fn are_sorted_by_converters(frames: &[SeriesFrame<'_>]) -> bool {
    frames.iter().all(|series_frame| {
        !series_frame.object.keeps_frame_order
            && !series_frame.frame.attributes.dimension_indices.is_empty()
    })
}

/// Returns whether InStackPositionNumber falls from one frame of a stack to the next in a volume of `count` slices, in an
/// object whose slices converters sort by it: they place the sorted slices as if these were in the order of the frames.
fn has_other_slice_order(frames: &[SeriesFrame<'_>], count: usize) -> bool {
    frames.chunks(count).any(|volume| {
        let mut pairs = volume.iter().zip(volume.iter().skip(1));
        pairs.any(|(frame, next)| {
            let (one, next) = (&frame.frame.attributes, &next.frame.attributes);
            !frame.object.keeps_frame_order
                && !one.dimension_indices.is_empty()
                && one.stack_id_hash == next.stack_id_hash
                && one.in_stack_position > next.in_stack_position
        })
    })
}

/// Returns whether all volumes of `count` slices have the same places, in the same ascending or descending
/// order.
fn are_equal_volumes(places: &[Option<i64>], count: usize) -> bool {
    let volumes: Vec<_> = places.chunks(count).collect();
    volumes.iter().all(|volume| is_monotonic(volume))
        && volumes.iter().all(|volume| Some(volume) == volumes.first())
}

/// Returns whether places are in ascending or descending order.
fn is_monotonic<T: PartialOrd>(places: &[T]) -> bool {
    places.is_sorted() || places.iter().rev().is_sorted()
}

/// Returns the place of a plane along its normal, in hundredths of a millimetre.
#[allow(clippy::cast_possible_truncation, reason = "of some metres at most")]
fn place_of(plane: &Plane) -> i64 {
    (dot(plane.corner, plane.normal()) * 100.0).round() as i64
}

/// Returns the normal of a plane, in hundredths.
#[allow(clippy::cast_possible_truncation, reason = "a unit vector")]
fn normal_of(plane: &Plane) -> [i64; 3] {
    plane.normal().map(|part| (part * 100.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::{Plane, SeriesFrame, frames_of_irregular_order};
    use crate::frames::{Frame, Object, Pixels};

    #[test]
    fn an_object_without_frames_does_not_count() {
        let compressed = Object {
            pixels: Pixels::Unreadable,
            frames: vec![Frame::default()],
            ..Object::default()
        };
        let objects = [compressed.clone(), compressed, Object::default()];
        let series_frames: Vec<SeriesFrame<'_>> = objects
            .iter()
            .enumerate()
            .flat_map(|(file, object)| {
                object.frames.iter().map(move |frame| SeriesFrame {
                    object,
                    frame,
                    file,
                    plane: None,
                })
            })
            .collect();
        // The frames have no numbers, so their order is irregular.
        assert_eq!(frames_of_irregular_order(&objects, &series_frames), 2);
    }

    /// Returns a compressed object of slices with these places and InStackPositionNumbers.
    fn compressed(places_and_numbers: &[(i32, i64)], keeps_frame_order: bool) -> Object {
        let frames = places_and_numbers.iter().zip(0..);
        let frames = frames.map(|((place, number), index)| {
            let mut frame = Frame {
                index,
                ..Frame::default()
            };
            let attributes = &mut frame.attributes;
            attributes.position = Some([0.0, 0.0, f64::from(*place)]);
            attributes.orientation = Some([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
            attributes.spacing = Some([1.0, 1.0]);
            attributes.in_stack_position = Some(*number);
            attributes.dimension_indices = vec![1, 1];
            frame
        });
        Object {
            pixels: Pixels::Unreadable,
            frames: frames.collect(),
            keeps_frame_order,
            ..Object::default()
        }
    }

    /// Returns the number of frames of irregular order in these objects.
    fn irregular_in(objects: &[Object]) -> usize {
        let mut series_frames = Vec::new();
        for (file, object) in objects.iter().enumerate() {
            series_frames.extend(object.frames.iter().map(|frame| SeriesFrame {
                object,
                frame,
                file,
                plane: Plane::of(&frame.attributes, 4, 4),
            }));
        }
        frames_of_irregular_order(objects, &series_frames)
    }

    fn irregular(places_and_numbers: [(i32, i64); 3], keeps_frame_order: bool) -> usize {
        irregular_in(&[compressed(&places_and_numbers, keeps_frame_order)])
    }

    #[test]
    fn frames_of_several_objects_or_kinds_are_irregular() {
        let object = compressed(&[(0, 1), (1, 2), (2, 3)], false);
        assert_eq!(irregular_in(std::slice::from_ref(&object)), 0);
        assert_eq!(irregular_in(&[object.clone(), Object::default()]), 0);
        assert_eq!(irregular_in(&[object.clone(), object]), 6);
        let mut echoes = compressed(&[(0, 1), (1, 2), (0, 1), (1, 2)], false);
        assert_eq!(irregular_in(std::slice::from_ref(&echoes)), 0);
        for frame in echoes.frames.iter_mut().skip(2) {
            frame.attributes.echo_time = Some(30.0);
        }
        assert_eq!(irregular_in(&[echoes]), 4);
    }

    #[test]
    fn frames_against_the_order_of_their_stack_are_irregular() {
        let against = [(0, 3), (1, 2), (2, 1)];
        assert_eq!(irregular(against, false), 3);
        assert_eq!(irregular(against, true), 0);
        assert_eq!(irregular([(0, 1), (1, 2), (2, 3)], false), 0);
    }

    #[test]
    fn descending_frames_are_irregular_if_converters_do_not_sort_them() {
        let descending = [(2, 1), (1, 2), (0, 3)];
        assert_eq!(irregular(descending, false), 0);
        assert_eq!(irregular(descending, true), 3);
    }
}
