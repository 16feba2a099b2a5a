//! The result of comparing a series with its images.

use std::collections::{BTreeMap, BTreeSet};

use super::slice_rows::Difference;
use super::volume_order::VolumeOrder;
use crate::frames::{Component, PixelEncoding};

/// A frame that repeats another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedFrame {
    /// Index of its file.
    pub file: usize,
    /// Its number in the file, from 0.
    pub frame: u32,
    /// Index of the file of the frame that it repeats.
    pub other_file: usize,
    /// The number of that frame in its file, from 0.
    pub other_frame: u32,
}

/// A frame whose position matches no slice of any image.
#[derive(Debug, Clone)]
pub struct MisplacedFrame {
    /// Index of its file.
    pub file: usize,
    /// Its number in the file, from 0.
    pub frame: u32,
    /// The largest distance of its corners from those of the nearest slice, mm; infinite if no image has its size and
    /// directions.
    pub distance: f64,
}

/// The result for one image.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub struct ImageCheck {
    /// Slices (of all volumes) without a frame, except those of `different_slices`.
    pub slices_without_frame: usize,
    /// Slices (of all volumes) whose values differ from every frame at their position that was not assigned yet.
    pub different_slices: usize,
    /// The first slice with different values.
    pub first_difference: Option<Difference>,
    /// Whether the volumes are in the order of a time or number in the headers, such as AcquisitionTime.
    pub volume_order: VolumeOrder,
    /// Time between volumes in s, if RepetitionTime and the acquisition times agree; None for diffusion scans.
    pub time_step: Option<f64>,
    /// The shortest and the longest echo time of its frames, ms; None if the headers have none.
    pub echo_times: Option<[f64; 2]>,
    /// The lowest and the highest flip angle of its frames, degrees; None if the headers have none.
    pub flip_angles: Option<[f64; 2]>,
    /// The shortest and the longest inversion time of its frames, ms; None if the headers have none.
    pub inversion_times: Option<[f64; 2]>,
    /// The shortest and the longest repetition time of its frames, ms; None if the headers have none.
    pub repetition_times: Option<[f64; 2]>,
    /// The components of complex values, such as magnitude or phase, that the headers of its frames name.
    pub components: BTreeSet<Component>,
    /// For each volume, the b-value and the second b-value ([`Diffusion`](crate::frames::Diffusion)) in s/mm2; None if
    /// the headers have none.
    pub b_values: Vec<(Option<f64>, Option<f64>)>,
    /// The first volume with a frame whose header elements contain b-values that contradict each other, and the lowest
    /// and the highest of these b-values in s/mm2.
    pub contradicting_b_values: Option<(usize, f64, f64)>,
    /// The first volume whose slices have different b-values or gradient directions.
    pub mixed_volume: Option<usize>,
    /// The first volume with a slice that belongs to another volume by an element of the headers, and the name of this
    /// element.
    pub exchanged_slices: Option<(usize, &'static str)>,
    /// Gradient direction of each volume in patient axes (LPS+), if the headers have it.
    pub directions: Vec<Option<[f64; 3]>>,
    /// Gradient direction of each volume in patient axes (LPS+), from classic GE headers, which have it by frequency,
    /// phase and slice encoding instead. Its signs are certain only if `has_known_signs`.
    pub encoding_directions: Vec<Option<[f64; 3]>>,
    /// Whether the signs of `encoding_directions` are certain; true without a frame.
    pub has_known_signs: bool,
    /// Whether a header says that the image is part of a diffusion scan, or has a b-value above 0.
    pub is_diffusion: bool,
    /// Whether the headers of all volumes with a b-value above 0 say that the weighting is isotropic: trace images.
    /// False without such a volume.
    pub is_isotropic: bool,
    /// Whether all its frames are derived; true without a frame.
    pub is_derived: bool,
    /// Whether some of its frames are derived.
    pub has_derived_frames: bool,
    /// The signals of a Dixon scan that the headers of its frames name.
    pub dixon_signals: BTreeSet<&'static str>,
    /// The lowest InstanceNumber or frame number, and the index of its file; the largest integers if no frame was
    /// assigned.
    pub lowest_instance_number_and_file: (i64, usize),
    /// Another image of the same kind whose slices are between this image's slices or continue them: both are parts of
    /// one volume.
    pub same_volume_as: Option<usize>,
    /// Another image of the same kind at the same position: both are volumes of one scan.
    pub same_scan_as: Option<usize>,
    /// Number of slices of all volumes.
    pub slices: usize,
}

/// The result for a series and its images.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Number of files of the series, each with one object.
    pub files: usize,
    /// Number of frames of all objects.
    pub frames: usize,
    /// Files in which another DICOM file begins after the pixel data.
    pub joined_files: usize,
    /// Mosaics whose header lacks the number of slices.
    pub mosaics_without_slice_count: usize,
    /// Square Siemens images that may be mosaics: they have at least three times as many rows as were acquired.
    pub suspected_mosaics: usize,
    /// Mosaics whose header has the number of slices, but not the direction in which they follow each other.
    pub mosaics_without_direction: usize,
    /// Frames without valid position, orientation or pixel spacing.
    pub frames_without_geometry: usize,
    /// Frames whose position matches no slice of any image.
    pub misplaced_frames: Vec<MisplacedFrame>,
    /// Frames that were assigned to no slice, although there are slices at their position.
    pub frames_without_slice: usize,
    /// Number of volumes that match their image except for a movement of the whole volume.
    pub moved_volume_count: usize,
    /// The largest movement of these volumes relative to their image, mm.
    pub largest_movement: f64,
    /// The largest angle (rad) between a frame and its image that moves a corner by more than 0.1 mm; 0 without one.
    pub largest_tilt: f64,
    /// Frames with pixel data whose values were not compared, by reason.
    pub frames_not_compared: BTreeMap<&'static str, usize>,
    /// Number of frames whose values cannot be compared and whose order is irregular: nothing says in which order a
    /// converter stored them. A regular order is volume by volume; in a series of classic objects, whose order is that of
    /// their InstanceNumbers, also place by place.
    pub frames_of_irregular_order: usize,
    /// Frames that repeat another frame: same values, which are not all equal, and same attributes except for the
    /// InstanceNumber. Frames of copied volumes do not count.
    pub repeated_frames: Vec<RepeatedFrame>,
    /// Number of different pairs of rescale slope and intercept.
    pub scaling_count: usize,
    /// Frames whose rescale slope is 0.
    pub zero_slopes: usize,
    /// The pixel encodings, with the number of frames of each.
    pub encodings: BTreeMap<PixelEncoding, usize>,
    /// The result for each image, in the given order.
    pub checks: Vec<ImageCheck>,
}
