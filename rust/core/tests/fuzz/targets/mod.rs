//! The fuzz targets: each accepts any bytes and panics if a property does not hold.
//!
//! libFuzzer (rust/fuzz) and the mutation test beside this folder run the same targets.
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
    /// The name of its input folders and of its libFuzzer program.
    pub name: &'static str,
    /// Panics if a property does not hold.
    pub body: fn(&[u8]),
    /// Inputs are cut to this length in bytes.
    pub longest: usize,
    /// Marks and words for mutations.
    pub words: &'static [&'static [u8]],
}

/// All targets. `scripts/fuzz` and the programs in rust/fuzz name the same ones; a test compares them.
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

/// Returns the target with that name.
pub fn find(name: &str) -> Option<&'static Target> {
    ALL.iter().find(|target| target.name == name)
}
