"""Locks, staging, and the exchange that makes a session visible at once and complete."""
