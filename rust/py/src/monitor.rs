//! `Monitor` and its exception `CancelledError`, which `python/qxbatch/_core.pyi` documents.

use std::sync::Arc;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use qxbatch_core::monitor::Monitor as Core;

create_exception!(
    _core,
    CancelledError,
    PyException,
    "Monitor.cancel() was called while the core worked."
);

#[pyclass(frozen, module = "qxbatch._core")]
pub(crate) struct Monitor {
    core: Arc<Core>,
}

impl Monitor {
    /// Returns the given monitor, or a new one.
    pub(crate) fn or_new(given: Option<&Bound<'_, Self>>) -> Arc<Core> {
        given.map_or_else(Arc::default, |monitor| Arc::clone(&monitor.get().core))
    }
}

#[pymethods]
impl Monitor {
    #[new]
    fn new() -> Self {
        Self {
            core: Arc::default(),
        }
    }

    fn cancel(&self) {
        self.core.cancel();
    }

    #[getter]
    fn cancelled(&self) -> bool {
        self.core.is_cancelled()
    }

    #[getter]
    fn files(&self) -> u64 {
        self.core.files()
    }

    #[getter]
    fn bytes(&self) -> u64 {
        self.core.bytes()
    }
}

/// Returns the exception for work that was stopped.
pub(crate) fn cancelled_error() -> PyErr {
    CancelledError::new_err("the work was stopped")
}
