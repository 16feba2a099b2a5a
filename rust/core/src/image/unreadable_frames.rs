//! Assigns frames whose values cannot be read to the slices of images, by their headers.

use super::frame_positions::{CandidateSlice, SeriesFrame};
use super::frames_at_position::FramesAtPosition;
use super::matches::Matches;
use crate::frames::{Attributes, Component};

/// What the frames of one image have in common: echo time in µs, component, and a hash of ImageType.
pub(super) type Kind = (Option<i64>, Component, u64);

/// Assigns frames with unreadable values, in their order, to the slices in `unmatched` (candidate and volume), and removes
/// these slices from it. The slices are those of one image, so they get frames of one kind if one has enough frames.
pub(super) fn assign_unreadable_frames(
    series_frames: &[SeriesFrame<'_>],
    unmatched: &mut Vec<(&CandidateSlice, u32)>,
    frames: &mut FramesAtPosition,
    matches: &mut Matches,
) {
    let kinds = unreadable_kinds(series_frames, frames);
    let enough = kinds.iter().find(|(_, at)| at.len() >= unmatched.len());
    let chosen = enough.map_or_else(
        || {
            let mut at: Vec<usize> = kinds.iter().flat_map(|(_, at)| at).copied().collect();
            at.sort_unstable();
            at
        },
        |(_, at)| at.clone(),
    );
    let mut chosen = chosen.into_iter();
    unmatched.retain(|(candidate, volume)| {
        let at = chosen.next();
        if let Some(at) = at {
            matches.set_frame(candidate, *volume, frames.assign(at));
        }
        at.is_none()
    });
}

/// Returns the kinds of the unassigned frames with unreadable values, each with the indices of its frames in the lists of
/// `frames`. The kinds are in the order in which converters name their images: by echo, and magnitude before imaginary
/// part, phase and real part; else in the order of their first frames.
fn unreadable_kinds(
    series_frames: &[SeriesFrame<'_>],
    frames: &FramesAtPosition,
) -> Vec<(Kind, Vec<usize>)> {
    let mut kinds: Vec<(Kind, Vec<usize>)> = Vec::new();
    let flags = frames.is_assigned.iter().zip(&frames.is_readable);
    for (at, (index, (is_assigned, is_readable))) in frames.indices.iter().zip(flags).enumerate() {
        let Some(frame) = series_frames.get(*index) else {
            continue;
        };
        if *is_assigned || *is_readable {
            continue;
        }
        let kind = kind_of(&frame.frame.attributes);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, at_kind)) => at_kind.push(at),
            None => kinds.push((kind, vec![at])),
        }
    }
    kinds.sort_by_key(|((echo_time, component, _), _)| {
        let rank = match component {
            Component::Imaginary => 1,
            Component::Phase => 2,
            Component::Real => 3,
            _ => 0,
        };
        (*echo_time, rank)
    });
    kinds
}

#[allow(clippy::cast_possible_truncation, reason = "an echo time in µs")]
pub(super) fn kind_of(attributes: &Attributes) -> Kind {
    let echo_time = attributes.echo_time;
    (
        echo_time.map(|time| (time * 1e3).round() as i64),
        attributes.component,
        attributes.image_type_hash,
    )
}

#[cfg(test)]
mod tests {
    use super::{FramesAtPosition, SeriesFrame, unreadable_kinds};
    use crate::frames::{Component, Frame, Object};

    #[test]
    fn frames_are_grouped_as_converters_name_their_images() {
        let object = Object::default();
        let kinds = [
            (30.0, Component::Magnitude),
            (12.0, Component::Phase),
            (12.0, Component::Magnitude),
            (30.0, Component::Magnitude),
            (12.0, Component::Phase),
            (12.0, Component::Magnitude),
        ];
        let frames = kinds.map(|(echo_time, component)| {
            let mut frame = Frame::default();
            frame.attributes.echo_time = Some(echo_time);
            frame.attributes.component = component;
            frame
        });
        let series_frames: Vec<SeriesFrame<'_>> = frames
            .iter()
            .map(|frame| SeriesFrame {
                object: &object,
                frame,
                file: 0,
                plane: None,
            })
            .collect();
        let at_position = FramesAtPosition::new(vec![false; 6], (0..6).collect());
        let groups = unreadable_kinds(&series_frames, &at_position);
        let groups: Vec<Vec<usize>> = groups.into_iter().map(|(_, at)| at).collect();
        assert_eq!(groups, [vec![2, 5], vec![1, 4], vec![0, 3]]);
    }
}
