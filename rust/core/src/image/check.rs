//! Compares the images that a converter made with the frames of the DICOM objects that they were made of.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use super::find::find;
use super::grid::{Grid, Plane, dot};
use super::nifti::{self, Nifti};
use super::order::{Order, ordered};
use super::places::{Member, Places};
use super::samples::Difference;
use super::values::{Match, Values};
use crate::frames::{Component, Diffusion, Encoding, Object, Pixels, Series, obstacle};

/// b values of one frame that differ by less are the same, s/mm2.
const LEAST_CONTRADICTION: f64 = 50.0;

/// A frame that is in no image.
#[derive(Debug, Clone)]
pub struct Unplaced {
    /// Index of its file.
    pub file: usize,
    /// Its number in the file, from 0.
    pub frame: u32,
    /// Its distance from the nearest slice, mm; infinite where no image has its size and directions.
    pub distance: f64,
}

/// One image against the headers.
#[derive(Debug, Clone, Default)]
pub struct ImageCheck {
    /// Slices (of all volumes) that no frame is for.
    pub surplus: usize,
    /// Slices (of all volumes) with other values than their frame, and the first of them.
    pub different: usize,
    /// The first slice with other values.
    pub difference: Option<Difference>,
    /// Whether the volumes are in the order of an element of the headers.
    pub order: Order,
    /// b value of each volume in s/mm2, with the nominal one; None where the headers have none.
    pub b_values: Vec<(Option<f64>, Option<f64>)>,
    /// The first volume whose elements give several b values, with the lowest and the highest of them.
    pub contradiction: Option<(usize, f64, f64)>,
    /// Direction of the gradient of each volume in the patient's axes (LPS+), where the headers have it.
    pub directions: Vec<Option<[f64; 3]>>,
    /// A header says that a volume is diffusion weighted.
    pub diffusion: bool,
    /// All volumes with a b value above 0 have no direction: trace images.
    pub isotropic: bool,
    /// All frames are derived.
    pub derived: bool,
    /// The lowest InstanceNumber or frame number, and the index of its file.
    pub first: (i64, usize),
    /// Another image of the same kind whose slices are between its own or continue them: both are one volume.
    pub part_of: Option<usize>,
    /// Another image of the same kind at the same place: both are volumes of one scan.
    pub twin: Option<usize>,
    /// Slices of all volumes.
    pub slices: usize,
}

/// A series against its images.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Objects.
    pub files: usize,
    /// Frames of all objects.
    pub frames: usize,
    /// Mosaics whose header does not say how many slices they show.
    pub without_tiles: usize,
    /// Images that may be mosaics: they have three times as many rows as were acquired.
    pub suspected: usize,
    /// Mosaics whose header does not say in which direction their slices follow each other.
    pub undirected: usize,
    /// Frames without position, orientation or spacing.
    pub placeless: usize,
    /// Frames that are in no image by their place.
    pub astray: Vec<Unplaced>,
    /// Frames for which their place has no slice left in any image.
    pub lost: usize,
    /// Volumes that moved as a whole.
    pub moved: usize,
    /// How far they moved at most, mm.
    pub moved_by: f64,
    /// The largest angle between a frame and its image where it moves a corner by more than the tolerance, rad.
    pub tilt: f64,
    /// Frames whose values were not compared, by the reason.
    pub not_compared: BTreeMap<&'static str, usize>,
    /// Compressed frames of objects that do not store them volume by volume.
    pub shuffled: usize,
    /// Different rescale slopes and intercepts.
    pub scalings: usize,
    /// The pixel encodings, with the number of their frames.
    pub encodings: BTreeMap<Encoding, usize>,
    /// Each image, in the order given.
    pub checks: Vec<ImageCheck>,
}

/// Compares a series with images.
///
/// `maps` are images that repeat frames of the others (dcm2niix writes a series with a map also whole).
///
/// # Errors
///
/// When a file cannot be read.
pub fn compare(series: &Series, images: &[PathBuf], maps: &[bool]) -> io::Result<Comparison> {
    let mut opened = Vec::with_capacity(images.len());
    for path in images {
        opened.push(nifti::open(path)?);
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
    maps: &'s [bool],
}

impl Check<'_> {
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
        // As converters take them: so the first try is nearly always the right one.
        members.sort_by_key(|member| {
            (
                member.frame.attributes.instance,
                member.file,
                member.frame.index,
            )
        });
        members
    }

    fn compared(&self) -> io::Result<Comparison> {
        let members = self.members();
        let grids: Vec<Option<Grid>> = self.images.iter().map(Grid::of).collect();
        let places = find(&members, &grids);
        let mut comparison = self.counted(&members, &places);
        let matches = Values::new(&members, self.files, self.images, self.maps).matched(&places)?;
        comparison.lost = matches.lost;
        for (image, found) in matches.images.iter().enumerate() {
            let mut check = self.check(&members, image, found);
            let (one, other) = self.torn(image, &grids, &matches.images, &members);
            (check.part_of, check.twin) = (one, other);
            comparison.checks.push(check);
        }
        Ok(comparison)
    }

    fn counted(&self, members: &[Member<'_>], places: &Places) -> Comparison {
        let mut comparison = Comparison {
            files: self.objects.len(),
            frames: members.len(),
            placeless: places.placeless.len(),
            moved: places.moved.volumes,
            moved_by: places.moved.distance,
            tilt: places.tilt,
            ..Comparison::default()
        };
        for object in self.objects {
            let pixels = object.pixels != Pixels::Absent;
            comparison.suspected += usize::from(object.may_be_mosaic());
            if let Some(tiling) = object.tiling {
                comparison.without_tiles += usize::from(tiling.count == 0);
                comparison.undirected += usize::from(tiling.count > 0 && !tiling.directed);
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
        comparison.astray = places
            .astray
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

    /// Other images that are one volume, or one scan, with an image.
    fn torn(
        &self,
        image: usize,
        grids: &[Option<Grid>],
        matches: &[Match],
        members: &[Member<'_>],
    ) -> (Option<usize>, Option<usize>) {
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

    fn check(&self, members: &[Member<'_>], image: usize, found: &Match) -> ImageCheck {
        let volumes = self.images.get(image).map_or(1, |image| image.volumes);
        let mut check = ImageCheck {
            surplus: found.surplus,
            different: found.different,
            difference: found.difference,
            derived: true,
            isotropic: true,
            first: (i64::MAX, usize::MAX),
            slices: found.frames.iter().map(Vec::len).sum(),
            b_values: vec![(None, None); volumes as usize],
            directions: vec![None; volumes as usize],
            ..ImageCheck::default()
        };
        for (volume, index) in found.frames.iter().flat_map(|row| row.iter().enumerate()) {
            let Some(member) = index.and_then(|index| members.get(index)) else {
                continue;
            };
            let frame = &member.frame.attributes;
            check.derived &= frame.derived;
            check.isotropic &= frame.diffusion.isotropic || !weighted(&frame.diffusion);
            check.diffusion |= frame.diffusion.claimed || weighted(&frame.diffusion);
            check.first = check
                .first
                .min((frame.instance.unwrap_or(i64::MAX), member.file));
            let earlier = check.contradiction.is_none_or(|(first, ..)| volume < first);
            let range = frame.diffusion.range.filter(contradict);
            if let (true, Some([low, high])) = (earlier, range) {
                check.contradiction = Some((volume, low, high));
            }
            if let Some(slot) = check.directions.get_mut(volume) {
                *slot = slot.or(frame.diffusion.direction);
            }
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
            .all(|(one, two)| !(*one > Some(0.0) || *two > Some(0.0)));
        check.isotropic &= !unweighted;
        if volumes > 1 && unweighted {
            check.order = ordered(members, &found.frames);
        }
        check
    }
}

/// Whether the b values of a frame are further apart than rounding and imaging gradients explain.
fn contradict([low, high]: &[f64; 2]) -> bool {
    high - low > f64::max(LEAST_CONTRADICTION, 0.1 * high)
}

fn weighted(diffusion: &Diffusion) -> bool {
    diffusion.b_value > Some(0.0) || diffusion.nominal > Some(0.0)
}

/// Whether the frames of an object do not follow each other slice by slice, volume by volume.
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

/// What images of one scan share.
#[derive(Debug, PartialEq)]
struct Traits {
    names: (u64, Component, u64, u64, u16),
    /// Echo, repetition and inversion time, flip angle, trigger time.
    numbers: [Option<f64>; 5],
}

impl Traits {
    /// Times that differ by less than a hundredth are the same: scanners give them with their own imprecision.
    fn alike(&self, other: &Self) -> bool {
        let near = |one: &Option<f64>, two: &Option<f64>| match (one, two) {
            (Some(one), Some(two)) => (one - two).abs() <= 0.01 * one.abs(),
            (one, two) => one == two,
        };
        self.names == other.names
            && self
                .numbers
                .iter()
                .zip(&other.numbers)
                .all(|(one, two)| near(one, two))
    }
}
