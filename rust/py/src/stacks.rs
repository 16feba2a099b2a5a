//! `AcquiredStacks` and its stacks. `_stacks.pyi` documents their fields.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use qxbatch_core::stacks as core;

/// The fields of `core::Intervals`, in ms.
type OptionalIntervals = (Option<f64>, Option<f64>, Option<f64>);

#[pyclass(frozen, get_all, module = "qxbatch._core")]
pub(crate) struct Stack {
    echo_time: Option<f64>,
    component: &'static str,
    is_derived: bool,
    size: (u32, u32),
    orientation: Option<[f64; 6]>,
    spacing: Option<[f64; 2]>,
    frames: usize,
    duplicate_frames: usize,
    slice_positions: Vec<f64>,
    slices: usize,
    volumes: usize,
    complete_volumes: usize,
    slices_in_partial_volume: usize,
    missing_slices_before_last: usize,
    missing_volumes: usize,
    intervals: OptionalIntervals,
    b_values: Vec<(f64, usize)>,
    direction_count: usize,
}

#[pyclass(frozen, get_all, module = "qxbatch._core")]
pub(crate) struct AcquiredStacks {
    stacks: Vec<Py<Stack>>,
    first_and_last_time: Option<(f64, f64)>,
    echo_times: Vec<f64>,
    missing_mosaics: usize,
    header_numbers: BTreeMap<String, Vec<f64>>,
    header_texts: BTreeMap<String, String>,
}

impl AcquiredStacks {
    pub(crate) fn new(
        py: Python<'_>,
        acquired: core::AcquiredStacks,
        details: qxbatch_core::frames::Details,
    ) -> PyResult<Self> {
        let stacks = acquired.stacks.into_iter();
        Ok(Self {
            stacks: stacks
                .map(|core_stack| Py::new(py, stack(core_stack)))
                .collect::<PyResult<_>>()?,
            first_and_last_time: acquired.first_and_last_time,
            echo_times: acquired.echo_times,
            missing_mosaics: acquired.missing_mosaics,
            header_numbers: details.numbers,
            header_texts: details.texts,
        })
    }
}

fn stack(source: core::Stack) -> Stack {
    let (volumes, intervals) = (source.volumes, source.intervals);
    Stack {
        echo_time: source.echo_time,
        component: source.component,
        is_derived: source.is_derived,
        size: source.size,
        orientation: source.orientation,
        spacing: source.spacing,
        frames: source.frames,
        // In Python, frames that repeat a slice of their volume count as duplicates too.
        duplicate_frames: source
            .duplicate_frames
            .saturating_add(volumes.repeated_frames),
        slice_positions: source.slice_positions,
        slices: volumes.slices,
        volumes: volumes.count,
        complete_volumes: volumes.complete_volumes,
        slices_in_partial_volume: volumes.slices_in_partial_volume,
        missing_slices_before_last: volumes.missing_slices_before_last,
        missing_volumes: volumes.missing_volumes,
        intervals: (
            intervals.acquisition_time,
            intervals.time_offset,
            intervals.trigger_time,
        ),
        b_values: source.b_values,
        direction_count: source.direction_count,
    }
}
