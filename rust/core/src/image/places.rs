//! Where the frames of a series are in the slices of its images.

use super::grid::{Fit, Plane};
use crate::frames::{Frame, Object};

/// Accepted distance of a slice from its header's place, mm.
pub(super) const CLOSE: f64 = 0.1;
/// One frame of a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'o> {
    pub object: &'o Object,
    pub frame: &'o Frame,
    /// Index of the object.
    pub file: usize,
    pub plane: Option<Plane>,
}

/// A frame in a slice of an image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub image: usize,
    pub fit: Fit,
}

/// Volumes that moved as a whole.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Moved {
    pub volumes: usize,
    /// The largest distance, mm.
    pub distance: f64,
}

/// Where all frames are.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// For each member, the slices that it may be.
    pub placed: Vec<Vec<Placed>>,
    /// Members that are in no slice of any image, with their distance from the nearest one in mm.
    pub astray: Vec<(usize, f64)>,
    /// Members without a place in their header.
    pub placeless: Vec<usize>,
    /// Volumes that are the image's moved as a whole, and how far.
    pub moved: Moved,
    /// The largest angle between a frame and its image, where it matters, in radians.
    pub tilt: f64,
}
