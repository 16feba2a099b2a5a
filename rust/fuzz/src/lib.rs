//! The targets of rust/core/tests/fuzz as programs for libFuzzer.

#[path = "../../core/tests/fuzz/mutate.rs"]
mod mutate;
#[path = "../../core/tests/fuzz/targets/mod.rs"]
pub mod targets;

pub use libfuzzer_sys::{fuzz_mutator, fuzz_target};

use mutate::{Random, mutate};
use targets::Target;

/// Changes an input by libFuzzer's own means, which know what the code compares with, or by those of the stable driver,
/// which know marks and words of the formats. Returns the new size.
pub fn mutated(target: &Target, data: &mut [u8], size: usize, most: usize, seed: u32) -> usize {
    let mut random = Random::new(u64::from(seed));
    if random.below(4) > 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, most);
    }
    let mut bytes = data[..size].to_vec();
    let other = bytes.clone();
    mutate(&mut bytes, &other, target.words, most, &mut random);
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

/// A program that runs the target of a name.
#[macro_export]
macro_rules! program {
    ($name:literal) => {
        static TARGET: std::sync::LazyLock<&$crate::targets::Target> =
            std::sync::LazyLock::new(|| $crate::targets::find($name).unwrap());

        $crate::fuzz_target!(|bytes: &[u8]| (TARGET.body)(bytes));

        $crate::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
            $crate::mutated(&TARGET, data, size, most, seed)
        });
    };
}
