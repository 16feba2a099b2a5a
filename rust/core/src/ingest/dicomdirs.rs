//! Compares DICOMDIRs with the files of the packets.

use std::collections::HashSet;
use std::fs::File;

use super::reading::Reading;
use super::row::{Fate, Row, RowKind};
use crate::dicomdir::{ListedFile, listed_files};
use crate::header::{Field, FileWindow};
use crate::notation::escape;

/// A DICOMDIR that lists missing files.
#[derive(Debug, PartialEq, Eq)]
pub struct IncompleteDicomDir {
    /// Index of the row of the DICOMDIR in [`Reading::rows`].
    pub row: usize,
    /// Number of listed files.
    pub listed_count: usize,
    /// Number of missing files.
    pub missing_count: usize,
    /// Paths of the missing files as listed, escaped like the paths of the ledger; empty if the names do not show
    /// which files are missing.
    pub missing: Vec<String>,
}

impl Reading {
    /// Returns the DICOMDIRs that list missing files, compared by path and by SOPInstanceUID.
    ///
    /// The files of a copied medium often have other names and, once anonymized, other UIDs than in their DICOMDIR. So
    /// files count as missing only if the folder of the DICOMDIR and the folders below it contain fewer DICOM files
    /// than it lists. If they contain none, all DICOM files of the packets are counted.
    ///
    /// A DICOMDIR that cannot be read, or is not in staging, is skipped.
    #[must_use]
    pub fn incomplete_dicomdirs(&self) -> Vec<IncompleteDicomDir> {
        let directories = self.rows.iter().enumerate();
        let directories = directories.filter(|(_, row)| row.kind == RowKind::DicomDir);
        let mut files = None;
        directories
            .filter_map(|(at, row)| {
                let file = File::open(self.staged_path(at)?).ok()?;
                let size = file.metadata().ok()?.len();
                let listed = listed_files(&mut FileWindow::new(&file, size, Vec::new()))?;
                let files = files.get_or_insert_with(|| PacketFiles::of(&self.rows));
                let (missing_count, missing) = files.missing(row, &listed)?;
                Some(IncompleteDicomDir {
                    row: at,
                    listed_count: listed.len(),
                    missing_count,
                    missing,
                })
            })
            .collect()
    }
}

/// The files of all packets of a reading, except refused ones.
struct PacketFiles<'r> {
    /// Paths in the form of [`comparable`].
    paths: HashSet<Vec<u8>>,
    /// SOPInstanceUIDs of the DICOM files.
    instances: HashSet<&'r [u8]>,
    /// Paths of the DICOM files.
    dicom_paths: Vec<&'r [u8]>,
}

impl<'r> PacketFiles<'r> {
    fn of(rows: &'r [Row]) -> Self {
        let files = rows
            .iter()
            .filter(|row| !matches!(row.fate, Fate::NoData | Fate::Refused));
        let dicom = rows
            .iter()
            .filter(|row| row.kind == RowKind::Dicom && row.fate != Fate::Refused);
        let headers = dicom.clone().filter_map(|row| row.header.as_ref());
        Self {
            paths: files.map(|row| comparable(&row.path)).collect(),
            instances: headers
                .map(|header| header.raw(Field::SopInstanceUid))
                .collect(),
            dicom_paths: dicom.map(|row| &*row.path).collect(),
        }
    }

    /// Returns how many of the files that a DICOMDIR lists are missing, and their paths if the names show which ones are
    /// missing, else no paths; None if none is missing. `directory` is the row of the DICOMDIR.
    fn missing(&self, directory: &Row, listed: &[ListedFile]) -> Option<(usize, Vec<String>)> {
        let path = &directory.path;
        let base = path.get(..directory.name_start()).unwrap_or_default();
        // Neither the path nor the UID of an absent file is that of a file in the packets.
        let is_absent = |file: &&ListedFile| {
            let instance = file.instance.as_slice();
            !(self
                .paths
                .contains(&comparable(&[base, &file.path].concat()))
                || (!instance.is_empty() && self.instances.contains(instance)))
        };
        let absent: Vec<&ListedFile> = listed.iter().filter(is_absent).collect();
        let dicom_below = self
            .dicom_paths
            .iter()
            .filter(|path| path.starts_with(base))
            .count();
        // If the DICOMDIR was copied without its folders, its files may be anywhere.
        let present = if dicom_below == 0 {
            self.dicom_paths.len()
        } else {
            dicom_below
        };
        let missing_count = listed.len().saturating_sub(present).min(absent.len());
        if missing_count == 0 {
            return None;
        }
        let names_show_missing = absent.len() == missing_count;
        let names = absent.iter().map(|file| escape(&file.path));
        Some((
            missing_count,
            if names_show_missing {
                names.collect()
            } else {
                Vec::new()
            },
        ))
    }
}

/// Returns a path for comparison: in lower case, without `.gz`, `.dcm` and the file version of ISO 9660 (`;1`).
fn comparable(path: &[u8]) -> Vec<u8> {
    let mut path = path.to_ascii_lowercase();
    for end in [&b";1"[..], b".gz", b".dcm"] {
        if path.ends_with(end) {
            path.truncate(path.len().saturating_sub(end.len()));
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    fn dicom(path: &[u8], instance: &str) -> Row {
        let mut row = Row::new(path, &[], RowKind::Dicom, Fate::Sorted);
        row.header = Some(Header::from_values(&[(Field::SopInstanceUid, instance)]));
        row
    }

    fn file(path: &[u8], instance: &[u8]) -> ListedFile {
        ListedFile {
            path: path.to_vec(),
            instance: instance.to_vec(),
        }
    }

    fn missing(rows: &[Row], listed: &[ListedFile]) -> Option<(usize, Vec<String>)> {
        let directory = Row::new(b"cd/DICOMDIR", &[], RowKind::DicomDir, Fate::Kept);
        PacketFiles::of(rows).missing(&directory, listed)
    }

    #[test]
    fn files_are_found_by_path_or_by_instance() {
        let rows = [dicom(b"cd/im/a1.dcm", "1.1"), dicom(b"cd/other", "1.2")];
        let listed = [
            file(b"IM/A1", b""),
            file(b"IM/A2", b"1.2"),
            file(b"IM/A3", b"1.3"),
        ];
        assert_eq!(missing(&rows, &listed), Some((1, vec!["IM/A3".into()])));
        assert_eq!(missing(&rows, &listed[..2]), None);
    }

    #[test]
    fn a_directory_of_renamed_copies_counts_only_where_there_are_fewer() {
        let rows = [dicom(b"x", "2.1"), dicom(b"y", "2.2")];
        let listed = [
            file(b"A1", b"1.1"),
            file(b"A2", b"1.2"),
            file(b"A3", b"1.3"),
        ];
        assert_eq!(missing(&rows, &listed[..2]), None);
        assert_eq!(missing(&rows, &listed), Some((1, Vec::new())));
    }

    #[test]
    fn files_beside_another_directory_do_not_count() {
        let rows = [dicom(b"cd/A1", "1.1"), dicom(b"cd2/A2", "1.9")];
        let listed = [file(b"A1", b"1.1"), file(b"A2", b"1.2")];
        assert_eq!(missing(&rows, &listed), Some((1, vec!["A2".into()])));
    }
}
