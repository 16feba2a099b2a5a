//! `Statistics`: temporal SNR and global signal of a time series. `python/qxbatch/_images.pyi` documents it.
#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments from Python come owned"
)]

use std::path::PathBuf;

use pyo3::prelude::*;
use qxbatch_core::image::{self as core, StatisticsError};

use crate::failure::os_error;
use crate::monitor::{Monitor, cancelled_error};

/// Statistics of the time series in a file.
#[pyclass(frozen, module = "qxbatch._core")]
pub(crate) struct Statistics {
    path: PathBuf,
    core: core::Statistics,
}

#[pymethods]
impl Statistics {
    #[staticmethod]
    #[pyo3(signature = (path, *, monitor = None))]
    fn read(
        py: Python<'_>,
        path: PathBuf,
        monitor: Option<&Bound<'_, Monitor>>,
    ) -> PyResult<Option<Self>> {
        let monitor = Monitor::or_new(monitor);
        match py.detach(|| core::statistics(&path, &monitor)) {
            Ok(statistics) => Ok(statistics.map(|core| Self { path, core })),
            Err(StatisticsError::Cancelled) => Err(cancelled_error()),
            Err(StatisticsError::Io(error)) => Err(os_error(&path, &error)),
        }
    }

    #[getter]
    fn tsnr(&self) -> Option<f64> {
        self.core.tsnr
    }

    #[getter]
    fn tsnr_limit(&self) -> Option<f64> {
        self.core.tsnr_limit
    }

    #[getter]
    fn dropped_volumes(&self) -> usize {
        self.core.dropped_volumes
    }

    #[getter]
    fn global_signal(&self) -> Vec<f64> {
        self.core.global_signal.clone()
    }

    fn mean_slice(&self, py: Python<'_>, rows: Vec<u64>, columns: Vec<u64>) -> PyResult<Vec<u8>> {
        py.detach(|| self.core.mean_slice(&rows, &columns))
            .map_err(|error| os_error(&self.path, &error))
    }

    fn tsnr_slice(&self, py: Python<'_>, rows: Vec<u64>, columns: Vec<u64>) -> PyResult<Vec<u8>> {
        py.detach(|| self.core.tsnr_slice(&rows, &columns))
            .map_err(|error| os_error(&self.path, &error))
    }
}
