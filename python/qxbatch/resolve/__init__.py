"""Map a packet's name to its session: name format, table of packets, and invalid session names."""
