//! What is fuzzed: each target takes any bytes and fails on a broken promise.
//!
//! The same bodies are run by libFuzzer (rust/fuzz) and by the mutations of the test beside this folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod compressed;
mod deflate_blocks;
mod frames;
mod header;
mod ingest;
mod pieces;
mod reread;
mod sevenz;
mod statistics;
mod tar;
mod zip;

/// One target.
pub struct Target {
    /// Names its folders of inputs, and its libFuzzer program.
    pub name: &'static str,
    /// Panics when a promise is broken.
    pub body: fn(&[u8]),
    /// Inputs are cut to so many bytes.
    pub longest: usize,
    /// Marks and words that mutations put in.
    pub words: &'static [&'static [u8]],
}

/// All targets. `scripts/fuzz` and the programs in rust/fuzz name the same ones; a test compares.
pub const ALL: [Target; 10] = [
    Target {
        name: "header",
        body: header::run,
        longest: 4096,
        words: header::WORDS,
    },
    Target {
        name: "frames",
        body: frames::run,
        longest: 8192,
        words: frames::WORDS,
    },
    Target {
        name: "zip",
        body: zip::run,
        longest: 8192,
        words: zip::WORDS,
    },
    Target {
        name: "sevenz",
        body: sevenz::run,
        longest: 4096,
        words: sevenz::WORDS,
    },
    Target {
        name: "tar",
        body: tar::run,
        longest: 8192,
        words: tar::WORDS,
    },
    Target {
        name: "compressed",
        body: compressed::run,
        longest: 4096,
        words: compressed::WORDS,
    },
    Target {
        name: "deflate_blocks",
        body: deflate_blocks::run,
        longest: 4096,
        words: &[&[0, 0, 0xff, 0xff]],
    },
    Target {
        name: "reread",
        body: reread::run,
        longest: 4096,
        words: reread::WORDS,
    },
    Target {
        name: "statistics",
        body: statistics::run,
        longest: 4096,
        words: statistics::WORDS,
    },
    Target {
        name: "ingest",
        body: ingest::run,
        longest: 12288,
        words: ingest::WORDS,
    },
];

/// The target of that name.
pub fn find(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}
