//! `ScannedFiles` and `scan_files`, which `python/qxbatch/_core.pyi` documents.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::OnceLock;

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use qxbatch_core::scan::{self as core, Outcome, ScanError};
use qxbatch_core::series::Group as CoreGroup;

use crate::failure::{no_thread_error, os_error};
use crate::group::Group;
use crate::header::Header;
use crate::monitor::{Monitor, cancelled_error};

#[pyclass(frozen, module = "qxbatch._core")]
pub(crate) struct ScannedFiles {
    core: core::ScannedFiles,
    groups: OnceLock<Vec<CoreGroup>>,
}

impl ScannedFiles {
    fn file(&self, index: usize) -> PyResult<&core::ScannedFile> {
        self.core
            .files()
            .get(index)
            .ok_or_else(|| PyIndexError::new_err("no such scanned file"))
    }

    fn core_groups(&self, py: Python<'_>) -> &[CoreGroup] {
        py.detach(|| self.groups.get_or_init(|| self.core.groups()))
    }
}

#[pymethods]
impl ScannedFiles {
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

    fn outcome(&self, index: usize) -> PyResult<&'static str> {
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
            .ok_or_else(|| PyIndexError::new_err("no such group of scanned files"))
    }
}

#[pyfunction]
#[pyo3(signature = (paths, *, threads = 0, monitor = None))]
pub(crate) fn scan_files(
    py: Python<'_>,
    paths: Vec<OsString>,
    threads: usize,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<ScannedFiles> {
    let paths: Vec<Vec<u8>> = paths.into_iter().map(OsStringExt::into_vec).collect();
    let monitor = Monitor::or_new(monitor);
    match py.detach(|| core::scan_files(&paths, threads, &monitor)) {
        Ok(core) => Ok(ScannedFiles {
            core,
            groups: OnceLock::new(),
        }),
        Err(ScanError::Cancelled) => Err(cancelled_error()),
        Err(ScanError::Threads) => Err(no_thread_error()),
        Err(ScanError::Path(path, error)) => {
            Err(os_error(Path::new(OsStr::from_bytes(&path)), &error))
        }
    }
}
