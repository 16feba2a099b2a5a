"""Completion for bash, zsh and fish, and the man page: made of the table of parameters and of the parts.

No command loads it: `python -m qxbatch.completion.render` in the repository writes the files that the wheel installs.
"""
