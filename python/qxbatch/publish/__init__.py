"""Locks, staging, durable writes, and the exchange that makes a complete session visible."""
