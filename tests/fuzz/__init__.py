"""Fuzzing of the readers that are Python, and the inputs that the fuzzing of the core begins with."""
