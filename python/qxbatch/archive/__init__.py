"""Archives a packet after all its outputs were verified on disk."""
