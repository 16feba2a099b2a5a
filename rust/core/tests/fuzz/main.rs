//! Fuzzing in stable Rust: runs the corpus and the recorded cases, then mutations of them.
//!
//! QXBATCH_FUZZ_ROUNDS is the number of mutations for each target, QXBATCH_FUZZ_TARGET the only target with mutations,
//! QXBATCH_FUZZ_SEED another seed. `scripts/fuzz` runs many of them, with libFuzzer if a nightly compiler is installed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

mod mutate;
mod targets;

use std::env;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mutate::{Random, mutate};
use targets::{ALL, Target, find};

/// Default number of mutations for each target: a few seconds for all of them.
const ROUNDS: u64 = 4000;
/// A longer run reports its progress after this many mutations.
const PULSE: u64 = 10_000;
/// Time limit for a single input, which is generous even on a busy machine.
const LONGEST: Duration = Duration::from_secs(5);

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// Returns the input files of a folder, by name; none if the folder does not exist.
fn inputs(kind: &str, target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fuzz_folder().join(kind).join(target.name);
    let listed = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect(name))
}

fn chosen() -> Vec<&'static Target> {
    match env::var("QXBATCH_FUZZ_TARGET") {
        Ok(name) => vec![find(&name).expect("a target of that name")],
        Err(_) => ALL.iter().collect(),
    }
}

/// Runs a target. If it fails, or takes longer than [`LONGEST`] twice, writes the input to a file beside the results of
/// the build, and panics with its path.
fn checked(target: &Target, bytes: &[u8], source: &str) {
    let run = || {
        let start = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| (target.body)(bytes)));
        (done.is_ok(), start.elapsed() < LONGEST)
    };
    let (kept, quick) = run();
    // A suspended machine is not the input's fault.
    if !kept || !quick && !run().1 {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-finds");
        fs::create_dir_all(&folder).unwrap();
        let name = crc32fast::hash(bytes);
        let path = folder.join(format!("{}-{name:08x}.bin", target.name));
        fs::write(&path, bytes).unwrap();
        panic!("{}: {source} fails: {}", target.name, path.display());
    }
}

#[test]
fn the_corpus_and_recorded_cases_pass_every_target() {
    for target in &ALL {
        let corpus = inputs("corpus", target);
        assert!(corpus.len() > 2, "{} has no corpus", target.name);
        for (path, bytes) in corpus.iter().chain(&inputs("found", target)) {
            checked(target, bytes, &path.display().to_string());
        }
        checked(target, b"", "nothing at all");
    }
}

/// Runs mutations of a target's inputs. They depend on the seed only.
fn mutated(target: &Target) {
    let rounds = number("QXBATCH_FUZZ_ROUNDS", ROUNDS);
    let mut seeds = inputs("corpus", target);
    seeds.extend(inputs("found", target));
    let mut random = Random::new(number("QXBATCH_FUZZ_SEED", 1));
    let start = Instant::now();
    for round in 0..rounds {
        if round > 0 && round % PULSE == 0 {
            println!("{}: {round} executions so far", target.name);
        }
        let mut bytes = seeds[random.below(seeds.len())].1.clone();
        let other = &seeds[random.below(seeds.len())].1;
        mutate(&mut bytes, other, target.words, target.longest, &mut random);
        checked(target, &bytes, &format!("mutation {round}"));
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{}: {rounds} executions in {seconds:.1} s", target.name);
}

#[test]
fn mutations_keep_every_promise() {
    let targets = chosen();
    let next = AtomicUsize::new(0);
    // A thread for each CPU: more would lengthen the time of a single input.
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    mutated(target);
                }
            });
        }
    });
}

#[test]
fn each_target_has_a_program_for_libfuzzer() {
    let manifest = fs::read_to_string(fuzz_folder().join("Cargo.toml")).unwrap();
    let mut programs: Vec<&str> = manifest
        .lines()
        .filter_map(|line| {
            line.strip_prefix("path = \"fuzz_targets/")?
                .strip_suffix(".rs\"")
        })
        .collect();
    let mut names: Vec<&str> = ALL.iter().map(|target| target.name).collect();
    programs.sort_unstable();
    names.sort_unstable();
    assert_eq!(programs, names);
    let script = fs::read_to_string(fuzz_folder().join("../../scripts/fuzz")).unwrap();
    let listed: Vec<String> = ALL
        .iter()
        .map(|target| format!("{}={}", target.name, target.longest))
        .collect();
    assert!(script.contains(&format!("targets=({})", listed.join(" "))));
}
