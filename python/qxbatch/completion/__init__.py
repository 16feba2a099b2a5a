"""Completion for bash, zsh and fish, and the man page, generated from the tables of parameters and commands.

No command loads this package: `python -m qxbatch.completion.render` in the repository writes the files that the wheel installs.
"""
