"""Protocol of a study: the expected content of each session, and differences from it (docs/protocol.md)."""
