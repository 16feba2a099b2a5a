"""Imports over a real Slurm: three virtual nodes on this machine, started and ended by these tests.

`python -m tests.cluster` is the long form; the tests of this folder are the short one.
"""
