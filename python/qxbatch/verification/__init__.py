"""Compares the files on disk with the ledger."""
