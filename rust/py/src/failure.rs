//! Turns the core's errors into exceptions.
#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments from Python and errors come owned"
)]

use std::ffi::OsString;
use std::io;
use std::path::Path;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use qxbatch_core::ingest::Stop;
use qxbatch_core::pack::Failure;

use crate::monitor::cancelled;

/// Returns OSError, or the Python subclass for its number, with the file's name.
pub(crate) fn os_error(path: &Path, error: &io::Error) -> PyErr {
    let name: OsString = path.as_os_str().to_owned();
    let text = error.to_string();
    let text = text
        .split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned();
    let number = error.raw_os_error().unwrap_or_else(|| number(error.kind()));
    PyOSError::new_err((number, text, name))
}

/// Error numbers for errors that the core creates itself.
fn number(kind: io::ErrorKind) -> i32 {
    match kind {
        io::ErrorKind::NotFound => 2,
        io::ErrorKind::AlreadyExists => 17,
        io::ErrorKind::InvalidInput => 22,
        io::ErrorKind::StorageFull => 28,
        _ => 5,
    }
}

/// Returns the exception for an error of `ingest`.
pub(crate) fn stopped(stop: Stop) -> PyErr {
    match stop {
        Stop::Cancelled => cancelled(),
        Stop::Io { path, source } => os_error(&path, &source),
    }
}

/// Returns the exception for an error of packing or hashing.
pub(crate) fn failed(failure: Failure) -> PyErr {
    match failure {
        Failure::Cancelled => cancelled(),
        Failure::Io { path, source } => os_error(&path, &source),
        Failure::Damaged(reason) => PyValueError::new_err(reason),
    }
}
