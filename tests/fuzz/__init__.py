"""Fuzzing of the Python parsers, and the seed corpus for fuzzing the Rust core."""
