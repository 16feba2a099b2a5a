"""Finds the session of a packet by its name (name format, BIDS name or logfile); refuses invalid names and suggests valid ones."""
