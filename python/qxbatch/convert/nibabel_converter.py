"""PAR/REC through nibabel, in a separate process: a damaged file can neither hang the main process nor use up its memory."""

import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec

from qxbatch.convert.converter import Command, ConverterJob, Probe
from qxbatch.convert.naming import numbered_outputs
from qxbatch.model import Output

NIBABEL = "nibabel"
"""The name of the converter."""


class Nibabel:
    """Converts PAR versions 3 to 4.2: one image for each stack (qxbatch.convert.par_stacks)."""

    name = NIBABEL
    max_seconds_per_file = 60.0

    @cached_property
    def version(self) -> str:
        """Return its version."""
        from importlib.metadata import version  # takes 15 ms, and few sessions have PAR/REC

        return version(NIBABEL)

    def command(self, job: ConverterJob) -> Command:
        """Return the call of qxbatch.convert.parrec_images."""
        module = "qxbatch.convert.parrec_images"
        arguments = (str(job.source), str(job.out), str(job.series.n))
        return Command(
            (sys.executable, "-P", "-m", module, *arguments), {"PYTHONPATH": ":".join(filter(None, sys.path))}
        )

    def outputs(self, job: ConverterJob) -> Sequence[Output]:
        """Return the images in the output folder."""
        return numbered_outputs(job.out, str(job.series.n))

    def accepts(self, exit_status: int) -> bool:
        """Return whether all images were written."""
        return exit_status == 0


def find() -> Nibabel | None:
    """Return the converter, or None when nibabel is not installed."""
    return Nibabel() if find_spec(NIBABEL) else None


def probe() -> Probe:
    """Return the availability of the converter."""
    converter = find()
    return Probe(
        name=NIBABEL,
        purpose="PAR/REC (where dcm2niix is wrong)",
        location=sys.executable if converter else "",
        version=converter.version if converter else "",
        searched_locations=("the Python package nibabel",),
        advice="Install it with `pip install nibabel`.",
    )
