//! `Scan` and `scan`, which `python/qxbatch/_core.pyi` documents.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::OnceLock;

use pyo3::exceptions::{PyIndexError, PyRuntimeError};
use pyo3::prelude::*;
use qxbatch_core::scan::{self as core, Outcome, ScanError};
use qxbatch_core::series::Group as CoreGroup;

use crate::failure::os_error;
use crate::group::Group;
use crate::header::Header;
use crate::monitor::{Monitor, cancelled_error};

#[pyclass(frozen, module = "qxbatch._core")]
pub(crate) struct Scan {
    core: core::Scan,
    groups: OnceLock<Vec<CoreGroup>>,
}

impl Scan {
    fn file(&self, index: usize) -> PyResult<&core::ScannedFile> {
        self.core
            .files()
            .get(index)
            .ok_or_else(|| PyIndexError::new_err("no such file in the scan"))
    }

    fn core_groups(&self, py: Python<'_>) -> &[CoreGroup] {
        py.detach(|| self.groups.get_or_init(|| self.core.groups()))
    }
}

#[pymethods]
impl Scan {
    fn __len__(&self) -> usize {
        self.core.files().len()
    }

    fn path(&self, index: usize) -> PyResult<OsString> {
        self.file(index)?;
        Ok(OsString::from_vec(self.core.path(index)))
    }

    fn header(&self, index: usize) -> PyResult<Option<Header>> {
        self.file(index)?;
        Ok(self.core.header(index).map(|header| Header {
            core: header.clone(),
        }))
    }

    fn problem(&self, index: usize) -> PyResult<Option<String>> {
        Ok(match &self.file(index)?.outcome {
            Outcome::Dicom(_) => None,
            Outcome::Other(reason) | Outcome::Damaged(reason) => Some(reason.to_string()),
            Outcome::Unreadable(error) => Some(error.to_string()),
        })
    }

    fn content(&self, index: usize) -> PyResult<&'static str> {
        Ok(match &self.file(index)?.outcome {
            Outcome::Dicom(_) => "dicom",
            Outcome::Other(_) => "other",
            Outcome::Damaged(_) => "damaged",
            Outcome::Unreadable(_) => "unreadable",
        })
    }

    fn groups(&self, py: Python<'_>) -> PyResult<Vec<Group>> {
        self.core_groups(py)
            .iter()
            .filter_map(|group| Some((group, self.core.header(group.representative)?)))
            .map(|(group, header)| Group::new(py, group, header))
            .collect()
    }

    fn group_files(&self, py: Python<'_>, group: usize) -> PyResult<Vec<usize>> {
        let group = self.core_groups(py).get(group);
        group
            .map(|group| group.members.clone())
            .ok_or_else(|| PyIndexError::new_err("no such group in the scan"))
    }
}

#[pyfunction]
#[pyo3(signature = (paths, *, threads = 0, monitor = None))]
pub(crate) fn scan(
    py: Python<'_>,
    paths: Vec<OsString>,
    threads: usize,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<Scan> {
    let paths: Vec<Vec<u8>> = paths.into_iter().map(OsStringExt::into_vec).collect();
    let monitor = Monitor::or_new(monitor);
    match py.detach(|| core::scan(&paths, threads, &monitor)) {
        Ok(core) => Ok(Scan {
            core,
            groups: OnceLock::new(),
        }),
        Err(ScanError::Cancelled) => Err(cancelled_error()),
        Err(ScanError::Threads(reason)) => Err(PyRuntimeError::new_err(reason)),
        Err(ScanError::Path(path, error)) => {
            Err(os_error(Path::new(OsStr::from_bytes(&path)), &error))
        }
    }
}
