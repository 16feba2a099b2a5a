//! Frames that repeat another frame in values and headers.

use std::collections::HashMap;
use std::path::PathBuf;

use super::frame_positions::SeriesFrame;
use super::report::RepeatedFrame;
use crate::frames::{Attributes, FileError, PixelReader, StoredValues};
use crate::regular;

/// Positions within this distance (mm) are the same.
const SAME_POSITION: f64 = 0.05;
/// A frame is compared with at most this many other frames of the same values.
const MAX_COMPARED: usize = 8;

/// Place of a frame in tenths of a millimetre.
type Place = [i64; 3];

/// Returns the frames that repeat another frame: same values, position, times and numbers, except for the number of the
/// frame or the InstanceNumber. They are copies, so that number does not prove to which volume they belong.
///
/// Frames whose compared values are all equal, such as empty slices, do not count, nor frames whose values are not read.
/// A series may repeat whole volumes: if more than half of the places, without those of empty slices, have copies in
/// other objects, such copies do not count.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub(super) fn repeated_frames(
    series_frames: &[SeriesFrame<'_>],
    files: &[PathBuf],
) -> Result<Vec<RepeatedFrame>, FileError> {
    let mut same_values: HashMap<u64, Vec<&SeriesFrame<'_>>> = HashMap::new();
    // Whether the copies at a place count; None if it has none.
    let mut copies_at: HashMap<Place, Option<bool>> = HashMap::new();
    let mut repeated_frames = Vec::new();
    for series_frame in series_frames {
        let attributes = &series_frame.frame.attributes;
        let Some((values_hash, position)) = series_frame.frame.values_hash.zip(attributes.position)
        else {
            continue;
        };
        let copies = copies_at.entry(place(position)).or_default();
        let others = same_values.entry(values_hash).or_default();
        let other = others
            .iter()
            .rev()
            .take(MAX_COMPARED)
            .find(|other| repeats(attributes, &other.frame.attributes));
        if let Some(other) = other {
            let is_counted = !is_uniform(series_frame, files)?;
            if other.file != series_frame.file {
                *copies = Some(is_counted || *copies == Some(true));
            }
            if is_counted {
                repeated_frames.push(RepeatedFrame {
                    file: series_frame.file,
                    frame: series_frame.frame.index,
                    other_file: other.file,
                    other_frame: other.frame.index,
                });
            }
        }
        others.push(series_frame);
    }
    let places_with = |copies| copies_at.values().filter(|known| **known == copies).count();
    if places_with(Some(true)) > places_with(None) {
        repeated_frames.retain(|repeated| repeated.file == repeated.other_file);
    }
    Ok(repeated_frames)
}

#[allow(clippy::cast_possible_truncation, reason = "of some metres at most")]
fn place(position: [f64; 3]) -> Place {
    position.map(|part| (part * 10.0).round() as i64)
}

/// Returns whether two frames have the same position, up to [`SAME_POSITION`], and the same other attributes except for
/// the InstanceNumber.
fn repeats(one: &Attributes, other: &Attributes) -> bool {
    let Some((position, other_position)) = one.position.zip(other.position) else {
        return false;
    };
    let is_near = position
        .iter()
        .zip(other_position)
        .all(|(part, other)| (part - other).abs() <= SAME_POSITION);
    let mut same = other.clone();
    (same.instance_number, same.position) = (one.instance_number, one.position);
    is_near && same == *one
}

/// Returns whether all compared values of a frame are equal.
fn is_uniform(series_frame: &SeriesFrame<'_>, files: &[PathBuf]) -> Result<bool, FileError> {
    let Some(path) = files.get(series_frame.file) else {
        return Ok(true);
    };
    let values = regular::open(path)
        .and_then(|file| {
            PixelReader::default().read(&file, series_frame.object, series_frame.frame.index)
        })
        .map_err(|error| (path.clone(), error))?;
    Ok(match values {
        StoredValues::Integers(values) => values.iter().all(|value| Some(value) == values.first()),
        StoredValues::Floats(_) => true,
    })
}
