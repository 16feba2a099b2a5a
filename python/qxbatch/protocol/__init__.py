"""Protocol of a study: what each session should contain, and what differs from it (docs/protocol.md)."""
