//! Compares the images of a converter with the frames of the DICOM objects they were converted from.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::candidate_slices::locate_frames;
use super::exchanged_slices::exchanged_slices;
use super::frame_order::frames_of_irregular_order;
use super::frame_positions::{FramePositions, SeriesFrame};
use super::gradient::{direction, encoding_direction, has_known_signs};
use super::grid::{Grid, Plane};
use super::matches::ImageMatch;
use super::mixed_volume::DistinctFrames;
use super::nifti::{self, Nifti};
use super::repeated_frames::repeated_frames;
use super::report::{Comparison, ImageCheck, MisplacedFrame};
use super::split_images::SeriesImages;
use super::time_step::time_step;
use super::value_matcher::ValueMatcher;
use super::volume_order::volume_order;
use crate::frames::{Component, Diffusion, FileError, Object, Pixels, Series, comparison_obstacle};

/// b-values of one frame that differ by at most this (s/mm2), or by a tenth of the larger one, do not contradict each
/// other.
const MIN_CONTRADICTION: f64 = 50.0;

/// Compares a series with images.
///
/// `repeats_frames` says for each image whether it repeats frames of the other images: of a series that contains a
/// computed map, dcm2niix writes an image without the map, and one with all frames, which repeats those of the first.
///
/// # Errors
///
/// Fails if a file cannot be read, or an image is not NIfTI (`InvalidData`).
pub fn compare(
    series: &Series,
    images: &[PathBuf],
    repeats_frames: &[bool],
) -> Result<Comparison, FileError> {
    let mut opened = Vec::with_capacity(images.len());
    for path in images {
        opened.push(nifti::open(path).map_err(|error| (path.clone(), error))?);
    }
    SeriesAndImages {
        files: &series.files,
        objects: &series.objects,
        images: &opened,
        repeats_frames,
    }
    .comparison()
}

/// A series, and the images that are compared with it.
struct SeriesAndImages<'s> {
    files: &'s [PathBuf],
    objects: &'s [Object],
    images: &'s [Nifti],
    /// Whether each image repeats frames of the other images.
    repeats_frames: &'s [bool],
}

impl SeriesAndImages<'_> {
    /// Returns all frames in the order of their numbers. Converters usually store them in this order: then the first
    /// frame that is compared with a slice matches.
    fn series_frames(&self) -> Vec<SeriesFrame<'_>> {
        let mut series_frames = Vec::new();
        for (file, object) in self.objects.iter().enumerate() {
            let (columns, rows) = (object.frame_columns(), object.frame_rows());
            series_frames.extend(object.frames.iter().map(|frame| SeriesFrame {
                object,
                frame,
                file,
                plane: Plane::of(&frame.attributes, columns, rows),
            }));
        }
        series_frames.sort_by_key(|series_frame| {
            (
                series_frame.frame.attributes.instance_number,
                series_frame.file,
                series_frame.frame.index,
            )
        });
        series_frames
    }

    /// Compares the series with the images.
    fn comparison(&self) -> Result<Comparison, FileError> {
        let series_frames = self.series_frames();
        let grids: Vec<Option<Grid>> = self.images.iter().map(Grid::of).collect();
        let frame_positions = locate_frames(&series_frames, &grids);
        let mut comparison = self.counts(&series_frames, &frame_positions);
        let matches =
            ValueMatcher::new(&series_frames, self.files, self.images, self.repeats_frames)
                .assign(&frame_positions)?;
        comparison.frames_without_slice = matches.frames_without_slice;
        comparison.repeated_frames = repeated_frames(&series_frames, self.files)?;
        let series_images = SeriesImages {
            images: self.images,
            repeats_frames: self.repeats_frames,
            grids: &grids,
            matches: &matches.images,
            series_frames: &series_frames,
        };
        let distinct_frames = DistinctFrames::new(&series_frames);
        for (image, image_match) in matches.images.iter().enumerate() {
            let mut check = self.check(&series_frames, image, image_match);
            check.mixed_volume = distinct_frames.mixed_volume(&image_match.frames);
            check.exchanged_slices =
                exchanged_slices(&series_frames, &image_match.frames, &|index| {
                    distinct_frames.is_distinct(index)
                });
            (check.same_volume_as, check.same_scan_as) = series_images.related_images(image);
            comparison.checks.push(check);
        }
        Ok(comparison)
    }

    /// Returns the counts of the comparison, without the results for images.
    fn counts(
        &self,
        series_frames: &[SeriesFrame<'_>],
        frame_positions: &FramePositions,
    ) -> Comparison {
        let mut comparison = Comparison {
            files: self.objects.len(),
            frames: series_frames.len(),
            frames_without_geometry: frame_positions.frames_without_geometry.len(),
            moved_volume_count: frame_positions.moved_volumes.count,
            largest_movement: frame_positions.moved_volumes.largest_movement,
            largest_tilt: frame_positions.largest_tilt,
            frames_of_irregular_order: frames_of_irregular_order(self.objects, series_frames),
            ..Comparison::default()
        };
        for object in self.objects {
            let has_pixels = object.pixels != Pixels::Absent;
            comparison.joined_files += usize::from(object.has_appended_file);
            comparison.suspected_mosaics += usize::from(object.may_be_mosaic());
            if let Some(tiling) = object.tiling {
                comparison.mosaics_without_slice_count += usize::from(tiling.count == 0);
                comparison.mosaics_without_direction +=
                    usize::from(tiling.count > 0 && !tiling.has_direction);
            }
            if has_pixels {
                *comparison.encodings.entry(object.encoding).or_default() += object.frames.len();
            }
            if let (true, Some(reason), false) = (
                has_pixels,
                comparison_obstacle(object),
                object.frames.is_empty(),
            ) {
                *comparison.frames_not_compared.entry(reason).or_default() += object.frames.len();
            }
        }
        let scalings = series_frames.iter().map(|series_frame| {
            let rescale = series_frame.frame.attributes.rescale.unwrap_or([1.0, 0.0]);
            rescale.map(f64::to_bits)
        });
        comparison.scaling_count = scalings.collect::<BTreeSet<_>>().len();
        comparison.zero_slopes = series_frames
            .iter()
            .filter_map(|series_frame| series_frame.frame.attributes.rescale)
            .filter(|[slope, _]| *slope == 0.0)
            .count();
        comparison.misplaced_frames = frame_positions
            .misplaced_frames
            .iter()
            .filter_map(|(index, distance)| {
                let series_frame = series_frames.get(*index)?;
                Some(MisplacedFrame {
                    file: series_frame.file,
                    frame: series_frame.frame.index,
                    distance: *distance,
                })
            })
            .collect();
        comparison
    }

    /// Returns the result for one image, without its mixed volume, exchanged slices and related images.
    fn check(
        &self,
        series_frames: &[SeriesFrame<'_>],
        image: usize,
        image_match: &ImageMatch,
    ) -> ImageCheck {
        let volumes = self.images.get(image).map_or(1, |image| image.volumes);
        let mut check = ImageCheck {
            slices_without_frame: image_match.slices_without_frame,
            different_slices: image_match.different_slices,
            first_difference: image_match.first_difference,
            is_derived: true,
            is_isotropic: true,
            lowest_instance_number_and_file: (i64::MAX, usize::MAX),
            slices: image_match.frames.iter().map(Vec::len).sum(),
            b_values: vec![(None, None); volumes as usize],
            directions: vec![None; volumes as usize],
            encoding_directions: vec![None; volumes as usize],
            has_known_signs: true,
            ..ImageCheck::default()
        };
        for (volume, index) in image_match
            .frames
            .iter()
            .flat_map(|row| row.iter().enumerate())
        {
            let Some(series_frame) = index.and_then(|index| series_frames.get(index)) else {
                continue;
            };
            let frame = &series_frame.frame.attributes;
            check.is_derived &= frame.is_derived;
            check.has_derived_frames |= frame.is_derived;
            check.dixon_signals.extend(frame.dixon_signal);
            extend(&mut check.echo_times, frame.echo_time);
            extend(&mut check.flip_angles, frame.flip_angle);
            extend(&mut check.inversion_times, frame.inversion_time);
            extend(&mut check.repetition_times, frame.repetition_time);
            if !matches!(frame.component, Component::Unknown | Component::Mixed) {
                check.components.insert(frame.component);
            }
            check.is_isotropic &= frame.diffusion.is_isotropic || !is_weighted(&frame.diffusion);
            check.is_diffusion |=
                frame.diffusion.in_diffusion_scan || is_weighted(&frame.diffusion);
            check.lowest_instance_number_and_file = check
                .lowest_instance_number_and_file
                .min((number_in_object(series_frame), series_frame.file));
            let is_first = check
                .contradicting_b_values
                .is_none_or(|(known, ..)| volume < known);
            let range = frame.diffusion.b_value_range.filter(b_values_contradict);
            if let (true, Some([low, high])) = (is_first, range) {
                check.contradicting_b_values = Some((volume, low, high));
            }
            if let Some(slot) = check.directions.get_mut(volume) {
                *slot = slot.or_else(|| direction(frame));
            }
            if let Some(slot) = check.encoding_directions.get_mut(volume) {
                *slot = slot.or_else(|| encoding_direction(frame));
            }
            check.has_known_signs &= has_known_signs(frame);
            if let Some(slot) = check.b_values.get_mut(volume) {
                *slot = (
                    slot.0.or(frame.diffusion.b_value),
                    slot.1.or(frame.diffusion.second_b_value),
                );
            }
        }
        let unweighted = check
            .b_values
            .iter()
            .all(|(b_value, second)| !(*b_value > Some(0.0) || *second > Some(0.0)));
        check.is_isotropic &= !unweighted;
        if volumes > 1 && (unweighted || without_patient_axes(series_frames)) {
            check.volume_order = volume_order(series_frames, &image_match.frames);
        }
        if volumes > 1 && unweighted && !check.is_diffusion {
            check.time_step = time_step(series_frames, &image_match.frames);
        }
        check
    }
}

/// Returns whether the gradient directions of all frames are known by frequency, phase and slice encoding only (classic
/// GE). They cannot always be compared with the gradient table of the image (.bvec), so the order of the volumes is
/// checked too.
fn without_patient_axes(series_frames: &[SeriesFrame<'_>]) -> bool {
    series_frames.iter().all(|series_frame| {
        let diffusion = &series_frame.frame.attributes.diffusion;
        diffusion.encoding_direction.is_some()
            && direction(&series_frame.frame.attributes).is_none()
    })
}

/// Returns the number of a frame in its enhanced object, or the InstanceNumber of another object; the largest integer
/// without one.
fn number_in_object(series_frame: &SeriesFrame<'_>) -> i64 {
    if series_frame.object.numbers_frames {
        return i64::from(series_frame.frame.index) + 1;
    }
    let number = series_frame.frame.attributes.instance_number;
    number.unwrap_or(i64::MAX)
}

/// Extends a range so that it includes a value; None changes nothing.
fn extend(range: &mut Option<[f64; 2]>, value: Option<f64>) {
    if let Some(value) = value {
        let [low, high] = range.unwrap_or([value; 2]);
        *range = Some([low.min(value), high.max(value)]);
    }
}

/// Returns whether the b-values of a frame differ more than rounding and imaging gradients explain.
fn b_values_contradict([low, high]: &[f64; 2]) -> bool {
    high - low > f64::max(MIN_CONTRADICTION, 0.1 * high)
}

/// Returns whether a frame has a b-value above 0.
fn is_weighted(diffusion: &Diffusion) -> bool {
    diffusion.b_value > Some(0.0) || diffusion.second_b_value > Some(0.0)
}
