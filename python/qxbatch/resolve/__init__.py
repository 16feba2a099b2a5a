"""From a packet's name to its session: name format, table of packets, and names that no session may have."""
