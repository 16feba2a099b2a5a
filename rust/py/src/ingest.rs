//! `ingest`, `is_archive`, `sniff`, `Reading`, `Row` and `DeflateStreams`, which `python/qxbatch/_core.pyi` documents.
#![allow(
    clippy::needless_pass_by_value,
    reason = "arguments from Python and errors come owned"
)]

use std::ffi::OsString;
use std::path::PathBuf;

use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use qxbatch_core::ingest::{self as core, Options, Packet};
use qxbatch_core::notation::{Hash, hexadecimal};

use crate::failure::{ingest_error, os_error};
use crate::group::Group;
use crate::header::Header;
use crate::monitor::Monitor;

#[pyclass(frozen, get_all, module = "qxbatch._core")]
pub(crate) struct Row {
    index: usize,
    path: String,
    archive_ends: Vec<usize>,
    size: u64,
    sha256: String,
    content_sha256: String,
    kind: &'static str,
    fate: &'static str,
    // the path below the session folder
    at: String,
    // the n of the series
    series: i64,
    group: i64,
    reason: String,
    has_extra_bytes: bool,
}

#[pymethods]
impl Row {
    fn __repr__(&self) -> String {
        format!(
            "<Row {} {} {} {:?}>",
            self.index, self.kind, self.fate, self.path
        )
    }
}

fn row(index: usize, row: &core::Row) -> Row {
    let hash = |hash: Option<Hash>| hash.map(|hash| hexadecimal(&hash)).unwrap_or_default();
    Row {
        index,
        path: row.ledger_path(),
        archive_ends: row.ledger_archive_ends(),
        size: row.size,
        sha256: hash(row.sha256),
        content_sha256: hash(row.content_sha256),
        kind: row.kind.name(),
        fate: row.fate.name(),
        at: row.session_path.to_string(),
        series: row.series_n,
        group: row.group,
        reason: row.reason.to_string(),
        has_extra_bytes: row.has_extra_bytes,
    }
}

#[pyclass(frozen, module = "qxbatch._core")]
pub(crate) struct DeflateStreams {
    pub(crate) core: core::DeflateStreams,
}

#[pyclass(module = "qxbatch._core")]
pub(crate) struct Reading {
    core: core::Reading,
}

impl Reading {
    /// Returns the row with an index; IndexError if there is none.
    fn core_row(&self, index: usize) -> PyResult<&core::Row> {
        let row = self.core.rows().get(index);
        row.ok_or_else(|| PyIndexError::new_err(format!("no row {index} in the reading")))
    }

    /// Raises IndexError if no group has this index.
    fn check_group(&self, group: usize) -> PyResult<()> {
        match self.core.groups().get(group) {
            Some(_) => Ok(()),
            None => Err(PyIndexError::new_err(format!(
                "no group {group} in the reading"
            ))),
        }
    }
}

#[pymethods]
impl Reading {
    fn __len__(&self) -> usize {
        self.core.rows().len()
    }

    fn row(&self, index: usize) -> PyResult<Row> {
        Ok(row(index, self.core_row(index)?))
    }

    fn groups(&self, py: Python<'_>) -> PyResult<Vec<Group>> {
        let groups = self.core.groups().iter().enumerate();
        groups
            .filter_map(|(at, group)| Some((group, self.core.group_header(at)?)))
            .map(|(group, header)| Group::new(py, group, header))
            .collect()
    }

    fn group_rows(&self, group: usize) -> PyResult<Vec<usize>> {
        self.check_group(group)?;
        Ok(self.core.group_rows(group).to_vec())
    }

    fn header(&self, row: usize) -> PyResult<Option<Header>> {
        let header = self.core_row(row)?.header.clone();
        Ok(header.map(|core| Header { core }))
    }

    fn staged_path(&self, row: usize) -> PyResult<OsString> {
        self.core_row(row)?;
        Ok(self
            .core
            .staged_path(row)
            .unwrap_or_default()
            .into_os_string())
    }

    fn unparsed_dicom(&self) -> Vec<usize> {
        self.core.unparsed_dicom()
    }

    fn set_header(&mut self, row: usize, header: &Bound<'_, Header>) -> PyResult<()> {
        self.core_row(row)?;
        let header = header.get().core.clone();
        if self.core.set_header(row, header).map_err(ingest_error)? {
            Ok(())
        } else {
            Err(PyValueError::new_err(format!("row {row} needs no header")))
        }
    }

    fn deflate_streams(&self, groups: Vec<usize>) -> PyResult<DeflateStreams> {
        for &group in &groups {
            self.check_group(group)?;
        }
        let core = self.core.deflate_streams(&groups);
        Ok(DeflateStreams { core })
    }

    fn left_out(&self) -> Vec<(usize, &'static str)> {
        let rows = self.core.left_out().into_iter();
        rows.map(|(row, cause)| (row, cause.name())).collect()
    }

    fn incomplete_dicomdirs(&self, py: Python<'_>) -> Vec<(usize, usize, usize, Vec<String>)> {
        let directories = py.detach(|| self.core.incomplete_dicomdirs()).into_iter();
        directories
            .map(|directory| {
                (
                    directory.row,
                    directory.listed_count,
                    directory.missing_count,
                    directory.missing,
                )
            })
            .collect()
    }

    fn damage(&self) -> Vec<String> {
        self.core.damage().to_vec()
    }

    fn skipped_bytes_notes(&self) -> Vec<String> {
        self.core.skipped_bytes_notes().to_vec()
    }

    fn skipped_bytes_may_contain_images(&self) -> bool {
        self.core.skipped_bytes_may_contain_images()
    }

    fn place_series(
        &mut self,
        py: Python<'_>,
        root: PathBuf,
        n: i64,
        label: &str,
        groups: Vec<usize>,
    ) -> PyResult<()> {
        for &group in &groups {
            self.check_group(group)?;
        }
        py.detach(|| self.core.place_series(&root, n, label, &groups))
            .map_err(ingest_error)
    }

    fn place_row(
        &mut self,
        py: Python<'_>,
        row: usize,
        root: PathBuf,
        at: &str,
        n: i64,
    ) -> PyResult<()> {
        self.core_row(row)?;
        py.detach(|| self.core.place_row(row, &root, at, n))
            .map_err(ingest_error)
    }

    fn leave_row(&mut self, row: usize, at: &str) -> PyResult<()> {
        self.core_row(row)?;
        self.core.leave_row(row, at).map_err(ingest_error)
    }

    fn omit_row(&mut self, row: usize, at: &str) -> PyResult<()> {
        self.core_row(row)?;
        self.core.omit_row(row, at).map_err(ingest_error)
    }

    fn place_in_inbox(&mut self, py: Python<'_>, root: PathBuf, rows: Vec<usize>) -> PyResult<()> {
        for &row in &rows {
            self.core_row(row)?;
        }
        py.detach(|| self.core.place_in_inbox(&root, &rows))
            .map_err(ingest_error)
    }
}

#[pyfunction]
#[pyo3(signature = (packets, staging, *, threads = 0, gunzip = true, hard_link = false, headers_only = false, skip = Vec::new(), max_ratio = 1000,
    max_bytes = 1 << 40, max_members = 5_000_000, max_nesting = 5, passwords = Vec::new(), monitor = None))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
pub(crate) fn ingest(
    py: Python<'_>,
    packets: Vec<(PathBuf, PathBuf)>,
    staging: PathBuf,
    threads: usize,
    gunzip: bool,
    hard_link: bool,
    headers_only: bool,
    skip: Vec<PathBuf>,
    max_ratio: u64,
    max_bytes: u64,
    max_members: u64,
    max_nesting: u32,
    passwords: Vec<Vec<u8>>,
    monitor: Option<&Bound<'_, Monitor>>,
) -> PyResult<Reading> {
    use std::os::unix::ffi::OsStringExt;
    let options = Options {
        threads,
        gunzip,
        hard_link,
        headers_only,
        skip,
        max_ratio,
        max_bytes,
        max_members,
        max_nesting,
        passwords: passwords.into(),
    };
    let packets: Vec<Packet> = packets
        .into_iter()
        .map(|(path, prefix)| Packet {
            path,
            prefix: prefix.into_os_string().into_vec(),
        })
        .collect();
    let monitor = Monitor::or_new(monitor);
    let core = py
        .detach(|| core::ingest(&packets, &staging, &options, &monitor))
        .map_err(ingest_error)?;
    Ok(Reading { core })
}

#[pyfunction]
pub(crate) fn sniff(py: Python<'_>, path: PathBuf) -> PyResult<&'static str> {
    py.detach(|| core::sniff(&path))
        .map_err(|error| os_error(&path, &error))
}

#[pyfunction]
pub(crate) fn is_archive(py: Python<'_>, path: PathBuf) -> PyResult<bool> {
    py.detach(|| core::is_archive(&path))
        .map_err(|error| os_error(&path, &error))
}
