//! The result of reading packets: rows, groups, damage.

use std::collections::HashMap;
use std::path::PathBuf;

use super::generated_uids::with_generated_uids;
use super::kept_dicom::kept_reason;
use super::names::UsedNames;
use super::row::{Fate, Row, RowKind};
use super::staging::Staging;
use super::stop::Stop;
use crate::archive::skipped::SkippedBytes;
use crate::archive::zip::deflated::DeflateStreams;
use crate::header::Header;
use crate::notation::{Hash, abridged_path};
use crate::series::{Group, InputFile, group};

/// The rows of a session's packets; their bytes are in staging until they are placed.
pub struct Reading {
    pub(super) staging: Staging,
    /// Zips that remain in place; rows refer to the streams in them.
    zips: Vec<PathBuf>,
    pub(super) rows: Vec<Row>,
    pub(super) groups: Vec<Group>,
    /// Index of the row with the representative header of each group.
    representatives: Vec<usize>,
    /// Indices of the rows of each group, in path order.
    pub(super) group_members: Vec<Vec<usize>>,
    damage: Vec<String>,
    skipped: SkippedBytes,
    /// Names that are in use below a session folder, by the path of the folder.
    pub(super) names: HashMap<PathBuf, UsedNames>,
}

impl Reading {
    /// Returns the reading of these rows: marks duplicates, removes their staged bytes, and groups the sorted files.
    pub(super) fn new(
        staging: Staging,
        zips: Vec<PathBuf>,
        rows: Vec<Row>,
        damage: Vec<String>,
        skipped: SkippedBytes,
    ) -> Result<Self, Stop> {
        let mut reading = Self {
            staging,
            zips,
            rows,
            groups: Vec::new(),
            representatives: Vec::new(),
            group_members: Vec::new(),
            damage,
            skipped,
            names: HashMap::new(),
        };
        reading.mark_duplicates();
        reading.drop_duplicates()?;
        reading.regroup();
        Ok(reading)
    }

    /// Returns all rows, in the order of the packets and their members.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns the groups of the sorted files: files of one patient and series ([`Group`]).
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns the representative header of a group: of the file with the lowest InstanceNumber, then the first path.
    #[must_use]
    pub fn group_header(&self, group: usize) -> Option<&Header> {
        self.rows
            .get(*self.representatives.get(group)?)?
            .header
            .as_ref()
    }

    /// Returns the indices of the rows of a group's files in path order, without duplicates.
    #[must_use]
    pub fn group_rows(&self, group: usize) -> &[usize] {
        self.group_members.get(group).map_or(&[], Vec::as_slice)
    }

    /// Returns the path of a member's bytes in staging, by the index of its row; None if they are not in staging.
    #[must_use]
    pub fn staged_path(&self, row: usize) -> Option<PathBuf> {
        self.rows
            .get(row)?
            .staged
            .as_ref()
            .map(|staged| self.staging.path(staged))
    }

    /// Returns the deflate streams of the placed files of some groups in their zips, by file name.
    #[must_use]
    pub fn deflate_streams(&self, groups: &[usize]) -> DeflateStreams {
        let rows = groups.iter().flat_map(|&group| self.group_rows(group));
        let by_name = rows.filter_map(|&at| {
            let row = self.rows.get(at)?;
            let name = row.session_path.rsplit('/').next()?;
            Some((name.as_bytes().to_vec(), row.deflate_stream?))
        });
        DeflateStreams {
            by_name: by_name.collect(),
            zips: self.zips.clone(),
        }
    }

    /// Returns the indices of rows that look like DICOM but whose header could not be parsed.
    #[must_use]
    pub fn unparsed_dicom(&self) -> Vec<usize> {
        self.rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.is_unparsed_dicom)
            .map(|(at, _)| at)
            .collect()
    }

    /// Returns the members, archives and packets that could not be read completely, as `path: reason`.
    #[must_use]
    pub fn damage(&self) -> &[String] {
        &self.damage
    }

    /// Returns notes on bytes that are outside of the content of the members, as `path: note`.
    #[must_use]
    pub fn skipped_bytes_notes(&self) -> &[String] {
        &self.skipped.notes
    }

    /// Returns whether some of the bytes that [`Reading::skipped_bytes_notes`] describe begin like an archive, a
    /// compressed file or a DICOM file.
    #[must_use]
    pub fn skipped_bytes_may_contain_images(&self) -> bool {
        self.skipped.may_contain_images
    }

    /// Sets the header of a row of [`Reading::unparsed_dicom`], as another program parsed it, and groups the files again.
    /// `at` is the index of the row. Returns false, and changes nothing, for any other row.
    pub fn set_header(&mut self, at: usize, header: Header) -> Result<bool, Stop> {
        let Some(row) = self.rows.get_mut(at).filter(|row| row.is_unparsed_dicom) else {
            return Ok(false);
        };
        row.is_unparsed_dicom = false;
        row.kind = if header.is_dicomdir() {
            RowKind::DicomDir
        } else {
            RowKind::Dicom
        };
        row.header = Some(if let Some(reason) = kept_reason(row.name(), &header) {
            row.reason = reason;
            header
        } else {
            row.fate = Fate::Sorted;
            with_generated_uids(row, header)
        });
        self.mark_duplicates();
        self.drop_duplicates()?;
        self.regroup();
        Ok(true)
    }

    /// Marks duplicates: of sorted files with the same content, all but the first by path.
    fn mark_duplicates(&mut self) {
        let mut order = self.sorted_rows();
        let rows = &self.rows;
        let key = |at: usize| rows.get(at).map(|row| (row.content_sha256, &row.path));
        order.sort_by(|&a, &b| key(a).cmp(&key(b)).then(a.cmp(&b)));
        let mut copies = Vec::new();
        let mut first: Option<&Row> = None;
        for at in order {
            let Some(row) = rows.get(at) else { continue };
            match first.filter(|first| first.content_sha256 == row.content_sha256) {
                Some(first) => copies.push((at, abridged_path(&first.path))),
                None => first = Some(row),
            }
        }
        for (at, path) in copies {
            if let Some(row) = self.rows.get_mut(at) {
                row.fate = Fate::Duplicate;
                row.reason = format!("the same bytes as {path}").into();
            }
        }
    }

    /// Returns the indices of the rows of the sorted DICOM files.
    fn sorted_rows(&self) -> Vec<usize> {
        let is_sorted = |row: &Row| row.fate == Fate::Sorted && row.header.is_some();
        (0..self.rows.len())
            .filter(|&at| self.rows.get(at).is_some_and(is_sorted))
            .collect()
    }

    /// Removes the staged bytes of duplicates.
    pub(super) fn drop_duplicates(&mut self) -> Result<(), Stop> {
        for row in self
            .rows
            .iter_mut()
            .filter(|row| row.fate == Fate::Duplicate)
        {
            if let Some(staged) = row.staged.take() {
                self.staging.remove(&staged)?;
            }
        }
        Ok(())
    }

    /// Groups the sorted files by series again.
    fn regroup(&mut self) {
        let sorted = self.sorted_rows();
        let input_files: Vec<InputFile<'_>> = sorted
            .iter()
            .filter_map(|&at| {
                let row = self.rows.get(at)?;
                Some(InputFile {
                    sort_key: &row.path,
                    folder: row.folder(),
                    header: row.header.as_ref()?,
                    size: row.size,
                })
            })
            .collect();
        self.groups = group(&input_files);
        self.representatives = self
            .groups
            .iter()
            .filter_map(|group| sorted.get(group.representative).copied())
            .collect();
        self.group_members = Vec::with_capacity(self.groups.len());
        for (index, group) in (0..).zip(&self.groups) {
            let members = group.members.iter();
            let mut members: Vec<usize> =
                members.filter_map(|&at| sorted.get(at).copied()).collect();
            let path = |at: usize| self.rows.get(at).map(|row| &row.path);
            members.sort_by(|&a, &b| path(a).cmp(&path(b)));
            for &at in &members {
                if let Some(row) = self.rows.get_mut(at) {
                    row.group = index;
                }
            }
            self.group_members.push(members);
        }
        self.group_duplicates();
    }

    /// Sets the group of duplicates to that of the file with the same bytes.
    fn group_duplicates(&mut self) {
        if !self.rows.iter().any(|row| row.fate == Fate::Duplicate) {
            return;
        }
        let sorted = self.rows.iter().filter(|row| row.fate == Fate::Sorted);
        let groups: HashMap<Option<Hash>, i64> =
            sorted.map(|row| (row.content_sha256, row.group)).collect();
        for row in self
            .rows
            .iter_mut()
            .filter(|row| row.fate == Fate::Duplicate)
        {
            row.group = groups.get(&row.content_sha256).copied().unwrap_or(-1);
        }
    }
}
