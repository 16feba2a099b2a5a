//! Finds the last block of a deflate stream (RFC 1951) without decompressing the stream, and changes the stream so that
//! another one can follow it.

mod bits;
mod code;
mod codes;
mod extendable;
mod last;

pub use extendable::make_extendable;
pub use last::{LastBlock, find_last_block};
