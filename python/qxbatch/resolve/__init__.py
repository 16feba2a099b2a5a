"""Map a packet's name to its session: name format, BIDS name or logfile; and which session names are invalid."""
