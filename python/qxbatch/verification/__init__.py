"""Compares the files of a session on disk with its ledger and its summary."""
