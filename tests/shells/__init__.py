"""The completions in real shells."""
