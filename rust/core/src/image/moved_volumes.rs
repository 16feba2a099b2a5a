//! Volumes that match their image except for a movement of the whole volume. Scanners with prospective motion
//! correction write such volumes.

use std::collections::BTreeMap;

use super::grid::{Grid, Location, Plane, angle, dot, minus, norm, plus};
use super::places::{CandidateSlice, MAX_DISTANCE, Member, Places};

/// Largest movement that a scanner follows, mm.
const MAX_MOVEMENT: f64 = 8.0;
/// Largest rotation that a scanner follows, rad.
const MAX_ROTATION: f64 = 0.15;
/// The slices of one volume have the same direction within this angle, rad.
const MAX_ANGLE: f64 = 1e-3;
/// With fewer slices, a movement cannot be distinguished from an error.
const MIN_SLICES: usize = 3;

/// Numbers and times that may distinguish the volumes of a series.
type Key = fn(&Member<'_>) -> Option<i64>;

#[allow(clippy::cast_possible_truncation, reason = "milliseconds of some days")]
const KEYS: [Key; 5] = [
    |member| match member.object.frames.len() {
        0 | 1 => None,
        _ => i64::try_from(member.file).ok(),
    },
    |member| member.frame.attributes.temporal,
    |member| member.frame.attributes.acquisition,
    |member| {
        member
            .frame
            .attributes
            .acquired
            .map(|time| (time * 1e3) as i64)
    },
    |member| {
        member
            .frame
            .attributes
            .content
            .map(|time| (time * 1e3) as i64)
    },
];

/// Assigns unmatched volumes to their image if they are moved copies of its grid.
pub(super) fn assign_moved_volumes(
    members: &[Member<'_>],
    grids: &[Option<Grid>],
    places: &mut Places,
) {
    let best = KEYS
        .iter()
        .filter_map(|key| partition(members, *key))
        .map(|volumes| moved_copies(members, &volumes, grids, places))
        .max_by_key(|volumes| {
            volumes
                .iter()
                .map(|volume| volume.frames.len())
                .sum::<usize>()
        });
    for volume in best.unwrap_or_default() {
        places.motion.volumes = places.motion.volumes.saturating_add(1);
        places.motion.distance = places.motion.distance.max(volume.distance);
        for (index, placed) in volume.frames {
            places
                .misplaced
                .retain(|(misplaced, _)| *misplaced != index);
            if let Some(slot) = places.candidates.get_mut(index) {
                *slot = placed;
            }
        }
    }
}

/// Returns the members of each volume, by key and contrast; None if a member has no key, or if there is one volume.
fn partition(members: &[Member<'_>], key: Key) -> Option<Vec<Vec<usize>>> {
    let mut volumes: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, member) in members.iter().enumerate() {
        let attributes = &member.frame.attributes;
        let echo = attributes.echo_time.map(f64::to_bits);
        volumes
            .entry((
                key(member)?,
                attributes.component,
                attributes.image_type,
                echo,
            ))
            .or_default()
            .push(index);
    }
    (volumes.len() > 1).then(|| volumes.into_values().collect())
}

/// A volume that is a moved copy of images.
struct Volume {
    /// Index of each member, and its slices.
    frames: Vec<(usize, Vec<CandidateSlice>)>,
    /// The movement, mm.
    distance: f64,
}

/// Returns the volumes with unmatched frames that are moved copies of an image; none if every volume has unmatched
/// frames.
fn moved_copies(
    members: &[Member<'_>],
    volumes: &[Vec<usize>],
    grids: &[Option<Grid>],
    places: &Places,
) -> Vec<Volume> {
    let misplaced = |index: &usize| places.candidates.get(*index).is_none_or(Vec::is_empty);
    let (lost, kept): (Vec<_>, Vec<_>) = volumes
        .iter()
        .partition(|volume| volume.iter().any(misplaced));
    if kept.is_empty() {
        return Vec::new();
    }
    lost.into_iter()
        .filter_map(|volume| place_volume(members, volume, grids))
        .collect()
}

/// Locates a volume in all images that it is a moved copy of; None if there are none.
fn place_volume(
    members: &[Member<'_>],
    volume: &[usize],
    grids: &[Option<Grid>],
) -> Option<Volume> {
    let mut planes: Vec<(usize, Plane)> = Vec::with_capacity(volume.len());
    for &index in volume {
        planes.push((index, members.get(index)?.plane?));
    }
    let first = planes.first()?.1;
    let normal = first.normal();
    planes.sort_by(|(_, a), (_, b)| dot(a.corner, normal).total_cmp(&dot(b.corner, normal)));
    let straight = planes
        .iter()
        .all(|(_, plane)| plane.angle(&first) < MAX_ANGLE);
    if planes.len() < MIN_SLICES || !straight {
        return None;
    }
    let mut frames: Vec<(usize, Vec<CandidateSlice>)> = planes
        .iter()
        .map(|(index, _)| (*index, Vec::new()))
        .collect();
    let mut furthest: Option<f64> = None;
    for (image, grid) in grids.iter().enumerate() {
        let Some((distance, locations)) = grid
            .as_ref()
            .and_then(|grid| movement(&planes, normal, grid))
        else {
            continue;
        };
        furthest = Some(furthest.unwrap_or(0.0).max(distance));
        for ((_, placed), location) in frames.iter_mut().zip(locations) {
            placed.push(CandidateSlice { image, location });
        }
    }
    Some(Volume {
        frames,
        distance: furthest?,
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
    let alike = |axis: usize, spacing: f64, size: u32| {
        (norm(grid.step(axis)) - spacing).abs() * f64::from(size) < MAX_DISTANCE
    };
    let ([x, y], [columns, rows]) = (first.spacing, first.size);
    if !alike(across, x, columns) || !alike(down, y, rows) {
        return None;
    }
    let forward = dot(normal, grid.step(deep)) > 0.0;
    let mut locations = Vec::with_capacity(planes.len());
    let mut furthest: f64 = 0.0;
    for (rank, (_, plane)) in planes.iter().enumerate() {
        let rank = u32::try_from(rank).ok()?;
        let regular = plus(first.centre(), f64::from(rank) * step, normal);
        if norm(minus(plane.centre(), regular)) > MAX_DISTANCE {
            return None;
        }
        let slice = if forward { rank } else { count - 1 - rank };
        let distance = norm(minus(
            plane.centre(),
            grid.point(&axis_map, slice, [0.5, 0.5]),
        ));
        furthest = furthest.max(distance);
        locations.push(Location {
            axis_map,
            slice,
            distance,
            corner_distance: distance,
        });
    }
    let sign = if forward { 1.0 } else { -1.0 };
    let turned = angle(first.normal(), grid.step(deep).map(|part| part * sign));
    // A slab that continues the image at its end is another part of the body.
    let half = step * f64::from(count) / 2.0;
    let bound = MAX_MOVEMENT.min(half);
    (furthest <= bound && turned <= MAX_ROTATION).then_some((furthest, locations))
}
