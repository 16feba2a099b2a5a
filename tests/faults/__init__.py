"""Runs of the command that are killed, starved of disk, locked out or lied to; and what must hold after each.

`python -m tests.faults --runs 200` is the long form; the tests of this folder are the short one.
"""
