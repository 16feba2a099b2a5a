"""Reads packets through the core, tells patients apart, gives series their numbers and files their final names."""
