"""The commands that are measured."""

import os
import sys
from pathlib import Path

from bench.peers import dcm2niix


def inner(name: str, *args: str | Path) -> list[str]:
    """Return the command of a work of bench.inner."""
    return [sys.executable, "-m", "bench.inner", name, *(str(arg) for arg in args)]


def shell(text: str, **paths: str | Path) -> list[str]:
    """Return a shell command; its `{names}` are filled in, quoted."""
    quoted = {name: "'" + str(path).replace("'", "'\\''") + "'" for name, path in paths.items()}
    return ["sh", "-ec", text.format(**quoted)]


def qxbatch(sessions: Path, *options: str) -> list[str]:
    """Return an import of what waits in a sessions folder."""
    return [sys.executable, "-m", "qxbatch", str(sessions), *options]


def qunex(sessions: Path, elements: int) -> list[str]:
    """Return QuNex's import of what waits in a sessions folder, with the dcm2niix that qxbatch runs."""
    path = f"{dcm2niix().parent}{os.pathsep}{os.environ['PATH']}"
    options = [f"--sessionsfolder={sessions}", f"--parelements={elements}", "--archive=move"]
    return ["env", f"PATH={path}", "qunex", "import_dicom", *options]


def wait_in_inbox(packet: Path, scratch: Path, name: str) -> Path:
    """Put a packet into the inbox of a new sessions folder, by hard link; return the sessions folder."""
    sessions = scratch / "sessions"
    inbox = sessions / "inbox" / "MR"
    inbox.mkdir(parents=True)
    (inbox / name).hardlink_to(packet)
    return sessions


def by_hand(unpack: str, packet: Path, scratch: Path, compression: str) -> list[str]:
    """Return the manual way to unpack and convert: no sorting, no packing, no checks."""
    text = f"mkdir {{raw}} {{nii}}; {unpack}; {{dcm2niix}} -g i -d 9 -z {compression} -b y -o {{nii}} {{raw}}"
    return shell(text, packet=packet, raw=scratch / "raw", nii=scratch / "nii", dcm2niix=dcm2niix())
