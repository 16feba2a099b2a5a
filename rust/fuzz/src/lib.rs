//! The targets of rust/core/tests/fuzz as programs for libFuzzer.

#[path = "../../core/tests/fuzz/mutate.rs"]
mod mutate;
#[path = "../../core/tests/fuzz/targets/mod.rs"]
pub mod targets;

pub use libfuzzer_sys::{fuzz_mutator, fuzz_target};

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use mutate::{Random, mutate};
use targets::Target;

/// Mutates the first `size` bytes of `data`, and returns the new size, at most `max_size`.
///
/// In 3 of 4 cases, libFuzzer's mutators are used: they know the values that the code compares with. In the others, the mutator
/// of `rust/core/tests/fuzz` is used: it also inserts words of the format ([`Target::words`]).
pub fn mutate_input(
    target: &Target,
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
) -> usize {
    let mut random = Random::new(u64::from(seed));
    if random.below(4) > 0 {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let mut bytes = data[..size].to_vec();
    let other = bytes.clone(); // libFuzzer passes no second input to copy from
    mutate(&mut bytes, &other, target.words, max_size, &mut random);
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

/// Limit on the CPU time of an input. Wall time would also count while a busy machine runs other work.
const MAX_CPU_TIME: Duration = Duration::from_secs(5);

/// Runs a target on one input; panics if that takes more CPU time than [`MAX_CPU_TIME`].
pub fn run(target: &Target, bytes: &[u8]) {
    let before = cpu_time();
    (target.body)(bytes);
    assert!(
        cpu_time() - before < MAX_CPU_TIME,
        "an input of {} bytes takes long",
        bytes.len()
    );
}

/// Returns the CPU time that this thread has used.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

/// Declares a program that runs the target with this name.
#[macro_export]
macro_rules! program {
    ($name:literal) => {
        static TARGET: std::sync::LazyLock<&$crate::targets::Target> =
            std::sync::LazyLock::new(|| $crate::targets::find($name).unwrap());

        $crate::fuzz_target!(|bytes: &[u8]| $crate::run(&TARGET, bytes));

        $crate::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate_input(&TARGET, data, size, max_size, seed)
        });
    };
}
