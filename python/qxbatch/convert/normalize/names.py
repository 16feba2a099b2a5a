"""Names that the process `python -m qxbatch.convert.normalize` and its caller share."""

PROGRAM_VARIABLE = "QXBATCH_DCM2NIIX"
"""Environment variable with the path of dcm2niix."""
COPIES_FOLDER = "copies"
"""Folder for the copies."""
STACKS_FILE = "stacks.json"
"""File beside COPIES_FOLDER with the suggested suffixes of the stacks, in their order, as JSON."""


def stack_name(k: int) -> str:
    """Return the base name of the images of stack `k`, counted from 1; no name is the start of another one (below 100,000)."""
    return f"stack{k:05}"
