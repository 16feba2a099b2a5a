//! `grey_slice`.
#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments from Python and errors come owned"
)]

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use qxbatch_core::picture::{Voxel, grey};

use crate::failure::os_error;

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
    let voxel = Voxel::new(datatype, big_endian)
        .ok_or_else(|| PyValueError::new_err(format!("voxels of type {datatype}")))?;
    py.detach(|| grey(&path, offset, voxel, &rows, &columns))
        .map_err(|error| os_error(&path, &error))
}
