//! UIDs for DICOM objects without UIDs: some anonymizers remove them. The bytes of the objects do not change.

use sha2::{Digest, Sha256};

use crate::header::{Field, Header};
use crate::notation::Hash;

/// Returns a UID made from a hash: 2.25 and the decimal value of a UUID (PS3.5 section B.2).
#[must_use]
pub fn uid_from_hash(hash: &Hash) -> String {
    let mut bytes = hash.first_chunk::<16>().copied().unwrap_or_default();
    // RFC 9562: version 8 is for vendor-specific values, the variant is 10 in binary.
    if let Some(byte) = bytes.get_mut(6) {
        *byte = (*byte & 0x0f) | 0x80;
    }
    if let Some(byte) = bytes.get_mut(8) {
        *byte = (*byte & 0x3f) | 0x80;
    }
    format!("2.25.{}", u128::from_be_bytes(bytes))
}

/// Returns a SeriesInstanceUID for an object without one, made from the study, number, description and SOP class of the
/// object and from the folder or archive that contains its file.
#[must_use]
pub fn series_uid(header: &Header, folder: &[u8]) -> String {
    let mut sha = Sha256::new();
    for field in [
        Field::StudyInstanceUid,
        Field::SeriesNumber,
        Field::SeriesDescription,
        Field::SopClassUid,
    ] {
        sha.update(header.raw(field));
        sha.update([0]);
    }
    sha.update(folder);
    uid_from_hash(&sha.finalize().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn header(number: &str, description: &str) -> Header {
        Header::from_values(&[
            (Field::StudyInstanceUid, "1.2"),
            (Field::SeriesNumber, number),
            (Field::SeriesDescription, description),
        ])
    }

    #[test]
    fn a_uid_of_a_hash_is_that_of_a_uuid() {
        assert_eq!(uid_from_hash(&[0; 32]), "2.25.604472133179351442128896");
        let uid = uid_from_hash(&[0xff; 32]);
        let value: u128 = uid.strip_prefix("2.25.").unwrap().parse().unwrap();
        assert_eq!(value, 0xffff_ffff_ffff_8fff_bfff_ffff_ffff_ffff);
        assert!(uid.len() <= 64);
    }

    #[test]
    fn files_of_one_folder_number_and_description_are_one_series() {
        let uid = series_uid(&header("3", "T1"), b"a");
        assert_eq!(uid, series_uid(&header("3", "T1"), b"a"));
        assert_ne!(uid, series_uid(&header("4", "T1"), b"a"));
        assert_ne!(uid, series_uid(&header("3", "T2"), b"a"));
        assert_ne!(uid, series_uid(&header("3", "T1"), b"b"));
        assert_ne!(uid, series_uid(&header("3", "T1"), b"a/b.zip"));
    }
}
