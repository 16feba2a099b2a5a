//! `decode_lossless_jpeg`, `grey_slice`, `colour_slice`, `SeriesFrames` and its comparison with images. In
//! `python/qxbatch`, `_core.pyi` documents `SeriesFrames`, and `_images.pyi` the others with their fields.
#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments from Python and errors come owned"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use qxbatch_core::frames::{
    Component, Details, Facts, Pixels, Series, decode_lossless_jpeg as core_decode_lossless_jpeg,
    details,
};
use qxbatch_core::image::{self as core, VolumeOrder, VoxelType, colours, grey};
use qxbatch_core::stacks::acquired_stacks;

use crate::failure::os_error;
use crate::stacks::AcquiredStacks;

#[pyfunction]
pub(crate) fn decode_lossless_jpeg(
    py: Python<'_>,
    stream: &[u8],
    rows: u32,
    columns: u32,
    cell_bytes: usize,
) -> Option<Vec<u8>> {
    py.detach(|| core_decode_lossless_jpeg(stream, rows, columns, cell_bytes))
}

#[pyfunction]
#[pyo3(signature = (path, offset, datatype, rows, columns, *, big_endian))]
pub(crate) fn grey_slice(
    py: Python<'_>,
    path: PathBuf,
    offset: u64,
    datatype: i32,
    rows: Vec<u64>,
    columns: Vec<u64>,
    big_endian: bool,
) -> PyResult<Vec<u8>> {
    let voxel_type = voxel_type(datatype, big_endian)?;
    py.detach(|| grey(&path, offset, voxel_type, &rows, &columns))
        .map_err(|error| os_error(&path, &error))
}

#[pyfunction]
pub(crate) fn colour_slice(
    py: Python<'_>,
    path: PathBuf,
    offset: u64,
    datatype: i32,
    rows: Vec<u64>,
    columns: Vec<u64>,
) -> PyResult<Option<Vec<u8>>> {
    let voxel_type = voxel_type(datatype, false)?;
    py.detach(|| colours(&path, offset, voxel_type, &rows, &columns))
        .map_err(|error| os_error(&path, &error))
}

fn voxel_type(datatype: i32, big_endian: bool) -> PyResult<VoxelType> {
    VoxelType::new(datatype, big_endian)
        .ok_or_else(|| PyValueError::new_err(format!("voxels of type {datatype}")))
}

#[pyclass(frozen, get_all, module = "qxbatch._core")]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct ImageCheck {
    slices: usize,
    slices_without_frame: usize,
    different_slices: usize,
    // file, frame, slice, volume, expected value, value in the image
    first_difference: Option<(usize, u32, u32, u32, f64, f64)>,
    volume_order: &'static str,
    time_step: Option<f64>,
    echo_times: Option<(f64, f64)>,
    flip_angles: Option<(f64, f64)>,
    inversion_times: Option<(f64, f64)>,
    repetition_times: Option<(f64, f64)>,
    components: Vec<&'static str>,
    // b-value and second b-value of each volume
    b_values: Vec<(Option<f64>, Option<f64>)>,
    // volume, lowest and highest b-value
    contradicting_b_values: Option<(usize, f64, f64)>,
    mixed_volume: Option<usize>,
    // volume, element
    exchanged_slices: Option<(usize, &'static str)>,
    directions: Vec<Option<[f64; 3]>>,
    encoding_directions: Vec<Option<[f64; 3]>>,
    has_known_signs: bool,
    is_diffusion: bool,
    is_isotropic: bool,
    is_derived: bool,
    has_derived_frames: bool,
    dixon_signals: Vec<&'static str>,
    // InstanceNumber, file
    lowest_instance_number_and_file: (i64, usize),
    same_volume_as: Option<usize>,
    same_scan_as: Option<usize>,
}

#[pyclass(frozen, get_all, module = "qxbatch._core")]
pub(crate) struct Comparison {
    files: usize,
    frames: usize,
    joined_files: usize,
    mosaics_without_slice_count: usize,
    suspected_mosaics: usize,
    mosaics_without_direction: usize,
    frames_without_geometry: usize,
    // file, frame, distance in mm
    misplaced_frames: Vec<(usize, u32, f64)>,
    frames_without_slice: usize,
    moved_volume_count: usize,
    largest_movement: f64,
    largest_tilt: f64,
    frames_of_irregular_order: usize,
    // file and frame, then those of the frame that it repeats
    repeated_frames: Vec<(usize, u32, usize, u32)>,
    scaling_count: usize,
    zero_slopes: usize,
    frames_not_compared: BTreeMap<&'static str, usize>,
    // signed, bits stored, bits allocated, number of frames
    encodings: Vec<(bool, u16, u16, usize)>,
    checks: Vec<Py<ImageCheck>>,
}

fn image_check(py: Python<'_>, check: core::ImageCheck) -> PyResult<Py<ImageCheck>> {
    let difference = check.first_difference.map(|difference| {
        (
            difference.file,
            difference.frame,
            difference.slice,
            difference.volume,
            difference.expected,
            difference.value,
        )
    });
    Py::new(
        py,
        ImageCheck {
            slices: check.slices,
            slices_without_frame: check.slices_without_frame,
            different_slices: check.different_slices,
            first_difference: difference,
            volume_order: match check.volume_order {
                VolumeOrder::NotCompared => "",
                VolumeOrder::Right => "right",
                VolumeOrder::Wrong => "wrong",
                VolumeOrder::Undetermined => "undetermined",
            },
            time_step: check.time_step,
            echo_times: check.echo_times.map(<(f64, f64)>::from),
            flip_angles: check.flip_angles.map(<(f64, f64)>::from),
            inversion_times: check.inversion_times.map(<(f64, f64)>::from),
            repetition_times: check.repetition_times.map(<(f64, f64)>::from),
            components: check.components.into_iter().map(component).collect(),
            b_values: check.b_values,
            contradicting_b_values: check.contradicting_b_values,
            mixed_volume: check.mixed_volume,
            exchanged_slices: check.exchanged_slices,
            directions: check.directions,
            encoding_directions: check.encoding_directions,
            has_known_signs: check.has_known_signs,
            is_diffusion: check.is_diffusion,
            is_isotropic: check.is_isotropic,
            is_derived: check.is_derived,
            has_derived_frames: check.has_derived_frames,
            dixon_signals: check.dixon_signals.into_iter().collect(),
            lowest_instance_number_and_file: check.lowest_instance_number_and_file,
            same_volume_as: check.same_volume_as,
            same_scan_as: check.same_scan_as,
        },
    )
}

fn component(component: Component) -> &'static str {
    match component {
        Component::Unknown => "",
        Component::Magnitude => "magnitude",
        Component::Phase => "phase",
        Component::Real => "real part",
        Component::Imaginary => "imaginary part",
        Component::Mixed => "mixed",
    }
}

fn comparison(py: Python<'_>, comparison: core::Comparison) -> PyResult<Comparison> {
    let checks = comparison
        .checks
        .into_iter()
        .map(|check| image_check(py, check));
    let misplaced = comparison.misplaced_frames.iter();
    let repeated = comparison.repeated_frames.iter();
    let encodings = comparison.encodings.iter();
    Ok(Comparison {
        files: comparison.files,
        frames: comparison.frames,
        joined_files: comparison.joined_files,
        mosaics_without_slice_count: comparison.mosaics_without_slice_count,
        suspected_mosaics: comparison.suspected_mosaics,
        mosaics_without_direction: comparison.mosaics_without_direction,
        frames_without_geometry: comparison.frames_without_geometry,
        misplaced_frames: misplaced
            .map(|frame| (frame.file, frame.frame, frame.distance))
            .collect(),
        frames_without_slice: comparison.frames_without_slice,
        moved_volume_count: comparison.moved_volume_count,
        largest_movement: comparison.largest_movement,
        largest_tilt: comparison.largest_tilt,
        frames_of_irregular_order: comparison.frames_of_irregular_order,
        repeated_frames: repeated
            .map(|frame| (frame.file, frame.frame, frame.other_file, frame.other_frame))
            .collect(),
        scaling_count: comparison.scaling_count,
        zero_slopes: comparison.zero_slopes,
        frames_not_compared: comparison.frames_not_compared,
        encodings: encodings
            .map(|(encoding, count)| {
                (
                    encoding.is_signed,
                    encoding.bits_stored,
                    encoding.bits_allocated,
                    *count,
                )
            })
            .collect(),
        checks: checks.collect::<PyResult<_>>()?,
    })
}

/// The objects of one series.
#[pyclass(frozen, module = "qxbatch._core")]
pub(crate) struct SeriesFrames {
    series: Series,
    facts: Facts,
}

#[pymethods]
impl SeriesFrames {
    #[new]
    #[pyo3(signature = (files, *, pixels = true))]
    fn new(py: Python<'_>, files: Vec<PathBuf>, pixels: bool) -> PyResult<Self> {
        let series = py
            .detach(|| {
                if pixels {
                    Series::read(files)
                } else {
                    Series::read_headers(files)
                }
            })
            .map_err(|(path, error)| os_error(&path, &error))?;
        let facts = series.facts();
        Ok(Self { series, facts })
    }

    #[getter]
    fn files(&self) -> Vec<&Path> {
        self.series.files.iter().map(PathBuf::as_path).collect()
    }

    #[getter]
    fn objects_with_pixels(&self) -> usize {
        self.facts.objects_with_pixels
    }

    #[getter]
    fn objects_without_pixels(&self) -> usize {
        self.facts.objects_without_pixels
    }

    #[getter]
    fn classes(&self) -> BTreeMap<String, usize> {
        self.facts.classes.clone()
    }

    #[getter]
    fn slices(&self) -> u64 {
        self.facts.slices
    }

    #[getter]
    fn voxels(&self) -> u64 {
        self.facts.voxels
    }

    #[getter]
    fn frame_sizes(&self) -> Vec<(u32, u32)> {
        self.facts.frame_sizes.clone()
    }

    #[getter]
    fn is_countable(&self) -> bool {
        self.facts.is_countable
    }

    #[getter]
    fn has_too_many_frames(&self) -> bool {
        self.series.has_too_many_frames
    }

    #[getter]
    fn truncated_files(&self) -> Vec<&Path> {
        self.series.truncated()
    }

    #[getter]
    fn has_mosaic(&self) -> bool {
        self.facts.has_mosaic
    }

    #[getter]
    fn series_number(&self) -> Option<i64> {
        self.facts.series_number
    }

    fn acquired_stacks(&self, py: Python<'_>) -> PyResult<AcquiredStacks> {
        let mut files = self.series.files.iter().zip(&self.series.objects);
        let image = files.find(|(_, object)| object.pixels != Pixels::Absent);
        let first = image.map(|(path, _)| path).or(self.series.files.first());
        let (stacks, details) = py.detach(|| {
            let details = first.map_or_else(|| Ok(Details::default()), |path| details(path));
            (acquired_stacks(&self.series), details)
        });
        let path = first.cloned().unwrap_or_default();
        AcquiredStacks::new(
            py,
            stacks,
            details.map_err(|error| os_error(&path, &error))?,
        )
    }

    fn compare(
        &self,
        py: Python<'_>,
        images: Vec<PathBuf>,
        repeats_frames: Vec<bool>,
    ) -> PyResult<Comparison> {
        let compared = py
            .detach(|| core::compare(&self.series, &images, &repeats_frames))
            .map_err(|(path, error)| os_error(&path, &error))?;
        comparison(py, compared)
    }
}
