"""Measurements of qxbatch against its peers: `bench/run` writes docs/performance.md."""
