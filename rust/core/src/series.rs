//! Sorts files by series.

mod group_key;
mod start;
mod uids;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use crate::header::{Field, Header};

pub use start::start_time;
pub use uids::{series_uid, uid_from_hash};

use group_key::{GroupKey, fill_in};

/// One file for [`group`].
#[derive(Debug, Clone, Copy)]
pub struct InputFile<'a> {
    /// The files of a group are in the order of these keys: their paths, or other bytes that have the order of the paths.
    pub sort_key: &'a [u8],
    /// The folder or archive that contains it, for [`series_uid`].
    pub folder: &'a [u8],
    /// Its header.
    pub header: &'a Header,
    /// Its size in bytes.
    pub size: u64,
}

/// The files of one patient that share StudyInstanceUID, SeriesInstanceUID and SeriesNumber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// StudyInstanceUID; empty when there is none.
    pub study_uid: String,
    /// SeriesInstanceUID, or the generated one ([`series_uid`]).
    pub series_uid: String,
    /// SeriesNumber; None without a valid one (see [`series_number`]).
    pub number: Option<i64>,
    /// PatientID, trimmed and in lower case; empty without one.
    pub folded_patient_id: String,
    /// Indices of the files, in the order of their paths. [`group`] returns indices of its input files; the group of a scan has
    /// indices of the scanned files.
    pub members: Vec<usize>,
    /// Sum of the sizes of the files in bytes.
    pub size: u64,
    /// The earliest [`start_time`] of the files; empty if unknown.
    pub start_time: String,
    /// Index (as in `members`) of the file with the lowest InstanceNumber; of several files with this number, and if no file
    /// has one, the one with the lowest path.
    pub representative: usize,
}

/// Returns why a DICOM object belongs to no series; None if it belongs to one.
///
/// An object without SOPInstanceUID or SeriesInstanceUID is sorted if it has a SOP class, or Rows and Columns; else it
/// may not be DICOM at all.
pub fn unsorted_reason(header: &Header) -> Option<&'static str> {
    let has = |field| !header.raw(field).is_empty();
    if header.is_dicomdir() {
        return Some("a DICOMDIR");
    }
    let identified = has(Field::SeriesInstanceUid) && has(Field::SopInstanceUid);
    if identified || has(Field::SopClassUid) || (has(Field::Rows) && has(Field::Columns)) {
        return None;
    }
    Some(if has(Field::SeriesInstanceUid) {
        "DICOM without SOPInstanceUID, SOPClassUID and Rows"
    } else {
        "DICOM without SeriesInstanceUID, SOPClassUID and Rows"
    })
}

/// Returns SeriesNumber if it is valid: positive, and within the range of IS (PS3.5 section 6.2).
pub fn series_number(header: &Header) -> Option<i64> {
    header.int(Field::SeriesNumber).filter(is_series_number)
}

/// Returns whether a number can be a SeriesNumber.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "a filter of options")]
pub(crate) fn is_series_number(number: &i64) -> bool {
    (1..=i64::from(i32::MAX)).contains(number)
}

/// Returns PatientID trimmed and in lower case; empty without one.
pub fn folded_patient_id(header: &Header) -> String {
    header
        .text(Field::PatientId)
        .map(|id| id.to_lowercase())
        .unwrap_or_default()
}

/// StudyInstanceUID and SeriesInstanceUID: what identifies a series if patient and SeriesNumber are ignored.
type SeriesKey<'a> = (&'a [u8], Cow<'a, [u8]>);

/// Sorts files by series; a file that belongs to none (see [`unsorted_reason`]) is in no group.
///
/// A file without PatientID gets that of the other files of its series, if they have only one. Then a file without
/// SeriesNumber gets that of the other files of its patient in the series, if they have only one. The result is ordered by
/// SeriesNumber (those without one last), start (unknown ones first), SeriesInstanceUID, StudyInstanceUID, PatientID.
pub fn group(files: &[InputFile<'_>]) -> Vec<Group> {
    let mut series: HashMap<SeriesKey<'_>, HashMap<GroupKey, Vec<usize>>> = HashMap::new();
    for (index, file) in files.iter().enumerate() {
        let header = file.header;
        if unsorted_reason(header).is_some() {
            continue;
        }
        let uid = match header.raw(Field::SeriesInstanceUid) {
            b"" => Cow::Owned(series_uid(header, file.folder).into_bytes()),
            uid => Cow::Borrowed(uid),
        };
        let key = (header.raw(Field::StudyInstanceUid), uid);
        let group_key = (folded_patient_id(header), series_number(header));
        series
            .entry(key)
            .or_default()
            .entry(group_key)
            .or_default()
            .push(index);
    }
    let mut groups: Vec<Group> = series
        .into_values()
        .flat_map(|by_key| {
            fill_in(by_key)
                .into_iter()
                .filter_map(|(group_key, members)| build_group(files, group_key, members))
        })
        .collect();
    groups.sort_by(compare_groups);
    groups
}

/// Compares groups by the order of [`group`].
fn compare_groups(a: &Group, b: &Group) -> Ordering {
    let key = |group: &Group| (group.number.is_none(), group.number);
    key(a)
        .cmp(&key(b))
        .then_with(|| a.start_time.cmp(&b.start_time))
        .then_with(|| a.series_uid.cmp(&b.series_uid))
        .then_with(|| a.study_uid.cmp(&b.study_uid))
        .then_with(|| a.folded_patient_id.cmp(&b.folded_patient_id))
}

fn build_group(
    files: &[InputFile<'_>],
    group_key: GroupKey,
    mut members: Vec<usize>,
) -> Option<Group> {
    let sort_key = |index: &usize| files.get(*index).map(|file| file.sort_key);
    members.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)).then(a.cmp(b)));
    let header_of = |index: &usize| files.get(*index).map(|file| file.header);
    let instance = |index: &&usize| {
        let number = header_of(index).and_then(|header| header.int(Field::InstanceNumber));
        (number.is_none(), number)
    };
    // Of several files with the lowest number, `min_by_key` returns the first, which has the lowest path.
    let representative = *members.iter().min_by_key(instance)?;
    let header = header_of(&representative)?;
    let folder = files.get(representative).map(|file| file.folder);
    let series_uid = || series_uid(header, folder.unwrap_or_default());
    let start_time = members
        .iter()
        .filter_map(header_of)
        .map(start_time)
        .filter(|time| !time.is_empty())
        .min();
    let (folded_patient_id, number) = group_key;
    Some(Group {
        study_uid: header.text(Field::StudyInstanceUid).unwrap_or_default(),
        series_uid: header
            .text(Field::SeriesInstanceUid)
            .unwrap_or_else(series_uid),
        number,
        folded_patient_id,
        size: members
            .iter()
            .filter_map(|index| files.get(*index))
            .map(|file| file.size)
            .sum(),
        start_time: start_time.unwrap_or_default(),
        representative,
        members,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;

    fn header(values: &[(Field, &str)]) -> Header {
        let mut all = vec![
            (Field::StudyInstanceUid, "1.1"),
            (Field::SeriesInstanceUid, "1.2"),
            (Field::SopInstanceUid, "1.3"),
        ];
        all.extend_from_slice(values);
        Header::from_values(&all)
    }

    fn grouped(headers: &[Header]) -> Vec<Group> {
        let paths: Vec<String> = (0..headers.len())
            .map(|index| format!("{index:03}"))
            .collect();
        let files: Vec<InputFile<'_>> = headers
            .iter()
            .zip(&paths)
            .map(|(header, path)| InputFile {
                sort_key: path.as_bytes(),
                folder: b"",
                header,
                size: 10,
            })
            .collect();
        group(&files)
    }

    fn numbered(number: &str) -> Header {
        header(&[(Field::SeriesNumber, number)])
    }

    #[test]
    fn a_file_without_a_number_joins_the_only_number_of_its_series() {
        for missing in [
            "",
            "0",
            "-3",
            "x",
            "2147483648",
            "100000000000000000",
            "4611686018427387904",
            "9223372036854775807",
            "99999999999999999999",
            "1e12",
        ] {
            let groups = grouped(&[numbered("4"), numbered(missing), numbered("04")]);
            assert_eq!(groups.len(), 1, "{missing:?}");
            assert_eq!(
                (groups[0].number, groups[0].members.as_slice()),
                (Some(4), &[0, 1, 2][..])
            );
        }
        let groups = grouped(&[numbered("4"), numbered(""), numbered("5")]);
        let numbers: Vec<Option<i64>> = groups.iter().map(|group| group.number).collect();
        assert_eq!(numbers, [Some(4), Some(5), None]);
    }

    #[test]
    fn patients_differ_only_by_id_and_a_missing_id_is_no_second_patient() {
        let of = |id: &str| header(&[(Field::PatientId, id)]);
        assert_eq!(grouped(&[of("Ab "), of("aB"), of("")]).len(), 1);
        assert_eq!(
            grouped(&[of("Ab "), of("aB"), of("")])[0].folded_patient_id,
            "ab"
        );
        assert_eq!(grouped(&[of("a"), of("b"), of("")]).len(), 3);
    }

    #[test]
    fn studies_and_series_that_share_a_number_stay_apart() {
        let groups = grouped(&[
            header(&[(Field::SeriesNumber, "4"), (Field::StudyInstanceUid, "9.1")]),
            header(&[
                (Field::SeriesNumber, "4"),
                (Field::SeriesInstanceUid, "9.2"),
            ]),
            numbered("4"),
        ]);
        assert_eq!(groups.len(), 3);
    }

    #[test]
    fn the_representative_has_the_lowest_instance_number() {
        let of = |number: &str| header(&[(Field::InstanceNumber, number)]);
        let groups = grouped(&[of(""), of("10"), of("2"), of("2")]);
        assert_eq!((groups[0].representative, groups[0].size), (2, 40));
    }

    #[test]
    fn objects_of_no_series_are_in_no_group() {
        let directory = header(&[(Field::MediaStorageSopClassUid, "1.2.840.10008.1.3.10")]);
        assert_eq!(unsorted_reason(&directory), Some("a DICOMDIR"));
        let bare = Header::from_values(&[(Field::SopInstanceUid, "1")]);
        assert!(grouped(&[directory, bare]).is_empty());
    }

    #[test]
    fn files_without_a_series_uid_are_series_by_their_folder() {
        let image = |values: &[(Field, &str)]| {
            let mut all = vec![(Field::Rows, "64"), (Field::Columns, "64")];
            all.extend_from_slice(values);
            Header::from_values(&all)
        };
        let headers = [
            image(&[]),
            image(&[]),
            image(&[]),
            image(&[(Field::SeriesNumber, "5")]),
        ];
        let paths: [&[u8]; 4] = [b"a/1", b"b/1", b"a/2", b"a/3"];
        let files: Vec<InputFile<'_>> = headers
            .iter()
            .zip(paths)
            .map(|(header, path)| InputFile {
                sort_key: path,
                folder: &path[..1],
                header,
                size: 1,
            })
            .collect();
        let mut members: Vec<Vec<usize>> = group(&files)
            .into_iter()
            .map(|group| group.members)
            .collect();
        members.sort();
        assert_eq!(members, [vec![0, 2], vec![1], vec![3]]);
        assert!(
            group(&files)
                .iter()
                .all(|group| group.series_uid.starts_with("2.25."))
        );
    }

    #[test]
    fn the_start_is_the_earliest_that_any_file_says() {
        let of = |date: &str, time: &str| {
            header(&[(Field::SeriesDate, date), (Field::SeriesTime, time)])
        };
        let groups = grouped(&[
            of("20200102", "101500.5"),
            of("2020.01.02", "10:14"),
            of("", ""),
        ]);
        assert_eq!(groups[0].start_time, "202001021014");
    }

    #[test]
    fn groups_come_by_number_then_time() {
        let of = |uid: &str, number: &str, time: &str| {
            header(&[
                (Field::SeriesInstanceUid, uid),
                (Field::SeriesNumber, number),
                (Field::SeriesDate, "20200101"),
                (Field::SeriesTime, time),
            ])
        };
        let groups = grouped(&[
            of("1", "", "08"),
            of("2", "10", "08"),
            of("3", "2", "12"),
            of("4", "2", "11"),
        ]);
        let order: Vec<&str> = groups
            .iter()
            .map(|group| group.series_uid.as_str())
            .collect();
        assert_eq!(order, ["4", "3", "2", "1"]);
    }
}
