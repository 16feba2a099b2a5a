//! Scanned files and their headers.

use super::file::Outcome;
use super::listing::join;
use crate::header::{Field, Header};
use crate::series::{self, Group, InputFile};

/// One scanned file.
#[derive(Debug)]
pub struct ScannedFile {
    /// Id of its folder.
    pub(super) folder: u32,
    /// Its name in the folder; the path for a requested path, empty for a folder that cannot be read.
    pub(super) name: Box<[u8]>,
    /// Its size in bytes; 0 if it was not opened.
    pub size: u64,
    /// Its header, or why it has none.
    pub outcome: Outcome,
}

/// Headers of many files.
#[derive(Debug, Default)]
pub struct ScannedFiles {
    /// Paths of the folders, by id.
    pub(super) folders: Vec<Box<[u8]>>,
    pub(super) files: Vec<ScannedFile>,
}

impl ScannedFiles {
    /// Returns the files in the order of their paths.
    pub fn files(&self) -> &[ScannedFile] {
        &self.files
    }

    /// Returns the path of a file; empty for an invalid index.
    pub fn path(&self, index: usize) -> Vec<u8> {
        let Some(file) = self.files.get(index) else {
            return Vec::new();
        };
        let folder = self
            .folders
            .get(file.folder as usize)
            .map(AsRef::as_ref)
            .unwrap_or_default();
        join(folder, &file.name)
    }

    /// Returns the header of a file, if it has one.
    pub fn header(&self, index: usize) -> Option<&Header> {
        match &self.files.get(index)?.outcome {
            Outcome::Dicom(header) => Some(header),
            _ => None,
        }
    }

    /// Returns the folder of a file whose header has no SeriesInstanceUID, because one is generated from the folder; empty for
    /// other files.
    fn series_folder(&self, index: usize) -> Vec<u8> {
        let has_uid = |header: &Header| !header.raw(Field::SeriesInstanceUid).is_empty();
        if self.header(index).is_none_or(has_uid) {
            return Vec::new();
        }
        let mut path = self.path(index);
        path.truncate(path.iter().rposition(|&byte| byte == b'/').unwrap_or(0));
        path
    }

    /// Returns the files that have a header, grouped by series; a file that belongs to no series is in no group. The indices in
    /// a group are those of [`ScannedFiles::files`].
    pub fn groups(&self) -> Vec<Group> {
        let with_header: Vec<usize> = (0..self.files.len())
            .filter(|index| self.header(*index).is_some())
            .collect();
        // The files are in the order of their paths, so their indices can be the sort keys.
        let sort_keys: Vec<[u8; 8]> = with_header
            .iter()
            .map(|index| (*index as u64).to_be_bytes())
            .collect();
        let folders: Vec<Vec<u8>> = with_header
            .iter()
            .map(|at| self.series_folder(*at))
            .collect();
        let input_files: Vec<InputFile<'_>> = with_header
            .iter()
            .zip(sort_keys.iter().zip(&folders))
            .filter_map(|(index, (sort_key, folder))| {
                let file = self.files.get(*index)?;
                Some(InputFile {
                    sort_key,
                    folder,
                    header: self.header(*index)?,
                    size: file.size,
                })
            })
            .collect();
        let file_index =
            |input_index: usize| with_header.get(input_index).copied().unwrap_or_default();
        let mut groups = series::group(&input_files);
        for group in &mut groups {
            group.representative = file_index(group.representative);
            for member in &mut group.members {
                *member = file_index(*member);
            }
        }
        groups
    }
}
