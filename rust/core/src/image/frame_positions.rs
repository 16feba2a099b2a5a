//! Positions of the frames of a series in its images: the slices that may show each frame.

use super::grid::{Location, Plane};
use crate::frames::{Frame, Object};

/// Accepted distance of a slice from the position in the header of its frame, mm.
pub(super) const MAX_DISTANCE: f64 = 0.1;

/// One frame of a series.
#[derive(Debug, Clone, Copy)]
pub(super) struct SeriesFrame<'o> {
    pub object: &'o Object,
    pub frame: &'o Frame,
    /// Index of the object, and of its file.
    pub file: usize,
    /// None if the header lacks a valid position, orientation or pixel spacing.
    pub plane: Option<Plane>,
}

/// A slice of an image at the position of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct CandidateSlice {
    /// Index of the image.
    pub image: usize,
    pub location: Location,
}

/// Volumes that moved as a whole relative to their image.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct MovedVolumes {
    /// Number of these volumes.
    pub count: usize,
    /// Their largest movement, mm.
    pub largest_movement: f64,
}

/// The positions of all frames.
#[derive(Debug, Default)]
pub(super) struct FramePositions {
    /// Candidate slices of each frame.
    pub candidates: Vec<Vec<CandidateSlice>>,
    /// Index of each frame that matches no slice of any image, and its corner distance from the nearest slice in mm
    /// (infinite if no image has its size and directions).
    pub misplaced_frames: Vec<(usize, f64)>,
    /// Index of each frame whose header lacks a valid position, orientation or pixel spacing.
    pub frames_without_geometry: Vec<usize>,
    /// Number and movement of the volumes whose frames match an image only as moved copies of its grid.
    pub moved_volumes: MovedVolumes,
    /// The largest angle (rad) between a frame and its image that moves a corner by more than [`MAX_DISTANCE`]; 0
    /// without one.
    pub largest_tilt: f64,
}
