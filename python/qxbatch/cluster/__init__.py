"""Imports over the scheduler of a cluster: job arrays, a small state file for each unit, and the workers of the jobs.

The scheduler is the engine. No process has to stay alive, and no module of this package is loaded by an import without it.
"""
