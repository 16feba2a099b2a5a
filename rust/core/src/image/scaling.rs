//! The scalings from stored values to the values of an image: all slices of an image must use the same one.

use super::places::Member;
use super::samples::{alike, difference};
use crate::frames::Attributes;

/// Slope and intercept of the rescaled values, of Philips' floating-point values, and of the stored values.
type Ways = [Option<[f64; 2]>; 3];

/// The values of a slice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'s> {
    /// Its voxels.
    pub voxels: &'s [f64],
    /// Slope and intercept of its image.
    pub scale: [f64; 2],
}

/// The scalings that the slices of each image have followed so far.
#[derive(Debug)]
pub(super) struct Scalings {
    /// Whether all frames have the same rescale slope and intercept, so that an image of stored values is correct too.
    uniform: bool,
    open: Vec<[bool; 3]>,
}

impl Scalings {
    pub(super) fn new(members: &[Member<'_>], images: usize) -> Self {
        let mut rescales = members.iter().map(|one| rescale(&one.frame.attributes));
        let first = rescales.next();
        Self {
            uniform: rescales.all(|one| Some(one) == first),
            open: vec![[true; 3]; images],
        }
    }

    fn ways(&self, member: &Member<'_>) -> Ways {
        let samples = member.object.encoding.samples;
        if samples > 1 {
            return [Some([1.0 / f64::from(samples), 0.0]), None, None];
        }
        let attributes = &member.frame.attributes;
        let [slope, intercept] = rescale(attributes);
        // FP = DV / (RS x SS), DV = PV x RS + RI (Philips MR conformance statement).
        let float = attributes
            .philips_scale
            .map(|[scale, _]| scale)
            .filter(|scale| *scale != 0.0 && slope != 0.0)
            .map(|scale| [1.0 / scale, intercept / (slope * scale)]);
        let stored = self.uniform.then_some([1.0, 0.0]);
        [Some([slope, intercept]), float, stored]
    }

    /// Returns whether voxels that equal the stored values also have a scale that the previous slices allow; None if
    /// the scale of the image is none of the known ones, so that the values must be compared one by one.
    pub(super) fn signed(
        &mut self,
        image: usize,
        member: &Member<'_>,
        scale: [f64; 2],
        equal: bool,
    ) -> Option<bool> {
        let ways = self.ways(member);
        let open = self.open.get_mut(image)?;
        let mut fits = [false; 3];
        for ((fit, open), way) in fits.iter_mut().zip(*open).zip(ways) {
            *fit = open && way.is_some_and(|way| alike(way, scale));
        }
        if !fits.contains(&true) {
            return None;
        }
        if equal {
            *open = fits;
        }
        Some(equal)
    }

    /// Returns whether a slice shows a frame with a scaling that the previous slices allow.
    pub(super) fn fits(
        &mut self,
        image: usize,
        member: &Member<'_>,
        stored: &[i64],
        shown: Shown<'_>,
    ) -> bool {
        let ways = self.ways(member);
        let Some(open) = self.open.get_mut(image) else {
            return false;
        };
        let mut fits = [false; 3];
        for ((fit, open), way) in fits.iter_mut().zip(*open).zip(ways) {
            let same = |way| difference(stored, shown.voxels, way, shown.scale).is_none();
            *fit = open && way.is_some_and(same);
        }
        let some = fits.contains(&true);
        if some {
            *open = fits;
        }
        some
    }

    /// Returns the first values that differ between a frame and a slice, with the scaling of the image.
    pub(super) fn difference(
        &self,
        image: usize,
        member: &Member<'_>,
        stored: &[i64],
        shown: Shown<'_>,
    ) -> Option<(f64, f64)> {
        let open = self.open.get(image).copied().unwrap_or([true; 3]);
        let ways = self.ways(member);
        let way = open
            .into_iter()
            .zip(ways)
            .find_map(|(open, way)| way.filter(|_| open));
        difference(stored, shown.voxels, way.unwrap_or([1.0, 0.0]), shown.scale)
    }
}

fn rescale(attributes: &Attributes) -> [f64; 2] {
    attributes.rescale.unwrap_or([1.0, 0.0])
}
