//! The slices of a stack: frames at the same position, and duplicates.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::clock::{Clock, bits};
use super::moved;
use super::split::{Member, Members};

/// Positions within this distance (mm) are the same: scanners round to 5 or 6 digits.
const TOLERANCE: f64 = 0.05;

/// The frames of a stack with the slice of each frame.
#[derive(Debug)]
pub(super) struct PlacedFrames<'s> {
    pub members: Vec<Member<'s>>,
    /// Index of the slice of each member.
    pub slices: Vec<usize>,
    /// Number of slices.
    pub count: usize,
    /// Positions of the slices along the normal in mm, ascending; empty if unknown.
    pub places: Vec<f64>,
    /// Number of frames that were removed because they repeat another frame.
    pub duplicates: usize,
}

/// Assigns the frames of a stack to slices, and removes duplicates.
pub(super) fn assign_slices<'s>(stack: &Members<'s>, clock: &Clock) -> PlacedFrames<'s> {
    let (members, duplicates) = without_duplicates(stack, clock);
    let along: Vec<Option<f64>> = members
        .iter()
        .map(|member| position_along(member, stack.normal))
        .collect();
    let known: Option<Vec<f64>> = along.iter().copied().collect();
    let tiled = members
        .iter()
        .all(|member| member.object.tiling.is_some_and(|tiling| tiling.count > 0));
    let places = known
        .as_deref()
        .filter(|_| !members.is_empty())
        .map_or_else(Vec::new, distinct);
    if tiled && !members.is_empty() {
        return assign_tiles(members, known.as_deref(), duplicates);
    }
    if let Some(moved) = known
        .as_deref()
        .and_then(|known| moved::moved_slices(&members, known, &places, clock))
    {
        return PlacedFrames {
            members,
            slices: moved.slices,
            count: moved.places.len(),
            places: moved.places,
            duplicates,
        };
    }
    let slices = known.map_or_else(
        || vec![0; members.len()],
        |known| {
            known
                .iter()
                .map(|position| nearest(&places, *position))
                .collect()
        },
    );
    PlacedFrames {
        count: places.len().max(usize::from(!members.is_empty())),
        members,
        slices,
        places,
        duplicates,
    }
}

/// Assigns the frames of mosaics to slices by their tiles, even if motion correction moved them.
fn assign_tiles<'s>(
    members: Vec<Member<'s>>,
    along: Option<&[f64]>,
    duplicates: usize,
) -> PlacedFrames<'s> {
    let slices: Vec<usize> = members
        .iter()
        .map(|member| member.frame.index as usize)
        .collect();
    let count = slices.iter().max().map_or(0, |last| last.saturating_add(1));
    let file = members.first().map(|member| member.file);
    let mut places: Vec<f64> = along
        .unwrap_or_default()
        .iter()
        .zip(&members)
        .filter(|(_, member)| Some(member.file) == file)
        .map(|(position, _)| *position)
        .collect();
    places.sort_by(f64::total_cmp);
    PlacedFrames {
        members,
        slices,
        count,
        places,
        duplicates,
    }
}

/// Returns the members without duplicates, and the number of duplicates: members that repeat another member in every
/// distinguishing value. A frame without InstanceNumber is no duplicate.
fn without_duplicates<'s>(stack: &Members<'s>, clock: &Clock) -> (Vec<Member<'s>>, usize) {
    let mut seen = BTreeSet::new();
    let mut members = Vec::with_capacity(stack.frames.len());
    for member in &stack.frames {
        let frame = &member.frame.attributes;
        let numbers = (frame.temporal, frame.acquisition, frame.instance);
        let file = (member.object.frame_count > 1).then(|| object_key(member, clock));
        let times = [
            clock.time(member),
            frame.trigger,
            frame.time_offset,
            frame.diffusion.b_value,
            frame.content,
        ]
        .map(bits);
        let more = [
            frame.inversion_time,
            frame.flip_angle,
            position_along(member, stack.normal),
        ]
        .map(bits);
        let direction = frame
            .diffusion
            .direction
            .map(|parts| parts.map(f64::to_bits));
        let key = digest(&(numbers, file, times, more, direction, member.frame.index));
        if frame.instance.is_none() || seen.insert(key) {
            members.push(*member);
        }
    }
    let repeated = stack.frames.len().saturating_sub(members.len());
    (members, repeated)
}

/// Returns what distinguishes an object with several frames: its InstanceNumber if its frames have times (`Ok`), else
/// the index of its file (`Err`), because objects with one volume each may all have the same number.
fn object_key(member: &Member<'_>, clock: &Clock) -> Result<i64, usize> {
    let timed = clock.time(member).is_some();
    member.object.instance.filter(|_| timed).ok_or(member.file)
}

/// Returns a hash of 128 bits in place of a long key: a series may have a hundred thousand keys.
fn digest(key: &impl Hash) -> [u64; 2] {
    [0_u8, 1].map(|half| {
        let mut hasher = DefaultHasher::new();
        (half, key).hash(&mut hasher);
        hasher.finish()
    })
}

/// Returns the position of a frame along a normal in mm; without position or normal, its SliceLocation.
fn position_along(member: &Member<'_>, normal: Option<[f64; 3]>) -> Option<f64> {
    let frame = &member.frame.attributes;
    match (frame.position, normal) {
        (Some([x, y, z]), Some([a, b, c])) => Some(x * a + y * b + z * c),
        _ => frame.location,
    }
}

/// Returns the different positions, ascending.
fn distinct(positions: &[f64]) -> Vec<f64> {
    let mut sorted = positions.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup_by(|next, kept| *next - *kept <= TOLERANCE);
    sorted
}

/// Returns the index of the nearest place.
fn nearest(places: &[f64], position: f64) -> usize {
    let after = places.partition_point(|place| *place < position);
    let before = after.saturating_sub(1);
    let distance = |index: usize| {
        places
            .get(index)
            .map_or(f64::INFINITY, |place| (place - position).abs())
    };
    if distance(before) <= distance(after) {
        before
    } else {
        after
    }
}
