"""Import with the scheduler of a cluster: job arrays, a small state file for each unit (the packets of one session), and the
workers of the jobs.

The scheduler runs the work: no process has to stay alive. Only `--scheduler`, `qxbatch worker` and the commands for
submissions load this package.
"""
