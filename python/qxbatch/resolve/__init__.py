"""Finds the session of a packet by its name (name format, BIDS name or logfile), and invalid session names."""
