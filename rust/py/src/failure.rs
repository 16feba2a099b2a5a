//! Turns the core's errors into exceptions.
#![allow(clippy::needless_pass_by_value, reason = "errors come owned")]

use std::ffi::OsString;
use std::io;
use std::path::Path;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use qxbatch_core::ingest::Stop;
use qxbatch_core::pack::Failure;

use crate::monitor::cancelled_error;

/// Returns OSError, or its subclass for the error number (such as FileNotFoundError), with the path of the file.
pub(crate) fn os_error(path: &Path, error: &io::Error) -> PyErr {
    let name: OsString = path.as_os_str().to_owned();
    let text = error.to_string();
    let text = text
        .split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned();
    let number = error.raw_os_error().unwrap_or_else(|| errno(error.kind()));
    PyOSError::new_err((number, text, name))
}

/// Returns the OSError (EAGAIN) for threads that the operating system refuses.
pub(crate) fn no_thread_error() -> PyErr {
    PyOSError::new_err((errno(io::ErrorKind::WouldBlock), "Cannot start a thread"))
}

/// Returns the error number (errno) of an error that the core creates itself, which has none.
fn errno(kind: io::ErrorKind) -> i32 {
    match kind {
        io::ErrorKind::NotFound => 2,       // ENOENT
        io::ErrorKind::AlreadyExists => 17, // EEXIST
        io::ErrorKind::WouldBlock => 11,    // EAGAIN
        io::ErrorKind::InvalidInput => 22,  // EINVAL
        io::ErrorKind::StorageFull => 28,   // ENOSPC
        _ => 5,                             // EIO
    }
}

/// Returns the exception for an error of `ingest` or of a method of its result.
pub(crate) fn ingest_error(stop: Stop) -> PyErr {
    match stop {
        Stop::Cancelled => cancelled_error(),
        Stop::Io { path, source } => os_error(&path, &source),
    }
}

/// Returns the exception for an error of packing or hashing.
pub(crate) fn pack_error(failure: Failure) -> PyErr {
    match failure {
        Failure::Cancelled => cancelled_error(),
        Failure::Io { path, source } => os_error(&path, &source),
        Failure::Damaged(reason) => PyValueError::new_err(reason),
    }
}
