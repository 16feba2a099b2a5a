"""All sessions of a study: their majority, and the sessions that differ from it."""
