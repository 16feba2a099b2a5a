"""Many sessions together: what their majority has in common, and which session differs from it."""
