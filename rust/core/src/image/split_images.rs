//! Images that are parts of one volume, or volumes of one scan, and should be one image.

use super::grid::Grid;
use super::nifti::Nifti;
use super::places::Member;
use super::values::Match;
use crate::frames::Component;

/// A series with its images.
pub(super) struct SplitImages<'s> {
    pub images: &'s [Nifti],
    pub maps: &'s [bool],
    pub grids: &'s [Option<Grid>],
    pub matches: &'s [Match],
    pub members: &'s [Member<'s>],
}

impl SplitImages<'_> {
    /// Returns another image that belongs to the same volume as an image, and one that belongs to the same scan.
    pub(super) fn others(&self, image: usize) -> (Option<usize>, Option<usize>) {
        let (grids, matches, members) = (self.grids, self.matches, self.members);
        let Some((own, grid)) = traits(image, matches, members).zip(grid_of(grids, image)) else {
            return (None, None);
        };
        let volumes = |index: usize| self.images.get(index).map(|image| image.volumes);
        let others = || {
            (0..self.images.len()).filter(|&other| {
                let map = |index: usize| self.maps.get(index).copied().unwrap_or(false);
                other != image && !map(image) && !map(other)
            })
        };
        let alike =
            |other: usize| traits(other, matches, members).is_some_and(|traits| traits.alike(&own));
        let slab = grid.size.iter().min() > Some(&1);
        let part_of = others().find(|&other| {
            let second = grid_of(grids, other).filter(|second| slab && grid.continues(second));
            second.is_some() && volumes(other) == volumes(image) && alike(other)
        });
        let twin = others().find(|&other| {
            let second = grid_of(grids, other).filter(|second| grid.coincides(second));
            second.is_some() && alike(other)
        });
        (part_of, twin)
    }
}

fn traits(image: usize, matches: &[Match], members: &[Member<'_>]) -> Option<Traits> {
    let mut frames = matches.get(image)?.frames.iter().flatten();
    let member = members.get(frames.find_map(|frame| *frame)?)?;
    let frame = &member.frame.attributes;
    Some(Traits {
        names: (
            frame.kind,
            frame.component,
            frame.stack,
            frame.coil,
            member.object.encoding.samples,
        ),
        numbers: [
            frame.echo_time,
            frame.timing[0],
            frame.timing[1],
            frame.timing[2],
            frame.trigger,
        ],
    })
}

fn grid_of(grids: &[Option<Grid>], index: usize) -> Option<&Grid> {
    grids.get(index)?.as_ref()
}

/// Properties that images of one scan share.
#[derive(Debug, PartialEq)]
struct Traits {
    names: (u64, Component, u64, u64, u16),
    /// Echo, repetition and inversion time, flip angle, trigger time.
    numbers: [Option<f64>; 5],
}

impl Traits {
    /// Numbers that differ by at most a percent are equal: scanners round them.
    fn alike(&self, other: &Self) -> bool {
        let near = |number: &Option<f64>, other: &Option<f64>| match (number, other) {
            (Some(number), Some(other)) => (number - other).abs() <= 0.01 * number.abs(),
            (number, other) => number == other,
        };
        self.names == other.names
            && self
                .numbers
                .iter()
                .zip(&other.numbers)
                .all(|(number, other)| near(number, other))
    }
}
