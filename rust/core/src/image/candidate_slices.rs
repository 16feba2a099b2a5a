//! Finds the slices of the images at the position of each frame of a series, by geometry alone.

use std::collections::HashMap;

use super::frame_positions::{CandidateSlice, FramePositions, MAX_DISTANCE, SeriesFrame};
use super::grid::{Grid, Plane};
use super::moved_volumes::assign_moved_volumes;

/// A smaller angle (rad) between a frame and an image is jitter: the frame can be a slice of the image.
const JITTER: f64 = 0.01;

/// Returns the candidate slices of each frame, also of frames of volumes that moved as a whole, and the frames without a
/// candidate.
pub(super) fn locate_frames(
    series_frames: &[SeriesFrame<'_>],
    grids: &[Option<Grid>],
) -> FramePositions {
    let mut frame_positions = FramePositions::default();
    // The results of `candidate_slices` by `plane_key`.
    let mut cache: HashMap<[u64; 12], (Vec<CandidateSlice>, f64, f64)> = HashMap::new();
    for (index, series_frame) in series_frames.iter().enumerate() {
        let Some(plane) = &series_frame.plane else {
            frame_positions.candidates.push(Vec::new());
            frame_positions.frames_without_geometry.push(index);
            continue;
        };
        let (candidates, nearest, tilt) = cache
            .entry(plane_key(plane))
            .or_insert_with(|| candidate_slices(plane, grids));
        frame_positions.candidates.push(candidates.clone());
        frame_positions.largest_tilt = frame_positions.largest_tilt.max(*tilt);
        if candidates.is_empty() {
            frame_positions.misplaced_frames.push((index, *nearest));
        }
    }
    if !frame_positions.misplaced_frames.is_empty() {
        assign_moved_volumes(series_frames, grids, &mut frame_positions);
    }
    frame_positions
}

/// Returns the bits of a plane's numbers: equal planes have the same candidates.
fn plane_key(plane: &Plane) -> [u64; 12] {
    let [row, column] = plane.axes;
    let mut key = [0; 12];
    let [columns, rows] = plane.size;
    let numbers = plane.corner.into_iter().chain(row).chain(column);
    for (slot, number) in key.iter_mut().zip(numbers) {
        *slot = number.to_bits();
    }
    let [x, y] = plane.spacing;
    for (slot, number) in key.iter_mut().skip(9).zip([
        x.to_bits(),
        y.to_bits(),
        u64::from(columns) << 32 | u64::from(rows),
    ]) {
        *slot = number;
    }
    key
}

/// Returns three values:
/// - the candidate slices of a plane;
/// - the corner distance of the nearest slice in mm, infinite if no image has the size and directions of the plane;
/// - the largest angle (rad) that was accepted although it moves a corner by more than [`MAX_DISTANCE`]; 0 without one.
fn candidate_slices(plane: &Plane, grids: &[Option<Grid>]) -> (Vec<CandidateSlice>, f64, f64) {
    let (mut candidates, mut nearest, mut tilt) = (Vec::new(), f64::INFINITY, 0.0_f64);
    for (image, grid) in grids.iter().enumerate() {
        let Some((grid, location)) = grid
            .as_ref()
            .and_then(|grid| Some((grid, grid.locate(plane)?)))
        else {
            continue;
        };
        let angle = grid.angle(plane, &location.axis_map);
        // A small angle alone moves the corners by up to this length, which is accepted. The centre must match.
        let tolerance = if angle < JITTER {
            angle * plane.radius()
        } else {
            0.0
        };
        if location.distance <= MAX_DISTANCE && location.corner_distance <= MAX_DISTANCE + tolerance
        {
            candidates.push(CandidateSlice { image, location });
            if location.corner_distance > MAX_DISTANCE {
                tilt = tilt.max(angle);
            }
        }
        nearest = nearest.min(location.corner_distance);
    }
    (candidates, nearest, tilt)
}
