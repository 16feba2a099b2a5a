//! Assigns a frame to each slice of each volume, by the values of some rows of pixels or of all rows.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::PathBuf;

use super::frame_positions::{CandidateSlice, FramePositions, SeriesFrame};
use super::frames_at_position::FramesAtPosition;
use super::matches::{ImageMatch, Matches};
use super::nifti::Nifti;
use super::scaling::{Scalings, SliceValues};
use super::slice_rows::{Difference, SliceRows};
use super::unreadable_frames::assign_unreadable_frames;
use crate::frames::{FileError, PixelReader, comparison_obstacle};
use crate::regular;

/// Limit on files that are open at once.
const MAX_OPEN_FILES: usize = 64;

/// The slices at one position, each as index of the image and index of the slice in it.
type SlicesAtPosition = Vec<(usize, u32)>;

/// Compares the frames of a series with its images.
pub(super) struct ValueMatcher<'s> {
    series_frames: &'s [SeriesFrame<'s>],
    files: &'s [PathBuf],
    images: &'s [Nifti],
    /// Whether each image repeats frames of the other images.
    repeats_frames: &'s [bool],
    /// Open files, by their index in `files`.
    open_files: HashMap<usize, File>,
    /// The compared rows of the slice that was read last.
    slice_rows: SliceRows,
    /// The slopes and intercepts that agree with the compared slices of each image.
    scalings: Scalings,
    /// Whether all rows are compared.
    all_rows: bool,
}

impl<'s> ValueMatcher<'s> {
    pub(super) fn new(
        series_frames: &'s [SeriesFrame<'s>],
        files: &'s [PathBuf],
        images: &'s [Nifti],
        repeats_frames: &'s [bool],
    ) -> Self {
        Self {
            series_frames,
            files,
            images,
            repeats_frames,
            open_files: HashMap::new(),
            slice_rows: SliceRows::default(),
            scalings: Scalings::new(series_frames, images.len()),
            all_rows: series_frames
                .iter()
                .any(|frame| frame.object.compares_all_rows),
        }
    }

    /// Returns the frames that the slices show. The slices at the position of a frame are its candidates.
    pub(super) fn assign(mut self, frame_positions: &FramePositions) -> Result<Matches, FileError> {
        let mut matches = Matches::default();
        // The indices of the frames at each position.
        let mut positions: BTreeMap<SlicesAtPosition, Vec<usize>> = BTreeMap::new();
        for (index, candidates) in frame_positions.candidates.iter().enumerate() {
            if !candidates.is_empty() {
                let slices = candidates
                    .iter()
                    .map(|candidate| (candidate.image, candidate.location.slice));
                positions.entry(slices.collect()).or_default().push(index);
            }
        }
        for (index, image) in self.images.iter().enumerate() {
            let first = frame_positions
                .candidates
                .iter()
                .flatten()
                .find(|candidate| candidate.image == index);
            // The last of the axes is the one across the slices.
            let [.., slice_axis] =
                first.map_or([0, 1, 2], |candidate| candidate.location.axis_map.axes);
            let slices = image.size.get(slice_axis).copied().unwrap_or(1) as usize;
            let image_match = ImageMatch::new(slices, image.volumes as usize);
            matches.images.push(image_match);
        }
        // A frame at the position of fewer slices has less choice, so it is assigned first.
        let mut positions: Vec<(SlicesAtPosition, Vec<usize>)> = positions.into_iter().collect();
        positions.sort_by_key(|(slices, _)| slices.len());
        for (_, indices) in positions {
            let candidates = indices
                .first()
                .and_then(|first| frame_positions.candidates.get(*first))
                .map_or(&[][..], Vec::as_slice);
            self.assign_position(indices, candidates, &mut matches)?;
        }
        for image_match in &mut matches.images {
            image_match.count_slices_without_frame();
        }
        Ok(matches)
    }

    /// Assigns the frames at one position to the slices that show them. `indices` are those of the frames in
    /// `series_frames`, and `candidates` are the slices at the position.
    fn assign_position(
        &mut self,
        indices: Vec<usize>,
        candidates: &[CandidateSlice],
        matches: &mut Matches,
    ) -> Result<(), FileError> {
        let readable = indices.iter().map(|&index| self.is_readable(index));
        let mut frames = FramesAtPosition::new(readable.collect(), indices);
        for repeats in [false, true] {
            // An image that repeats frames may show a frame that another image shows.
            if repeats {
                frames.unassign_all();
            }
            let mut unmatched = Vec::new();
            for candidate in candidates {
                if self.repeats_frames(candidate.image) != repeats {
                    continue;
                }
                for volume in 0..self.volumes(candidate.image) {
                    if matches.frame(candidate, volume).is_some() {
                        continue;
                    }
                    match self.find_frame(candidate, volume, &mut frames)? {
                        Some(at) => matches.set_frame(candidate, volume, frames.assign(at)),
                        None => unmatched.push((candidate, volume)),
                    }
                }
                assign_unreadable_frames(self.series_frames, &mut unmatched, &mut frames, matches);
                if repeats {
                    frames.unassign_all();
                }
            }
            if !repeats {
                self.assign_remaining(&unmatched, &mut frames, matches)?;
            }
        }
        let has_slice = frames.has_slice.iter();
        matches.frames_without_slice += has_slice.filter(|has_slice| !**has_slice).count();
        Ok(())
    }

    /// Returns whether an image repeats frames of the other images.
    fn repeats_frames(&self, image: usize) -> bool {
        self.repeats_frames.get(image).copied().unwrap_or(false)
    }

    /// Returns the number of volumes of an image.
    fn volumes(&self, image: usize) -> u32 {
        self.images.get(image).map_or(0, |image| image.volumes)
    }

    /// Pairs the unassigned frames with the `unmatched` slices (candidate and volume) in order, and records that their
    /// values differ. These slices keep no frame in `matches`.
    fn assign_remaining(
        &mut self,
        unmatched: &[(&CandidateSlice, u32)],
        frames: &mut FramesAtPosition,
        matches: &mut Matches,
    ) -> Result<(), FileError> {
        for (candidate, volume) in unmatched {
            let Some(at) = frames.next_unassigned() else {
                break;
            };
            let (expected, value) = self
                .first_difference(candidate, *volume, frames, at)?
                .unwrap_or((f64::NAN, f64::NAN));
            let frame = self.series_frames.get(frames.assign(at));
            let Some((image, frame)) = matches.images.get_mut(candidate.image).zip(frame) else {
                continue;
            };
            image.different_slices += 1;
            image.first_difference.get_or_insert(Difference {
                file: frame.file,
                frame: frame.frame.index,
                slice: candidate.location.slice,
                volume: *volume,
                expected,
                value,
            });
        }
        Ok(())
    }

    /// Returns whether the values of a frame can be read.
    fn is_readable(&self, index: usize) -> bool {
        let frame = self.series_frames.get(index);
        frame.is_some_and(|frame| comparison_obstacle(frame.object).is_none())
    }

    /// Returns the index in `frames` of the first unassigned frame whose values a slice shows. If the type of the image's
    /// voxels is unknown, no values can be compared: it is the first unassigned frame. None if there is no such frame.
    fn find_frame(
        &mut self,
        candidate: &CandidateSlice,
        volume: u32,
        frames: &mut FramesAtPosition,
    ) -> Result<Option<usize>, FileError> {
        let Some(image) = self.images.get(candidate.image) else {
            return Ok(None);
        };
        if image.voxel_type.is_none() {
            return Ok(frames.next_unassigned());
        }
        if !frames.is_readable.contains(&true) {
            return Ok(None);
        }
        self.read_slice(image, candidate, volume)?;
        let values_hash = self.slice_rows.values_hash(image);
        for at in frames.first_unassigned..frames.indices.len() {
            let is_unassigned = frames.is_assigned.get(at) == Some(&false)
                && frames.is_readable.get(at) == Some(&true);
            if is_unassigned && self.slice_shows_frame(candidate.image, values_hash, frames, at)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Returns the frame at an index of the lists in `frames`.
    fn frame(&self, frames: &FramesAtPosition, at: usize) -> Option<&'s SeriesFrame<'s>> {
        self.series_frames.get(*frames.indices.get(at)?)
    }

    /// Returns whether the slice that was read last has the values of the frame at `at`. `index` is that of the slice's
    /// image, and `values_hash` is a hash of its voxels, None if they have no hash that stored values could equal.
    fn slice_shows_frame(
        &mut self,
        index: usize,
        values_hash: Option<u64>,
        frames: &mut FramesAtPosition,
        at: usize,
    ) -> Result<bool, FileError> {
        let Some((image, frame)) = self.images.get(index).zip(self.frame(frames, at)) else {
            return Ok(false);
        };
        if let (Some(frame_hash), Some(values_hash)) = (frame.frame.values_hash, values_hash) {
            // Voxels that equal the stored values need no comparison one by one.
            let hashes_equal = frame_hash == values_hash;
            if let Some(shows) =
                self.scalings
                    .fits_by_hashes(index, frame, image.scale, hashes_equal)
            {
                return Ok(shows);
            }
        }
        self.read_frame(at, frames)?;
        let voxels = self.slice_rows.voxels(image);
        let slice_values = SliceValues {
            voxels: &voxels,
            scale: image.scale,
        };
        let stored = frames.stored_values.get(at).and_then(Option::as_ref);
        Ok(stored.is_some_and(|stored| self.scalings.fits(index, frame, stored, slice_values)))
    }

    /// Returns the first values that differ between a slice and a frame: the expected one, and that of the slice. None if
    /// none differs, or if they cannot be compared.
    fn first_difference(
        &mut self,
        candidate: &CandidateSlice,
        volume: u32,
        frames: &mut FramesAtPosition,
        at: usize,
    ) -> Result<Option<(f64, f64)>, FileError> {
        let frame = self.frame(frames, at);
        let Some((image, frame)) = self.images.get(candidate.image).zip(frame) else {
            return Ok(None);
        };
        self.read_slice(image, candidate, volume)?;
        let voxels = self.slice_rows.voxels(image);
        let slice_values = SliceValues {
            voxels: &voxels,
            scale: image.scale,
        };
        self.read_frame(at, frames)?;
        let stored = frames.stored_values.get(at).and_then(Option::as_ref);
        Ok(stored.and_then(|stored| {
            self.scalings
                .difference(candidate.image, frame, stored, slice_values)
        }))
    }

    /// Reads the compared rows of a slice.
    fn read_slice(
        &mut self,
        image: &Nifti,
        slice: &CandidateSlice,
        volume: u32,
    ) -> Result<(), FileError> {
        let location = &slice.location;
        self.slice_rows
            .read(
                image,
                &location.axis_map,
                location.slice,
                volume,
                self.all_rows,
            )
            .map_err(|error| (image.path.clone(), error))
    }

    /// Reads the compared rows of a frame into `frames`, unless they were read before.
    fn read_frame(&mut self, at: usize, frames: &mut FramesAtPosition) -> Result<(), FileError> {
        let frame = self.frame(frames, at);
        let path = frame.and_then(|frame| self.files.get(frame.file));
        let stored = frames.stored_values.get_mut(at);
        let (Some(frame), Some(path), Some(stored)) = (frame, path, stored) else {
            return Ok(());
        };
        let failed = |error| (path.clone(), error);
        if stored.is_some() {
            return Ok(());
        }
        if !self.open_files.contains_key(&frame.file) {
            if self.open_files.len() >= MAX_OPEN_FILES {
                self.open_files.clear();
            }
            let file = regular::open(path).map_err(failed)?;
            self.open_files.insert(frame.file, file);
        }
        if let Some(file) = self.open_files.get(&frame.file) {
            let values = PixelReader::default()
                .read(file, frame.object, frame.frame.index)
                .map_err(failed)?;
            *stored = Some(values);
        }
        Ok(())
    }
}
