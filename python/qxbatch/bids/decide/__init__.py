"""The plan of each session: which images belong together, and where each of them goes."""
