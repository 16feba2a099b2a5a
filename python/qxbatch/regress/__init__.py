"""Regression sets: packets with what is expected of them (docs/regression.md)."""
