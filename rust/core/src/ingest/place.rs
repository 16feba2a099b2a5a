//! Moves staged files to their places below the session folder.

use std::fs;
use std::io;
use std::path::Path;

use super::names::{UsedNames, identifier, limited_name, safe_path};
use super::reading::Reading;
use super::row::Fate;
use super::stop::Stop;
use crate::archive::kind::{Compression, without_extension};
use crate::header::Field;
use std::collections::{HashMap, HashSet};

impl Reading {
    /// Moves the files of some groups, all of one series, to `<root>/dicom/<n>/<label>-<n>-<SOPInstanceUID>.dcm` (gzipped
    /// ones to `.dcm.gz`), where n is `series_n`, and `root` is the session folder. `groups` are indices in
    /// [`Reading::groups`]. Different files with the same UID get `_2`, `_3` and so on in path order.
    pub fn place_series(
        &mut self,
        root: &Path,
        series_n: i64,
        label: &str,
        groups: &[usize],
    ) -> Result<(), Stop> {
        let mut rows: Vec<usize> = groups
            .iter()
            .flat_map(|&group| self.group_rows(group).to_vec())
            .collect();
        rows.sort_by(|&a, &b| {
            self.rows
                .get(a)
                .map(|row| &row.path)
                .cmp(&self.rows.get(b).map(|row| &row.path))
        });
        let folder = format!("dicom/{series_n}");
        let parts = ["dicom".to_owned(), series_n.to_string()];
        // In a new folder, only the names assigned here are in use.
        let is_new_folder = fs::symlink_metadata(root.join(&folder)).is_err();
        create_folder(&root.join(&folder))?;
        self.names
            .entry(root.to_owned())
            .or_default()
            .claim_folder(&parts);
        let mut names = UsedNames::default();
        let mut lower_case_paths = HashSet::new();
        for index in rows {
            let Some(row) = self.rows.get(index) else {
                continue;
            };
            let uid = row
                .header
                .as_ref()
                .and_then(|header| header.text(Field::SopInstanceUid))
                .unwrap_or_default();
            let stem = format!("{label}-{series_n}-{}", identifier(&uid));
            let name = limited_name(&stem, if row.is_gzipped { ".dcm.gz" } else { ".dcm" });
            let place = names.claim_file(&folder, &name, |path| {
                let free = is_new_folder || fs::symlink_metadata(root.join(path)).is_err();
                // On a file system that ignores case, a rename would overwrite.
                free && lower_case_paths.insert(path.to_ascii_lowercase())
            });
            self.move_to(index, root, place, series_n)?;
        }
        self.point_duplicates(groups, series_n);
        Ok(())
    }

    /// Sets the location of duplicates, which have no staged file, to that of the file with the same bytes in these
    /// groups.
    fn point_duplicates(&mut self, groups: &[usize], series_n: i64) {
        if !self.rows.iter().any(|row| row.fate == Fate::Duplicate) {
            return;
        }
        let mut locations = HashMap::new();
        for &group in groups {
            for row in self
                .group_rows(group)
                .iter()
                .filter_map(|&index| self.rows.get(index))
            {
                locations.insert(row.content_sha256, row.session_path.clone());
            }
        }
        let copies = self
            .rows
            .iter_mut()
            .filter(|row| row.fate == Fate::Duplicate);
        for row in copies {
            if let Some(session_path) = locations.get(&row.content_sha256) {
                row.series_n = series_n;
                row.session_path.clone_from(session_path);
            }
        }
    }

    /// Moves one staged file to `<root>/<session_path>`. With `series_n` above 0, its row becomes sorted; with 0, kept.
    /// Fails if the row has no staged file, or if the path exists, is not relative, or contains `.` or `..`.
    pub fn place_row(
        &mut self,
        row: usize,
        root: &Path,
        session_path: &str,
        series_n: i64,
    ) -> Result<(), Stop> {
        let parts: Vec<&str> = session_path.split('/').collect();
        let bad =
            session_path.is_empty() || parts.iter().any(|part| matches!(*part, "" | "." | ".."));
        let path = root.join(session_path);
        if bad {
            return Err(Stop::io(
                &path,
                io::Error::new(io::ErrorKind::InvalidInput, "not a relative path"),
            ));
        }
        if fs::symlink_metadata(&path).is_ok() {
            return Err(Stop::io(&path, io::ErrorKind::AlreadyExists.into()));
        }
        if let Some(folder) = path.parent() {
            create_folder(folder)?;
        }
        let (name, folders) = parts.split_last().unwrap_or((&session_path, &[]));
        let folders: Vec<String> = folders.iter().map(|part| (*part).to_owned()).collect();
        let names = self.names.entry(root.to_owned()).or_default();
        names.claim_folder(&folders);
        // This only marks the name as used: the path is free on disk.
        names.claim_file(&folders.join("/"), name, |_| true);
        self.move_to(row, root, session_path.to_owned(), series_n)?;
        if let Some(row) = self.rows.get_mut(row) {
            row.fate = if series_n > 0 {
                Fate::Sorted
            } else {
                Fate::Kept
            };
            if series_n > 0 {
                row.reason = "".into();
            }
        }
        Ok(())
    }

    /// Records that a kept member remains as it was read at `session_path` below its session, and removes its staged
    /// copy.
    pub fn leave_row(&mut self, row: usize, session_path: &str) -> Result<(), Stop> {
        self.omit_row(row, session_path)?;
        if let Some(row) = self.rows.get_mut(row) {
            row.content_sha256 = row.sha256; // the file is compressed, although its content was staged
        }
        Ok(())
    }

    /// Records that the file at `session_path` below the session has the staged bytes of a kept member, and removes the
    /// staged copy.
    pub fn omit_row(&mut self, row: usize, session_path: &str) -> Result<(), Stop> {
        if let Some(staged) = self.staged_path(row) {
            fs::remove_file(&staged).map_err(|error| Stop::io(&staged, error))?;
        }
        if let Some(row) = self.rows.get_mut(row) {
            row.staged = None;
            row.session_path = session_path.into();
            row.fate = Fate::Kept;
        }
        Ok(())
    }

    /// Moves the staged files of these rows to `<root>/inbox/<path>`, where the path is that of [`safe_path`]. A file
    /// gets a number if its path is in use, also by a folder of these rows.
    pub fn place_in_inbox(&mut self, root: &Path, rows: &[usize]) -> Result<(), Stop> {
        let mut wanted: Vec<(usize, Vec<String>)> = rows
            .iter()
            .map(|&index| (index, self.inbox_path(index)))
            .collect();
        wanted.sort_by(|a, b| {
            let path = |index: usize| self.rows.get(index).map(|row| &row.path);
            path(a.0).cmp(&path(b.0))
        });
        create_folder(&root.join("inbox"))?;
        let names = self.names.entry(root.to_owned()).or_default();
        let folders: Vec<String> = wanted
            .iter()
            .map(|(_, parts)| {
                names.claim_folder(parts.split_last().map_or(&[], |(_, folders)| folders))
            })
            .collect();
        for ((index, parts), folder) in wanted.iter().zip(folders) {
            create_folder(&root.join(&folder))?;
            let name = parts.last().map_or("unnamed", String::as_str);
            let place = self.unused_path(root, &folder, name);
            self.move_to(*index, root, place, 0)?;
            if let Some(row) = self.rows.get_mut(*index) {
                row.fate = Fate::Kept;
            }
        }
        Ok(())
    }

    /// Returns the components of the wanted path of a kept file below the session folder. A file that was decompressed
    /// loses its compression extension.
    fn inbox_path(&self, row: usize) -> Vec<String> {
        let Some(row) = self.rows.get(row) else {
            return Vec::new();
        };
        let mut path = row.path.to_vec();
        if row.is_decompressed {
            for compression in Compression::ALL {
                let short = without_extension(&path, compression).len();
                if short < path.len() {
                    path.truncate(short);
                    break;
                }
            }
        }
        let mut parts = vec!["inbox".to_owned()];
        parts.extend(safe_path(&path, &row.archive_ends));
        parts
    }

    /// Returns a path for a file in `folder` (below `root`) that is unused in this reading and on disk: `name`, with a
    /// number if needed.
    fn unused_path(&mut self, root: &Path, folder: &str, name: &str) -> String {
        let names = self.names.entry(root.to_owned()).or_default();
        names.claim_file(folder, name, |path| {
            fs::symlink_metadata(root.join(path)).is_err()
        })
    }

    /// Moves a staged file to `<root>/<session_path>` and records that in its row.
    fn move_to(
        &mut self,
        row: usize,
        root: &Path,
        session_path: String,
        series_n: i64,
    ) -> Result<(), Stop> {
        let Some(from) = self.staged_path(row) else {
            let error = io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("row {row} has no staged file"),
            );
            return Err(Stop::io(&root.join(session_path), error));
        };
        move_file(&from, &root.join(&session_path))?;
        if let Some(row) = self.rows.get_mut(row) {
            row.staged = None;
            row.session_path = session_path.into();
            row.series_n = series_n;
        }
        Ok(())
    }
}

fn create_folder(folder: &Path) -> Result<(), Stop> {
    fs::create_dir_all(folder).map_err(|error| Stop::io(folder, error))
}

/// Moves a file: renames it, or copies and removes it if the session is on another file system.
fn move_file(from: &Path, to: &Path) -> Result<(), Stop> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            fs::copy(from, to).map_err(|error| Stop::io(to, error))?;
            fs::remove_file(from).map_err(|error| Stop::io(from, error))
        }
        other => other.map_err(|error| Stop::io(to, error)),
    }
}
