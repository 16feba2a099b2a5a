//! Assigns a frame to each slice of each volume, by the values of some rows of pixels, or of all rows.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::PathBuf;

use super::nifti::Nifti;
use super::places::{CandidateSlice, Member, Places};
use super::samples::{Difference, SliceRows};
use super::scaling::{Scalings, SliceValues};
use super::unassigned::Unassigned;
use crate::frames::{FileError, PixelReader, obstacle};
use crate::regular;

/// Limit on files that are open at once.
const MAX_OPEN_FILES: usize = 64;

/// The result for one image.
#[derive(Debug, Default, Clone)]
pub(super) struct Match {
    /// Index of the member that each slice shows: `frames[slice][volume]`.
    pub frames: Vec<Vec<Option<usize>>>,
    /// Slices without a frame.
    pub surplus: usize,
    /// Slices whose values differ from every frame at their position.
    pub different: usize,
    /// The first of these slices.
    pub difference: Option<Difference>,
}

/// The result for all images.
#[derive(Debug, Default)]
pub(super) struct Matches {
    pub images: Vec<Match>,
    /// Frames without a remaining slice.
    pub missing: usize,
}

/// The slices at one position: index of the image, and index of the slice.
type SlicesAtPosition = Vec<(usize, u32)>;

/// Compares the frames of a series with its images.
pub(super) struct ValueMatcher<'s> {
    members: &'s [Member<'s>],
    files: &'s [PathBuf],
    images: &'s [Nifti],
    /// Whether each image repeats frames of the other images.
    maps: &'s [bool],
    /// Open files, by the index of the object.
    open: HashMap<usize, File>,
    slice_rows: SliceRows,
    scalings: Scalings,
    /// Whether all rows are compared.
    all_rows: bool,
}

impl<'s> ValueMatcher<'s> {
    pub(super) fn new(
        members: &'s [Member<'s>],
        files: &'s [PathBuf],
        images: &'s [Nifti],
        maps: &'s [bool],
    ) -> Self {
        Self {
            members,
            files,
            images,
            maps,
            open: HashMap::new(),
            slice_rows: SliceRows::default(),
            scalings: Scalings::new(members, images.len()),
            all_rows: members.iter().any(|member| member.object.all_rows),
        }
    }

    /// Finds the frame of each slice.
    pub(super) fn matched(mut self, places: &Places) -> Result<Matches, FileError> {
        let mut matches = Matches::default();
        let mut frames_at: BTreeMap<SlicesAtPosition, Vec<usize>> = BTreeMap::new();
        for (index, candidates) in places.candidates.iter().enumerate() {
            if !candidates.is_empty() {
                let slices = candidates
                    .iter()
                    .map(|candidate| (candidate.image, candidate.location.slice));
                frames_at.entry(slices.collect()).or_default().push(index);
            }
        }
        for (index, image) in self.images.iter().enumerate() {
            let first = places
                .candidates
                .iter()
                .flatten()
                .find(|candidate| candidate.image == index);
            let [.., slice_axis] =
                first.map_or([0, 1, 2], |candidate| candidate.location.axis_map.axes);
            let slices = image.size.get(slice_axis).copied().unwrap_or(1) as usize;
            matches.images.push(Match {
                frames: vec![vec![None; image.volumes as usize]; slices],
                ..Match::default()
            });
        }
        // Frames at the position of fewer slices are assigned first.
        let mut ordered: Vec<(SlicesAtPosition, Vec<usize>)> = frames_at.into_iter().collect();
        ordered.sort_by_key(|(slices, _)| slices.len());
        for (_, frames) in ordered {
            let candidates = frames
                .first()
                .and_then(|first| places.candidates.get(*first))
                .map_or(&[][..], Vec::as_slice);
            self.assign_position(&frames, candidates, &mut matches)?;
        }
        for matched in &mut matches.images {
            let empty = matched
                .frames
                .iter()
                .flatten()
                .filter(|frame| frame.is_none())
                .count();
            matched.surplus = empty.saturating_sub(matched.different);
        }
        Ok(matches)
    }

    /// Assigns the frames at one position to the slices that show them.
    fn assign_position(
        &mut self,
        frames: &[usize],
        candidates: &[CandidateSlice],
        matches: &mut Matches,
    ) -> Result<(), FileError> {
        let mut unassigned = Unassigned {
            comparable: frames.iter().map(|&index| self.comparable(index)).collect(),
            frames: frames.to_vec(),
            stored: vec![None; frames.len()],
            assigned: vec![false; frames.len()],
            first: 0,
            covered: vec![false; frames.len()],
        };
        for map in [false, true] {
            // A map shows frames that other images show too: each map may be assigned any frame.
            if map {
                unassigned.release();
            }
            let mut empty = Vec::new();
            for candidate in candidates {
                if self.maps.get(candidate.image).copied().unwrap_or(false) != map {
                    continue;
                }
                let volumes = self
                    .images
                    .get(candidate.image)
                    .map_or(0, |image| image.volumes);
                for volume in 0..volumes {
                    let is_assigned = matches
                        .images
                        .get(candidate.image)
                        .and_then(|image| {
                            image
                                .frames
                                .get(candidate.location.slice as usize)?
                                .get(volume as usize)
                        })
                        .is_some_and(Option::is_some);
                    if is_assigned {
                        continue;
                    }
                    match self.find_frame(candidate, volume, &mut unassigned)? {
                        Some(at) => set_frame(matches, candidate, volume, unassigned.assign(at)),
                        None => empty.push((candidate, volume)),
                    }
                }
                assign_unreadable(&mut empty, &mut unassigned, matches);
                if map {
                    unassigned.release();
                }
            }
            if !map {
                self.assign_differing(&empty, &mut unassigned, matches)?;
            }
        }
        matches.missing += unassigned
            .covered
            .iter()
            .filter(|covered| !**covered)
            .count();
        Ok(())
    }

    /// Assigns the remaining frames to the remaining slices, whose values differ.
    fn assign_differing(
        &mut self,
        empty: &[(&CandidateSlice, u32)],
        unassigned: &mut Unassigned,
        matches: &mut Matches,
    ) -> Result<(), FileError> {
        for (candidate, volume) in empty {
            let Some(at) = unassigned.next_unassigned() else {
                break;
            };
            let (expected, value) = self
                .first_difference(candidate, *volume, unassigned, at)?
                .unwrap_or((f64::NAN, f64::NAN));
            let index = unassigned.assign(at);
            let member = self.members.get(index);
            let Some((image, member)) = matches.images.get_mut(candidate.image).zip(member) else {
                continue;
            };
            image.different += 1;
            image.difference.get_or_insert(Difference {
                file: member.file,
                frame: member.frame.index,
                slice: candidate.location.slice,
                volume: *volume,
                expected,
                value,
            });
        }
        Ok(())
    }

    /// Returns whether the values of a frame can be read.
    fn comparable(&self, index: usize) -> bool {
        let member = self.members.get(index);
        member.is_some_and(|member| obstacle(member.object).is_none())
    }

    /// Returns the index of the remaining frame whose values a slice shows; of the next frame if the type of the voxels
    /// is unknown. None if no frame has these values.
    fn find_frame(
        &mut self,
        candidate: &CandidateSlice,
        volume: u32,
        unassigned: &mut Unassigned,
    ) -> Result<Option<usize>, FileError> {
        let Some(image) = self.images.get(candidate.image) else {
            return Ok(None);
        };
        if image.voxel.is_none() {
            return Ok(unassigned.next_unassigned());
        }
        if !unassigned.comparable.contains(&true) {
            return Ok(None);
        }
        let location = &candidate.location;
        self.slice_rows
            .read(
                image,
                &location.axis_map,
                location.slice,
                volume,
                self.all_rows,
            )
            .map_err(|error| (image.path.clone(), error))?;
        let signature = self.slice_rows.signature(image);
        for at in unassigned.first..unassigned.frames.len() {
            let free = unassigned.assigned.get(at) == Some(&false)
                && unassigned.comparable.get(at) == Some(&true);
            if free && self.shows(candidate.image, signature, unassigned, at)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn member(&self, unassigned: &Unassigned, at: usize) -> Option<&'s Member<'s>> {
        self.members.get(*unassigned.frames.get(at)?)
    }

    /// Returns whether the last slice that was read, which is of the image at `index`, has the values of a frame.
    fn shows(
        &mut self,
        index: usize,
        signature: Option<u64>,
        unassigned: &mut Unassigned,
        at: usize,
    ) -> Result<bool, FileError> {
        let Some((image, member)) = self.images.get(index).zip(self.member(unassigned, at)) else {
            return Ok(false);
        };
        if let (Some(own), Some(theirs)) = (member.frame.signature, signature) {
            // Voxels that equal the stored values need no comparison one by one.
            let equal = own == theirs;
            if let Some(shows) = self
                .scalings
                .fits_by_signature(index, member, image.scale, equal)
            {
                return Ok(shows);
            }
        }
        self.read(at, unassigned)?;
        let (voxels, scale) = (self.slice_rows.voxels(image), image.scale);
        let slice_values = SliceValues {
            voxels: &voxels,
            scale,
        };
        let stored = unassigned.stored.get(at).and_then(Option::as_ref);
        Ok(stored.is_some_and(|stored| self.scalings.fits(index, member, stored, slice_values)))
    }

    /// Returns the first values that differ between a slice and a frame.
    fn first_difference(
        &mut self,
        candidate: &CandidateSlice,
        volume: u32,
        unassigned: &mut Unassigned,
        at: usize,
    ) -> Result<Option<(f64, f64)>, FileError> {
        let member = self.member(unassigned, at);
        let Some((image, member)) = self.images.get(candidate.image).zip(member) else {
            return Ok(None);
        };
        let location = &candidate.location;
        self.slice_rows
            .read(
                image,
                &location.axis_map,
                location.slice,
                volume,
                self.all_rows,
            )
            .map_err(|error| (image.path.clone(), error))?;
        let (voxels, scale) = (self.slice_rows.voxels(image), image.scale);
        let slice_values = SliceValues {
            voxels: &voxels,
            scale,
        };
        self.read(at, unassigned)?;
        let stored = unassigned.stored.get(at).and_then(Option::as_ref);
        Ok(stored.and_then(|stored| {
            self.scalings
                .difference(candidate.image, member, stored, slice_values)
        }))
    }

    /// Reads the compared rows of a frame, once.
    fn read(&mut self, at: usize, unassigned: &mut Unassigned) -> Result<(), FileError> {
        let member = unassigned
            .frames
            .get(at)
            .and_then(|index| self.members.get(*index));
        let path = member.and_then(|member| self.files.get(member.file));
        let stored = unassigned.stored.get_mut(at);
        let (Some(member), Some(path), Some(stored)) = (member, path, stored) else {
            return Ok(());
        };
        let failed = |error| (path.clone(), error);
        if stored.is_some() {
            return Ok(());
        }
        if !self.open.contains_key(&member.file) {
            if self.open.len() >= MAX_OPEN_FILES {
                self.open.clear();
            }
            let file = regular::open(path).map_err(failed)?;
            self.open.insert(member.file, file);
        }
        let mut values = Vec::new();
        if let Some(file) = self.open.get(&member.file) {
            PixelReader::default()
                .read(file, member.object, member.frame.index, &mut values)
                .map_err(failed)?;
        }
        *stored = Some(values);
        Ok(())
    }
}

/// Assigns frames with unreadable values, in their order, to slices that match no readable frame.
fn assign_unreadable(
    empty: &mut Vec<(&CandidateSlice, u32)>,
    unassigned: &mut Unassigned,
    matches: &mut Matches,
) {
    empty.retain(|(candidate, volume)| {
        let free = unassigned.assigned.iter().zip(&unassigned.comparable);
        let at = free
            .into_iter()
            .position(|(assigned, comparable)| !assigned && !comparable);
        if let Some(at) = at {
            set_frame(matches, candidate, *volume, unassigned.assign(at));
        }
        at.is_none()
    });
}

/// Records the member that a slice shows.
fn set_frame(matches: &mut Matches, candidate: &CandidateSlice, volume: u32, index: usize) {
    let entry = matches.images.get_mut(candidate.image).and_then(|image| {
        image
            .frames
            .get_mut(candidate.location.slice as usize)?
            .get_mut(volume as usize)
    });
    if let Some(entry) = entry {
        *entry = Some(index);
    }
}
