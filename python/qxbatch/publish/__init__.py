"""Locks, staging, durable writes, and the exchange that makes a fully written session visible."""
