"""Reads packets through the core, identifies patients, assigns series numbers and final file names."""
