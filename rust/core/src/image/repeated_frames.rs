//! Frames that repeat another frame of their object in values and headers.

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

/// Returns the frames that repeat another frame of their object: same values, position, times and numbers. No header
/// says to which volume they belong.
///
/// Frames whose compared values are all equal, such as empty slices, do not count, nor frames whose values are not read.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub(super) fn repeated_frames(
    series_frames: &[SeriesFrame<'_>],
    files: &[PathBuf],
) -> Result<Vec<RepeatedFrame>, FileError> {
    let mut same_values: HashMap<(usize, u64), Vec<&SeriesFrame<'_>>> = HashMap::new();
    let mut repeated = Vec::new();
    for series_frame in series_frames {
        let Some(signature) = series_frame.frame.signature else {
            continue;
        };
        let others = same_values
            .entry((series_frame.file, signature))
            .or_default();
        let other = others
            .iter()
            .rev()
            .take(MAX_COMPARED)
            .find(|other| repeats(&series_frame.frame.attributes, &other.frame.attributes));
        if let Some(other) = other {
            if !is_uniform(series_frame, files)? {
                repeated.push(RepeatedFrame {
                    file: series_frame.file,
                    frame: series_frame.frame.index,
                    other: other.frame.index,
                });
            }
        }
        others.push(series_frame);
    }
    Ok(repeated)
}

/// Returns whether two frames have the same position and attributes, except for their numbers in the object.
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
