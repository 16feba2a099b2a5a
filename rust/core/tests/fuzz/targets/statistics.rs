//! Statistics of an image: bounded work, and finite numbers.

use std::fs::write;

use qxbatch_core::image::{MIN_VOLUMES, statistics};
use qxbatch_core::monitor::Monitor;

/// Sizes, types and numbers of a header, and values that are not numbers.
pub const WORDS: &[&[u8]] = &[
    b"\x5c\x01\x00\x00",
    b"\x00\x00\x01\x5c",
    b"\x1c\x02\x00\x00",
    b"\xff\x7f\xff\x7f\xff\x7f",
    b"\x02\x00\x08\x00",
    b"\x08\x00\x20\x00",
    b"\x10\x00\x20\x00",
    b"\x40\x00\x40\x00",
    b"\x80\x00\x18\x00",
    b"\x00\x07\x80\x00",
    b"\x00\x00\xb0\x43",
    b"\x00\x00\xc0\x7f",
    b"\x00\x00\x80\x7f",
    b"\x00\x00\x00\x00\x00\x00\xf0\x7f",
    b"\xff\xff\xff\xff\xff\xff\xef\x7f",
];

/// Reads bytes as an image.
pub fn run(bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.nii");
    write(&path, bytes).unwrap();
    let Ok(Some(found)) = statistics(&path, &Monitor::default()) else {
        return;
    };
    assert!(found.global_signal.iter().all(|value| value.is_finite()));
    assert!(found.global_signal.len() >= found.dropped_volumes + MIN_VOLUMES);
    assert!(found.global_signal.len() <= bytes.len());
    assert!(found.tsnr.is_none_or(|tsnr| tsnr.is_finite() && tsnr > 0.0));
    assert!(found.tsnr_limit.is_none_or(f64::is_finite));
    assert_eq!(found.tsnr_slice(&[0], &[0]).unwrap().len(), 1);
    assert!(found.mean_slice(&[u64::MAX], &[u64::MAX, 0]).is_err());
}
