"""Runs of the command that are killed, out of disk space, locked out or given false data; and what must be true afterwards.

`python -m tests.faults --runs 200` is the long run; the tests of this folder are the short one.
"""
