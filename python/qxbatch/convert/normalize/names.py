"""Names that the process for a series and its caller agree on."""

PROGRAM = "QXBATCH_DCM2NIIX"
"""Environment variable with the path of dcm2niix."""
COPIES = "copies"
"""Folder for the copies."""
STACKS = "stacks.json"
"""Beside it: the suggested suffixes of the stacks, in their order."""


def stack_name(k: int) -> str:
    """Return how the images of stack `k` are named; no name is the start of another one."""
    return f"stack{k:05}"
