//! Assigns the frames of a series to the slices of its images by geometry alone.

use std::collections::HashMap;

use super::grid::{Grid, Plane};
use super::moved_volumes::assign_moved_volumes;
use super::places::{CandidateSlice, MAX_DISTANCE, Member, Places};

/// Directions of slices that differ by less than this (rad) are jitter: the slices belong to one stack.
const JITTER: f64 = 0.01;

/// Assigns each member to slices of the images.
pub(super) fn find_places(members: &[Member<'_>], grids: &[Option<Grid>]) -> Places {
    let mut places = Places::default();
    let mut known: HashMap<[u64; 12], (Vec<CandidateSlice>, f64, f64)> = HashMap::new();
    for (index, member) in members.iter().enumerate() {
        let Some(plane) = &member.plane else {
            places.candidates.push(Vec::new());
            places.without_geometry.push(index);
            continue;
        };
        let (placed, nearest, tilt) = known
            .entry(plane_key(plane))
            .or_insert_with(|| candidates(plane, grids));
        places.candidates.push(placed.clone());
        places.tilt = places.tilt.max(*tilt);
        if placed.is_empty() {
            places.misplaced.push((index, *nearest));
        }
    }
    if !places.misplaced.is_empty() {
        assign_moved_volumes(members, grids, &mut places);
    }
    places
}

/// Returns the bits of a plane's numbers: equal planes have the same candidates.
fn plane_key(plane: &Plane) -> [u64; 12] {
    let [row, column] = plane.axes;
    let mut key = [0; 12];
    let [across, down] = plane.size;
    let numbers = plane.corner.into_iter().chain(row).chain(column);
    for (slot, number) in key.iter_mut().zip(numbers) {
        *slot = number.to_bits();
    }
    let [x, y] = plane.spacing;
    for (slot, number) in key.iter_mut().skip(9).zip([
        x.to_bits(),
        y.to_bits(),
        u64::from(across) << 32 | u64::from(down),
    ]) {
        *slot = number;
    }
    key
}

/// Returns the candidate slices of a plane; the distance of the nearest slice in mm, infinite if no image has the size
/// and directions of the plane; and the largest angle (rad) that was accepted although it moves a corner by more than
/// [`MAX_DISTANCE`].
fn candidates(plane: &Plane, grids: &[Option<Grid>]) -> (Vec<CandidateSlice>, f64, f64) {
    let (mut placed, mut nearest, mut tilt) = (Vec::new(), f64::INFINITY, 0.0_f64);
    for (image, grid) in grids.iter().enumerate() {
        let Some((grid, location)) = grid
            .as_ref()
            .and_then(|grid| Some((grid, grid.locate(plane)?)))
        else {
            continue;
        };
        let angle = grid.angle(plane, &location.axis_map);
        // The angle alone moves the corners by this much; the centre of the slice must match anyway.
        let slack = if angle < JITTER {
            angle * plane.radius()
        } else {
            0.0
        };
        if location.distance <= MAX_DISTANCE && location.corner_distance <= MAX_DISTANCE + slack {
            placed.push(CandidateSlice { image, location });
            if location.corner_distance > MAX_DISTANCE {
                tilt = tilt.max(angle);
            }
        }
        nearest = nearest.min(location.corner_distance);
    }
    (placed, nearest, tilt)
}
