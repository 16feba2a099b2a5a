"""An image run by Docker or Podman, or as a SIF by Apptainer."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.build.study import Run

TIME_LIMIT = 900
USER = 1234
"""A user id that is in no /etc/passwd."""
LOCKED = ("--read-only", "--network=none", "--cap-drop=all", "--security-opt=no-new-privileges")
"""The strictest options of a site; only mounted folders can be written."""


@dataclass(frozen=True)
class Mounts:
    """Folders of the host by their paths in the container."""

    writable: Mapping[str, Path]
    readable: Mapping[str, Path]

    def volumes(self) -> list[str]:
        """Return the mounts as options of Docker and Podman."""
        given = [*((at, path, "") for at, path in self.writable.items())]
        given += [(at, path, ":ro") for at, path in self.readable.items()]
        return [word for at, path, mode in given for word in ("--volume", f"{path}:{at}{mode}")]

    def binds(self) -> list[str]:
        """Return the mounts as options of Apptainer."""
        given = [*((at, path, "") for at, path in self.writable.items())]
        given += [(at, path, ":ro") for at, path in self.readable.items()]
        return [word for at, path, mode in given for word in ("-B", f"{path}:{at}{mode}")]


class Image:
    """An image of a container engine."""

    def __init__(self, engine: str, name: str) -> None:
        self.engine = engine
        self.name = name

    def inspect(self) -> dict[str, Any]:
        """Return the output of `image inspect`."""
        documents: list[dict[str, Any]] = json.loads(self.call("image", "inspect", self.name).out)
        return documents[0]

    def run(self, *args: str, options: Sequence[str] = (), mounts: Mounts | None = None) -> Run:
        """Run the command of the image with arguments and return its output."""
        volumes = mounts.volumes() if mounts else []
        return self.call("run", "--rm", *options, *volumes, self.name, *args)

    def inside(self, program: str, *args: str, options: Sequence[str] = ()) -> Run:
        """Run another program of the image."""
        return self.run(*args, options=[*options, "--entrypoint", program])

    def call(self, *words: str) -> Run:
        """Call the engine."""
        return call(self.engine, *words)


class Sif:
    """A SIF run by Apptainer, isolated from the host except for bound folders."""

    def __init__(self, apptainer: str, path: Path) -> None:
        self.apptainer = apptainer
        self.path = path

    def run(self, *args: str, mounts: Mounts | None = None) -> Run:
        """Run the runscript."""
        return self.call("run", *self.options(), *(mounts.binds() if mounts else []), str(self.path), *args)

    def call(self, *words: str) -> Run:
        """Call Apptainer."""
        return call(self.apptainer, *words)

    @staticmethod
    def options() -> list[str]:
        """Return the options that isolate the container from the host."""
        # With a user namespace, an Apptainer of root needs no setuid starter.
        namespace = ["--userns"] if os.geteuid() == 0 else []
        return [*namespace, "--cleanenv", "--containall", "--no-home"]


def call(program: str, *words: str) -> Run:
    """Run a program without a terminal."""
    done = subprocess.run(
        [program, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=TIME_LIMIT,
        text=True,
        errors="backslashreplace",
    )
    return Run(done.returncode, done.stdout, done.stderr)
