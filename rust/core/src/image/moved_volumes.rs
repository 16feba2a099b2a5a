//! Volumes that match their image except for a movement of the whole volume. Scanners with prospective motion
//! correction write such volumes.

use std::collections::BTreeMap;

use super::frame_positions::{CandidateSlice, FramePositions, MAX_DISTANCE, SeriesFrame};
use super::grid::{Grid, Location, Plane, add_scaled, angle, dot, minus, norm};

/// Largest movement that a scanner follows, mm.
const MAX_MOVEMENT: f64 = 8.0;
/// Largest rotation that a scanner follows, rad.
const MAX_ROTATION: f64 = 0.15;
/// The slices of one volume have the same direction within this angle, rad.
const MAX_ANGLE: f64 = 1e-3;
/// With fewer slices, a movement cannot be distinguished from an error.
const MIN_SLICES: usize = 3;

/// Returns a number or time of a frame that may distinguish the volumes of a series.
type Key = fn(&SeriesFrame<'_>) -> Option<i64>;

/// The keys that are tried: the file (of objects with several frames), numbers, and times in ms.
#[allow(
    clippy::cast_possible_truncation,
    reason = "milliseconds of some thousand years"
)]
const KEYS: [Key; 5] = [
    |series_frame| match series_frame.object.frames.len() {
        0 | 1 => None,
        _ => i64::try_from(series_frame.file).ok(),
    },
    |series_frame| series_frame.frame.attributes.temporal_position,
    |series_frame| series_frame.frame.attributes.acquisition_number,
    |series_frame| {
        series_frame
            .frame
            .attributes
            .acquisition_time
            .map(|time| (time * 1e3) as i64)
    },
    |series_frame| {
        series_frame
            .frame
            .attributes
            .content_time
            .map(|time| (time * 1e3) as i64)
    },
];

/// Assigns unmatched volumes to their image if they are moved copies of its grid, and records their number and movement.
/// Divides the series into volumes by the key with which most frames can be assigned.
pub(super) fn assign_moved_volumes(
    series_frames: &[SeriesFrame<'_>],
    grids: &[Option<Grid>],
    frame_positions: &mut FramePositions,
) {
    let best = KEYS
        .iter()
        .filter_map(|key| partition(series_frames, *key))
        .map(|volumes| moved_copies(series_frames, &volumes, grids, frame_positions))
        .max_by_key(|volumes| {
            volumes
                .iter()
                .map(|volume| volume.frames.len())
                .sum::<usize>()
        });
    for volume in best.unwrap_or_default() {
        frame_positions.moved_volumes.count = frame_positions.moved_volumes.count.saturating_add(1);
        frame_positions.moved_volumes.largest_movement = frame_positions
            .moved_volumes
            .largest_movement
            .max(volume.distance);
        for (index, slices) in volume.frames {
            frame_positions
                .misplaced_frames
                .retain(|(misplaced, _)| *misplaced != index);
            if let Some(slot) = frame_positions.candidates.get_mut(index) {
                *slot = slices;
            }
        }
    }
}

/// Returns the frames of each volume, those with the same key, component, image type and echo time; None if a frame has
/// no key, or if there is one volume.
fn partition(series_frames: &[SeriesFrame<'_>], key: Key) -> Option<Vec<Vec<usize>>> {
    let mut volumes: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, series_frame) in series_frames.iter().enumerate() {
        let attributes = &series_frame.frame.attributes;
        let echo = attributes.echo_time.map(f64::to_bits);
        volumes
            .entry((
                key(series_frame)?,
                attributes.component,
                attributes.image_type_hash,
                echo,
            ))
            .or_default()
            .push(index);
    }
    (volumes.len() > 1).then(|| volumes.into_values().collect())
}

/// A volume that is a moved copy of images.
struct Volume {
    /// Index of each frame, and the slice in each of these images that it is assigned to.
    frames: Vec<(usize, Vec<CandidateSlice>)>,
    /// The largest movement relative to these images, mm.
    distance: f64,
}

/// Returns the volumes with unmatched frames that are moved copies of an image; none if every volume has unmatched
/// frames.
fn moved_copies(
    series_frames: &[SeriesFrame<'_>],
    volumes: &[Vec<usize>],
    grids: &[Option<Grid>],
    frame_positions: &FramePositions,
) -> Vec<Volume> {
    let is_unmatched = |index: &usize| {
        frame_positions
            .candidates
            .get(*index)
            .is_none_or(Vec::is_empty)
    };
    let (unmatched, matched): (Vec<_>, Vec<_>) = volumes
        .iter()
        .partition(|volume| volume.iter().any(is_unmatched));
    if matched.is_empty() {
        return Vec::new();
    }
    unmatched
        .into_iter()
        .filter_map(|volume| locate_volume(series_frames, volume, grids))
        .collect()
}

/// Locates a volume in all images that it is a moved copy of; None if there are none.
fn locate_volume(
    series_frames: &[SeriesFrame<'_>],
    volume: &[usize],
    grids: &[Option<Grid>],
) -> Option<Volume> {
    let mut planes: Vec<(usize, Plane)> = Vec::with_capacity(volume.len());
    for &index in volume {
        planes.push((index, series_frames.get(index)?.plane?));
    }
    let first = planes.first()?.1;
    let normal = first.normal();
    planes.sort_by(|(_, a), (_, b)| dot(a.corner, normal).total_cmp(&dot(b.corner, normal)));
    let parallel = planes
        .iter()
        .all(|(_, plane)| plane.angle(&first) < MAX_ANGLE);
    if planes.len() < MIN_SLICES || !parallel {
        return None;
    }
    let mut frames: Vec<(usize, Vec<CandidateSlice>)> = planes
        .iter()
        .map(|(index, _)| (*index, Vec::new()))
        .collect();
    let mut largest_distance: Option<f64> = None;
    for (image, grid) in grids.iter().enumerate() {
        let Some((distance, locations)) = grid
            .as_ref()
            .and_then(|grid| movement(&planes, normal, grid))
        else {
            continue;
        };
        largest_distance = Some(largest_distance.unwrap_or(0.0).max(distance));
        for ((_, slices), location) in frames.iter_mut().zip(locations) {
            slices.push(CandidateSlice { image, location });
        }
    }
    Some(Volume {
        frames,
        distance: largest_distance?,
    })
}

/// Returns how far a volume moved relative to an image's grid (mm), and the location of each frame in the image; None
/// if the volume is no moved copy of the grid. The planes are sorted along `normal`.
fn movement(
    planes: &[(usize, Plane)],
    normal: [f64; 3],
    grid: &Grid,
) -> Option<(f64, Vec<Location>)> {
    let first = &planes.first()?.1;
    let axis_map = grid.axis_map(first)?;
    let [across, down, deep] = axis_map.axes;
    let count = grid.axis_size(deep);
    if usize::try_from(count).ok()? != planes.len() {
        return None;
    }
    let step = norm(grid.step(deep));
    let same_extent = |axis: usize, spacing: f64, size: u32| {
        (norm(grid.step(axis)) - spacing).abs() * f64::from(size) < MAX_DISTANCE
    };
    let ([x, y], [columns, rows]) = (first.spacing, first.size);
    if !same_extent(across, x, columns) || !same_extent(down, y, rows) {
        return None;
    }
    let forward = dot(normal, grid.step(deep)) > 0.0;
    let mut locations = Vec::with_capacity(planes.len());
    let mut largest_distance: f64 = 0.0;
    for (rank, (_, plane)) in planes.iter().enumerate() {
        let rank = u32::try_from(rank).ok()?;
        let expected = add_scaled(first.centre(), f64::from(rank) * step, normal);
        if norm(minus(plane.centre(), expected)) > MAX_DISTANCE {
            return None;
        }
        let slice = if forward { rank } else { count - 1 - rank };
        let distance = norm(minus(
            plane.centre(),
            grid.point(&axis_map, slice, [0.5, 0.5]),
        ));
        largest_distance = largest_distance.max(distance);
        locations.push(Location {
            axis_map,
            slice,
            distance,
            corner_distance: distance,
        });
    }
    let sign = if forward { 1.0 } else { -1.0 };
    let rotation = angle(first.normal(), grid.step(deep).map(|part| part * sign));
    // A slab that continues the image at its end is another part of the body.
    let half = step * f64::from(count) / 2.0;
    let bound = MAX_MOVEMENT.min(half);
    (largest_distance <= bound && rotation <= MAX_ROTATION).then_some((largest_distance, locations))
}
