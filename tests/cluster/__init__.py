"""Imports with a real Slurm: three virtual nodes on this machine, started and stopped by these tests.

`python -m tests.cluster` is the long test; the tests in this folder are the short one.
"""
