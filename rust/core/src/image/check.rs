//! Compares the images of a converter with the frames of the DICOM objects they were converted from.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::find::find_places;
use super::gradient::{direction, encoding_direction, has_known_signs};
use super::grid::{Grid, Plane, dot};
use super::nifti::{self, Nifti};
use super::order::ordered;
use super::places::{Member, Places};
use super::report::{Comparison, ImageCheck, Unplaced};
use super::split_images::SplitImages;
use super::time_step::time_step;
use super::values::{Match, ValueMatcher};
use crate::frames::{Diffusion, FileError, Object, Pixels, Series, obstacle};

/// b-values of one frame that differ by at most this (s/mm2) do not contradict each other.
const MIN_CONTRADICTION: f64 = 50.0;

/// Compares a series with images.
///
/// `maps` says for each image whether it repeats frames of the other images: dcm2niix writes a series that contains a
/// computed map twice, once as a whole and once without the map.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub fn compare(
    series: &Series,
    images: &[PathBuf],
    maps: &[bool],
) -> Result<Comparison, FileError> {
    let mut opened = Vec::with_capacity(images.len());
    for path in images {
        opened.push(nifti::open(path).map_err(|error| (path.clone(), error))?);
    }
    Check {
        files: &series.files,
        objects: &series.objects,
        images: &opened,
        maps,
    }
    .compared()
}

struct Check<'s> {
    files: &'s [PathBuf],
    objects: &'s [Object],
    images: &'s [Nifti],
    /// Whether each image repeats frames of the other images.
    maps: &'s [bool],
}

impl Check<'_> {
    /// Returns all frames in the order in which converters store them, so that the first try nearly always succeeds.
    fn members(&self) -> Vec<Member<'_>> {
        let mut members = Vec::new();
        for (file, object) in self.objects.iter().enumerate() {
            let (columns, rows) = (object.frame_columns(), object.frame_rows());
            members.extend(object.frames.iter().map(|frame| Member {
                object,
                frame,
                file,
                plane: Plane::of(&frame.attributes, columns, rows),
            }));
        }
        members.sort_by_key(|member| {
            (
                member.frame.attributes.instance,
                member.file,
                member.frame.index,
            )
        });
        members
    }

    fn compared(&self) -> Result<Comparison, FileError> {
        let members = self.members();
        let grids: Vec<Option<Grid>> = self.images.iter().map(Grid::of).collect();
        let places = find_places(&members, &grids);
        let mut comparison = self.counted(&members, &places);
        let matches =
            ValueMatcher::new(&members, self.files, self.images, self.maps).matched(&places)?;
        comparison.missing = matches.missing;
        let split_images = SplitImages {
            images: self.images,
            maps: self.maps,
            grids: &grids,
            matches: &matches.images,
            members: &members,
        };
        for (image, matched) in matches.images.iter().enumerate() {
            let mut check = self.check(&members, image, matched);
            (check.part_of, check.twin) = split_images.part_and_twin(image);
            comparison.checks.push(check);
        }
        Ok(comparison)
    }

    /// Returns the counts of the comparison, without the results for images.
    fn counted(&self, members: &[Member<'_>], places: &Places) -> Comparison {
        let mut comparison = Comparison {
            files: self.objects.len(),
            frames: members.len(),
            without_geometry: places.without_geometry.len(),
            moved: places.moved.volumes,
            moved_by: places.moved.distance,
            tilt: places.tilt,
            ..Comparison::default()
        };
        for object in self.objects {
            let pixels = object.pixels != Pixels::Absent;
            comparison.suspected_mosaics += usize::from(object.may_be_mosaic());
            if let Some(tiling) = object.tiling {
                comparison.mosaics_without_slice_count += usize::from(tiling.count == 0);
                comparison.mosaics_without_direction +=
                    usize::from(tiling.count > 0 && !tiling.directed);
            }
            if pixels {
                *comparison.encodings.entry(object.encoding).or_default() += object.frames.len();
            }
            if obstacle(object).is_some() && shuffled(object) {
                comparison.shuffled += object.frames.len();
            }
            if let (true, Some(reason), false) =
                (pixels, obstacle(object), object.frames.is_empty())
            {
                *comparison.not_compared.entry(reason).or_default() += object.frames.len();
            }
        }
        let scalings = members.iter().map(|member| {
            let rescale = member.frame.attributes.rescale.unwrap_or([1.0, 0.0]);
            rescale.map(f64::to_bits)
        });
        comparison.scalings = scalings.collect::<BTreeSet<_>>().len();
        comparison.misplaced = places
            .misplaced
            .iter()
            .filter_map(|(index, distance)| {
                let member = members.get(*index)?;
                Some(Unplaced {
                    file: member.file,
                    frame: member.frame.index,
                    distance: *distance,
                })
            })
            .collect();
        comparison
    }

    /// Returns the result for one image.
    fn check(&self, members: &[Member<'_>], image: usize, matched: &Match) -> ImageCheck {
        let volumes = self.images.get(image).map_or(1, |image| image.volumes);
        let mut check = ImageCheck {
            surplus: matched.surplus,
            different: matched.different,
            difference: matched.difference,
            derived: true,
            isotropic: true,
            first: (i64::MAX, usize::MAX),
            slices: matched.frames.iter().map(Vec::len).sum(),
            b_values: vec![(None, None); volumes as usize],
            directions: vec![None; volumes as usize],
            encoding_directions: vec![None; volumes as usize],
            encoding_signs: true,
            ..ImageCheck::default()
        };
        for (volume, index) in matched.frames.iter().flat_map(|row| row.iter().enumerate()) {
            let Some(member) = index.and_then(|index| members.get(index)) else {
                continue;
            };
            let frame = &member.frame.attributes;
            check.derived &= frame.derived;
            extend(&mut check.echo_times, frame.echo_time);
            extend(&mut check.flip_angles, frame.flip_angle);
            extend(&mut check.inversion_times, frame.inversion_time);
            check.isotropic &= frame.diffusion.isotropic || !weighted(&frame.diffusion);
            check.diffusion |= frame.diffusion.in_diffusion_scan || weighted(&frame.diffusion);
            check.first = check
                .first
                .min((frame.instance.unwrap_or(i64::MAX), member.file));
            let earlier = check.contradiction.is_none_or(|(first, ..)| volume < first);
            let range = frame.diffusion.b_value_range.filter(contradict);
            if let (true, Some([low, high])) = (earlier, range) {
                check.contradiction = Some((volume, low, high));
            }
            if let Some(slot) = check.directions.get_mut(volume) {
                *slot = slot.or_else(|| direction(frame));
            }
            if let Some(slot) = check.encoding_directions.get_mut(volume) {
                *slot = slot.or_else(|| encoding_direction(frame));
            }
            check.encoding_signs &= has_known_signs(frame);
            if let Some(slot) = check.b_values.get_mut(volume) {
                *slot = (
                    slot.0.or(frame.diffusion.b_value),
                    slot.1.or(frame.diffusion.nominal),
                );
            }
        }
        let weights = check.b_values.iter();
        let unweighted = weights
            .clone()
            .all(|(b_value, nominal)| !(*b_value > Some(0.0) || *nominal > Some(0.0)));
        check.isotropic &= !unweighted;
        if volumes > 1 && (unweighted || without_patient_axes(members)) {
            check.order = ordered(members, &matched.frames);
        }
        if volumes > 1 && unweighted && !check.diffusion {
            check.time_step = time_step(members, &matched.frames);
        }
        check
    }
}

/// Returns whether directions are known by frequency and phase only (classic GE). They cannot always be compared with a
/// table, so the order of the volumes is checked too.
fn without_patient_axes(members: &[Member<'_>]) -> bool {
    members.iter().all(|member| {
        let diffusion = &member.frame.attributes.diffusion;
        diffusion.encoding_direction.is_some() && direction(&member.frame.attributes).is_none()
    })
}

/// Extends a range so that it includes a value; None changes nothing.
fn extend(range: &mut Option<[f64; 2]>, value: Option<f64>) {
    if let Some(value) = value {
        let [low, high] = range.unwrap_or([value; 2]);
        *range = Some([low.min(value), high.max(value)]);
    }
}

/// Returns whether the b-values of a frame differ more than rounding and imaging gradients explain.
fn contradict([low, high]: &[f64; 2]) -> bool {
    high - low > f64::max(MIN_CONTRADICTION, 0.1 * high)
}

/// Returns whether a frame has a b-value above 0.
fn weighted(diffusion: &Diffusion) -> bool {
    diffusion.b_value > Some(0.0) || diffusion.nominal > Some(0.0)
}

/// Returns whether an object does not store its frames volume by volume, with the slices of each volume in the same
/// order of position.
fn shuffled(object: &Object) -> bool {
    let along: Vec<Option<i64>> = object
        .frames
        .iter()
        .map(|frame| {
            let plane = Plane::of(&frame.attributes, 2, 2)?;
            #[allow(
                clippy::cast_possible_truncation,
                reason = "hundredths of a millimetre"
            )]
            Some((dot(plane.corner, plane.normal()) * 100.0).round() as i64)
        })
        .collect();
    let places: BTreeSet<_> = along.iter().flatten().collect();
    let count = places.len().max(1);
    let volumes: Vec<_> = along.chunks(count).collect();
    let rising = |volume: &&[Option<i64>]| volume.is_sorted() || volume.iter().rev().is_sorted();
    !(volumes.iter().all(rising) && volumes.iter().all(|volume| Some(volume) == volumes.first()))
}
