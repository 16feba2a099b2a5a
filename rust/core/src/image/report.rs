//! What a comparison of a series with its images found.

use std::collections::BTreeMap;

use super::order::Order;
use super::samples::Difference;
use crate::frames::Encoding;

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
