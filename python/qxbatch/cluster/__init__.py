"""Import with the scheduler of a cluster: job arrays, a small state file for each unit, and the workers of the jobs.

The scheduler runs the work: no process has to stay alive. An import without a scheduler loads no module of this package.
"""
