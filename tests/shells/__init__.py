"""Completions in real shells, and the man page."""
