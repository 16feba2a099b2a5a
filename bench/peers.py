"""The programs that qxbatch is measured against: which are here, in which version."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Peer:
    """A program or package, and its version; `version` is None where it is absent."""

    name: str
    version: str | None


def dcm2niix() -> Path:
    """Return the program inside the PyPI package: the same that qxbatch runs."""
    import dcm2niix as package

    return Path(package.bin)


def find() -> dict[str, Peer]:
    """Return the peers by name."""
    gdcm = version("python-gdcm") if importlib.util.find_spec("gdcm") else None
    peers = [
        Peer("gdcm", gdcm),
        Peer("pydicom", version("pydicom")),
        Peer("dcm2niix", version("dcm2niix")),
        Peer("unzip", first_line("unzip", "-v")),
        Peer("tar", first_line("tar", "--version")),
        Peer("pigz", first_line("pigz", "--version")),
        Peer("dcmtk", first_line("dcmftest", "--version")),
        Peer("strace", first_line("strace", "--version")),
        Peer("cc", first_line("cc", "--version")),
        Peer("qunex", first_line("qunex", "--version")),
    ]
    return {peer.name: peer for peer in peers}


def first_line(*command: str) -> str | None:
    """Return the first line that a program prints; None when there is no such program."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"})
    lines = (done.stdout + done.stderr).splitlines()
    return lines[0] if lines else "unknown version"
