"""A PAR/REC pair: table of the PAR, layout of the REC, and for each stack the geometry of its NIfTI image and its table lines.

Each is computed once, when it is first used.
"""

from functools import cached_property
from pathlib import Path
from typing import Any

from qxbatch.convert.par_files import par_and_rec
from qxbatch.convert.par_image import ParImage, par_image
from qxbatch.convert.par_rec import Rec, rec_of
from qxbatch.convert.par_stacks import stacks
from qxbatch.convert.par_table import general_lines, image_defs
from qxbatch.convert.run import Cancel
from qxbatch.parrec.header import ParHeader, read_par


class ParPair:
    """One PAR/REC pair."""

    def __init__(self, header: ParHeader, rec_path: Path, cancel: Cancel | None = None) -> None:
        self.header, self.rec_path = header, rec_path
        self._cancel = cancel

    @cached_property
    def table(self) -> Any:
        """Return the image table as nibabel's structured array. Raises ValueError when it is not usable, and CancelledError."""
        return image_defs(self.header, self._cancel)

    @cached_property
    def rec(self) -> Rec:
        """Return the layout of the REC. Raises ValueError when it does not fit the PAR, OSError, and as `table` does."""
        return rec_of(self.rec_path, self.header, self.table)

    @cached_property
    def images(self) -> list[ParImage]:
        """Return the image of each stack. Raises as `table` does, and what nibabel and numpy raise for a damaged table."""
        general = general_lines(self.header)
        return [par_image(general, self.table, stack) for stack in stacks(self.header, self.table)]


def read_pair(folder: Path, cancel: Cancel | None = None) -> ParPair:
    """Read the header of the only pair of a folder; `cancel` stops `ParPair.table`.

    Raises ValueError when there is not exactly one PAR and one REC, or the PAR exceeds a limit on its bytes, its lines or the
    length of a line, and OSError.
    """
    par, rec = par_and_rec(folder)
    header = read_par(par)
    if header.unread_reason:
        raise ValueError(f"{header.unread_reason} (limit)")
    return ParPair(header, rec, cancel)
