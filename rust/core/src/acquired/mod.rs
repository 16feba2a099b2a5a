//! What was scanned of a series: stacks of slices, their volumes, complete or not, and when each of them was measured.
//!
//! A stack has the frames of one contrast (echo, component, derived or not) in parallel planes of one size. Its slices
//! are the places along its normal; a volume has one frame at each of them.

mod clock;
mod count;
mod keys;
mod moved;
mod places;
mod split;
mod times;

pub use count::Volumes;
pub use times::Intervals;

use std::collections::BTreeSet;

use crate::frames::{Pixels, Series};
use clock::Clock;

/// The frames of one contrast in parallel planes.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Echo time, ms.
    pub echo_time: Option<f64>,
    /// `M`, `P`, `R`, `I`, or nothing where the header does not say.
    pub component: &'static str,
    /// ImageType says that the frames are derived.
    pub derived: bool,
    /// Rows and columns.
    pub size: (u32, u32),
    /// Direction cosines of a row and of a column.
    pub orientation: Option<[f64; 6]>,
    /// Distance of rows and of columns, mm.
    pub spacing: Option<[f64; 2]>,
    /// Frames, without the duplicates.
    pub frames: usize,
    /// Frames that repeat another one: same place, numbers and times.
    pub duplicates: usize,
    /// Positions of the slices along the normal in mm, rising; empty where no header tells them.
    pub places: Vec<f64>,
    /// Volumes, and what they have.
    pub volumes: Volumes,
    /// How far consecutive volumes are apart.
    pub intervals: Intervals,
    /// b-values with the number of their volumes, rising.
    pub b_values: Vec<(f64, usize)>,
    /// Different directions of gradients.
    pub directions: usize,
}

/// All stacks of a series.
#[derive(Debug, Clone, Default)]
pub struct Acquired {
    /// The one with most frames first.
    pub stacks: Vec<Stack>,
    /// The first and the last time of acquisition: seconds since the year 0, or since midnight where no date is known.
    pub span: Option<(f64, f64)>,
    /// Echo times of all frames in ms, rising.
    pub echo_times: Vec<f64>,
    /// Mosaics of which nothing exists, by the InstanceNumbers of those before and behind them.
    pub skipped: usize,
}

/// What was scanned of a series.
pub fn acquired(series: &Series) -> Acquired {
    let clock = Clock::new(series);
    let mut stacks: Vec<Stack> = split::split(series)
        .iter()
        .map(|members| stack(members, &clock))
        .collect();
    stacks.sort_by_key(|stack| std::cmp::Reverse(stack.frames));
    let mut echo_times: Vec<f64> = stacks.iter().filter_map(|stack| stack.echo_time).collect();
    echo_times.sort_by(f64::total_cmp);
    echo_times.dedup();
    Acquired {
        stacks,
        span: clock.span(),
        echo_times,
        skipped: skipped_mosaics(series),
    }
}

fn skipped_mosaics(series: &Series) -> usize {
    let images = series
        .objects
        .iter()
        .filter(|object| object.pixels != Pixels::Absent);
    let numbers: Option<Vec<i64>> = images
        .map(|object| object.tiling.and(object.instance))
        .collect();
    let numbers = numbers.unwrap_or_default();
    let different: BTreeSet<&i64> = numbers.iter().collect();
    if different.len() == numbers.len() {
        keys::skipped(&numbers)
    } else {
        0
    }
}

fn stack(members: &split::Members<'_>, clock: &Clock) -> Stack {
    let placed = places::place(members, clock);
    let (volumes, chosen) = count::count(&placed, clock);
    let first = members.frames.first();
    let attributes = first.map(|member| &member.frame.attributes);
    let (b_values, directions) = count::diffusion(&placed, &chosen);
    Stack {
        echo_time: attributes.and_then(|one| one.echo_time),
        component: members.component,
        derived: attributes.is_some_and(|one| one.derived),
        size: first.map_or((0, 0), |member| {
            (member.object.frame_rows(), member.object.frame_columns())
        }),
        orientation: attributes.and_then(|one| one.orientation),
        spacing: attributes.and_then(|one| one.spacing),
        frames: placed.members.len(),
        duplicates: placed.duplicates,
        intervals: times::intervals(&placed, &chosen, clock),
        places: placed.places,
        volumes,
        b_values,
        directions,
    }
}
