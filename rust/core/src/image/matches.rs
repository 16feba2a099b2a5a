//! The frames that the slices of images show.

use super::frame_positions::CandidateSlice;
use super::slice_rows::Difference;

/// The frames of one image.
#[derive(Debug, Default, Clone)]
pub(super) struct ImageMatch {
    /// Index of the frame that each slice shows: `frames[slice][volume]`.
    pub frames: Vec<Vec<Option<usize>>>,
    /// Slices without a frame, except those of `different_slices`.
    pub slices_without_frame: usize,
    /// Slices whose values differ from every frame at their position that was not assigned yet.
    pub different_slices: usize,
    /// The first slice whose values differ.
    pub first_difference: Option<Difference>,
}

impl ImageMatch {
    /// Returns the result before frames are assigned.
    pub(super) fn new(slices: usize, volumes: usize) -> Self {
        Self {
            frames: vec![vec![None; volumes]; slices],
            ..Self::default()
        }
    }

    /// Sets `slices_without_frame`, once all frames are assigned.
    pub(super) fn count_slices_without_frame(&mut self) {
        let frames = self.frames.iter().flatten();
        let empty = frames.filter(|frame| frame.is_none()).count();
        self.slices_without_frame = empty.saturating_sub(self.different_slices);
    }
}

/// The frames of all images.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// The frames of each image.
    pub images: Vec<ImageMatch>,
    /// Frames that were assigned to no slice, although there are slices at their position.
    pub frames_without_slice: usize,
}

impl Matches {
    /// Returns the index of the frame that a slice shows; None if no frame is assigned to it.
    pub(super) fn frame(&self, slice: &CandidateSlice, volume: u32) -> Option<usize> {
        let image = self.images.get(slice.image)?;
        let volumes = image.frames.get(slice.location.slice as usize)?;
        *volumes.get(volume as usize)?
    }

    /// Records the frame that a slice shows.
    pub(super) fn set_frame(&mut self, slice: &CandidateSlice, volume: u32, index: usize) {
        let entry = self.images.get_mut(slice.image).and_then(|image| {
            image
                .frames
                .get_mut(slice.location.slice as usize)?
                .get_mut(volume as usize)
        });
        if let Some(entry) = entry {
            *entry = Some(index);
        }
    }
}
