//! `pack_folder`, `gzip_file`, `gzip_content_size_and_head` and the hashes, which `python/qxbatch/_core.pyi` documents.
#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments from Python and errors come owned"
)]

use std::path::PathBuf;

use pyo3::prelude::*;
use qxbatch_core::notation::{escape, hexadecimal};
use qxbatch_core::pack::{gzip, hash, tar_gz, written};

use crate::failure::pack_error;
use crate::ingest::DeflateStreams;
use crate::monitor::Monitor;

#[pyfunction]
#[pyo3(signature = (folder, out, prefix, *, level = 0, streams = None, monitor = None))]
pub(crate) fn pack_folder(
    py: Python<'_>,
    folder: PathBuf,
    out: PathBuf,
    prefix: &str,
    level: u32,
    streams: Option<&Bound<'_, DeflateStreams>>,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<u64> {
    let monitor = Monitor::or_new(monitor);
    let streams = streams.map(|streams| &streams.get().core);
    py.detach(|| tar_gz::pack_folder(&folder, &out, prefix, level, streams, &monitor))
        .map_err(pack_error)
}

#[pyfunction]
#[pyo3(signature = (source, out, *, level = 0, monitor = None))]
pub(crate) fn gzip_file(
    py: Python<'_>,
    source: PathBuf,
    out: PathBuf,
    level: u32,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<(u64, String)> {
    let monitor = Monitor::or_new(monitor);
    let (size, sha256) = py
        .detach(|| gzip::gzip_file(&source, &out, level, &monitor))
        .map_err(pack_error)?;
    Ok((size, hexadecimal(&sha256)))
}

#[pyfunction]
#[pyo3(signature = (path, *, monitor = None))]
pub(crate) fn hash_file(
    py: Python<'_>,
    path: PathBuf,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<(u64, String)> {
    let monitor = Monitor::or_new(monitor);
    let (size, sha256) = py
        .detach(|| hash::file(&path, &monitor))
        .map_err(pack_error)?;
    Ok((size, hexadecimal(&sha256)))
}

#[pyfunction]
#[pyo3(signature = (path, *, refuse_foreign_bytes = false, monitor = None))]
pub(crate) fn hash_gzip_content(
    py: Python<'_>,
    path: PathBuf,
    refuse_foreign_bytes: bool,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<(u64, String)> {
    let monitor = Monitor::or_new(monitor);
    let (size, sha256) = py
        .detach(|| {
            if refuse_foreign_bytes {
                written::check_gzip(&path, &monitor)?;
            }
            hash::gzip_content(&path, &monitor)
        })
        .map_err(pack_error)?;
    Ok((size, hexadecimal(&sha256)))
}

#[pyfunction]
#[pyo3(signature = (path, head, *, monitor = None))]
pub(crate) fn gzip_content_size_and_head(
    py: Python<'_>,
    path: PathBuf,
    head: usize,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<(u64, Vec<u8>)> {
    let monitor = Monitor::or_new(monitor);
    py.detach(|| hash::gzip_content_size_and_head(&path, head, &monitor))
        .map_err(pack_error)
}

#[pyfunction]
#[pyo3(signature = (path, *, refuse_foreign_bytes = false, monitor = None))]
pub(crate) fn hash_tar_gz_members(
    py: Python<'_>,
    path: PathBuf,
    refuse_foreign_bytes: bool,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<Vec<(String, u64, String)>> {
    let monitor = Monitor::or_new(monitor);
    let members = py
        .detach(|| {
            let members = hash::tar_gz_members(&path, &monitor)?;
            if refuse_foreign_bytes {
                written::check_tar_gz(&path, &members, &monitor)?;
            }
            Ok(members)
        })
        .map_err(pack_error)?;
    Ok(members
        .into_iter()
        .map(|(name, size, sha256)| (escape(&name), size, hexadecimal(&sha256)))
        .collect())
}
