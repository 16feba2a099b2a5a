"""dcm2niix: the program in the PyPI package, called without the package's Python wrapper."""

import errno
import importlib.util
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from qxbatch.convert.converter import Command, ConverterJob, Probe
from qxbatch.convert.naming import numbered_outputs
from qxbatch.model import Output

VARIABLE = "QXBATCH_DCM2NIIX"
"""The environment variable with the path of the program."""
_VERSION = re.compile(r"v?(\d+\.\d+\.\d{8})")
_USABLE = {0, 8, 10}
"""Exit statuses with usable output: success, some files failed, incomplete volumes found."""

ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": f"{32 << 20}",
    "MALLOC_TRIM_THRESHOLD_": f"{128 << 20}",
    "MALLOC_TOP_PAD_": f"{4 << 20}",
}
"""glibc allocates the program's buffers again for each file; keeping them saves a quarter of the program's system time
(mallopt(3)).
"""
LARGE_PAGES = "glibc.malloc.hugetlb"
"""With large pages, if the system offers them on request, many short series take even less time (glibc manual, Memory
Allocation Tunables).
"""


def allocator_settings() -> dict[str, str]:
    """Return the settings of glibc's allocator for the program; the user's own settings take precedence."""
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if LARGE_PAGES not in tunables:
        tunables = ":".join(filter(None, [tunables, f"{LARGE_PAGES}=1"]))
    variables = {name: os.environ.get(name, value) for name, value in ALLOCATOR.items()}
    return {**variables, "GLIBC_TUNABLES": tunables}


class Dcm2niix:
    """The default converter."""

    name = "dcm2niix"
    max_seconds_per_file = 0.5

    def __init__(self, binary: Path, version: str) -> None:
        self.binary = binary
        self.version = version

    def command(self, job: ConverterJob) -> Command:
        """Return the call for one series.

        `-g i` keeps an ini file from changing names, `-z n` leaves compression to qxbatch (gzip takes nine tenths of
        the time of dcm2niix), `-ba y` removes identity and dates from the JSON.
        """
        flags = ["-g", "i", "-f", str(job.series.n), "-z", "n", "-b", "y", "-ba", "y"]
        return Command((str(self.binary), *flags, "-o", str(job.out), str(job.source)), allocator_settings())

    def outputs(self, job: ConverterJob) -> Sequence[Output]:
        """Return its images; their names start with `job.series.n`."""
        return numbered_outputs(job.out, str(job.series.n))

    def accepts(self, exit_status: int) -> bool:
        """Return whether the output is usable; with exit status 1 an image may be invalid."""
        return exit_status in _USABLE


def candidates() -> list[Path]:
    """Return where the program may be, the preferred location first.

    PATH is not among them: distributions ship releases that silently corrupt multi-frame JPEG 2000.
    """
    paths = [Path(os.environ[VARIABLE])] if os.environ.get(VARIABLE) else []
    spec = importlib.util.find_spec("dcm2niix")
    if spec is not None and spec.origin:
        paths.append(Path(spec.origin).parent / "dcm2niix")
    return paths


def version_of(binary: Path) -> str:
    """Return the version that the program prints (`-v` exits with 3); empty if it does not run.

    Raises OSError if no process can be started now.
    """
    try:
        process = subprocess.run([str(binary), "-v"], capture_output=True, timeout=30, check=False)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.ENOMEM):
            raise
        return ""
    except subprocess.SubprocessError:
        return ""
    match = _VERSION.search(process.stdout.decode("utf-8", "replace"))
    return match[1] if match else ""


def find() -> Dcm2niix | None:
    """Return the converter, or None if it is absent or does not run."""
    for binary in (candidate.absolute() for candidate in candidates()):
        if binary.is_file() and (version := version_of(binary)):
            return Dcm2niix(binary, version)
    return None


def probe() -> Probe:
    """Return the availability of the converter."""
    converter = find()
    return Probe(
        name="dcm2niix",
        purpose="DICOM and PAR/REC (the default)",
        location=str(converter.binary) if converter else "",
        version=converter.version if converter else "",
        searched_locations=(f"${VARIABLE}", "the Python package dcm2niix"),
        advice="Install it with `pip install dcm2niix`.",
    )
