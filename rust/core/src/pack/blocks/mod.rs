//! Reads the blocks of a deflate stream (RFC 1951) without decompressing it, to find the last one.

mod bits;
mod code;
mod codes;
mod last;
mod open;

pub use last::{LastBlock, last};
pub use open::open_end;
