"""Runs of Python modules in forks of a process that has imported qxbatch: Python starts and imports once, not for each run.

A fork has its own memory, streams, signals and exit status, and ends as Python does. The forked process runs no module and has
no other threads, so a fork inherits no lock that somebody holds.
"""

import atexit
import json
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

REPOSITORY = Path(__file__).resolve().parents[2]
_LARGEST = 1 << 22
"""Largest request in bytes."""
_READ_AT_START = ("LANG", "LC_", "TZ", "MALLOC_", "GLIBC_", "LD_", "PYTHONUTF8", "PYTHONIO", "PYTHONDEV", "RAYON_")
"""How the names of environment variables begin that a process reads when it starts."""
PRELOADED_MODULES = (
    *("cli.main", "cli.output", "cli.run_command", "cli.start", "commands.bids_export", "commands.inspect"),
    *("page.session", "page.study", "pipeline.batch", "pipeline.refresh", "report.end", "report.progress"),
)
"""Modules that a server imports at its start: together they import all that commands import, except pydicom and nibabel."""


class CommandServer:
    """A process that runs modules, one after the other. It has imported some modules of qxbatch."""

    def __init__(self, imported: Sequence[str], environment: Mapping[str, str]) -> None:
        self._channel, its_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _LARGEST)
        self._environment = dict(environment)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(its_end.fileno()), *imported],
            env=self._environment,
            pass_fds=[its_end.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=REPOSITORY,
        )
        its_end.close()

    def can_run(self, environment: Mapping[str, str]) -> bool:
        """Return whether a fork with this environment behaves as a new process: what a process reads at its start is the same."""
        ours, requested = map(_read_at_start, (self._environment, environment))
        return ours == requested and _folders(environment) <= _folders(self._environment) | {str(REPOSITORY)}

    def run(
        self, module: str, words: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: int
    ) -> tuple[int, str, str]:
        """Run a module as a program; return exit status (negative for a signal), standard output and standard error.

        Raises TimeoutError if that takes longer than `seconds`.
        """
        umask = os.umask(0)
        os.umask(umask)
        request = json.dumps([module, list(words), dict(environment), str(folder), umask]).encode()
        with TemporaryFile() as out, TemporaryFile() as err:
            socket.send_fds(self._channel, [request], [out.fileno(), err.fileno()])
            process = int(self._channel.recv(64))
            if not select.select([self._channel], [], [], seconds)[0]:
                os.kill(process, signal.SIGKILL)
                self._channel.recv(64)
                raise TimeoutError(f"{module} {shlex.join(words)} takes longer than {seconds} s")
            return int(self._channel.recv(64)), _text(out), _text(err)


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_READ_AT_START)}


def _folders(environment: Mapping[str, str]) -> set[str]:
    """Return the folders that Python imports from before its own."""
    return set(filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="backslashreplace")


def run_module(
    module: str, words: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: int
) -> tuple[int, str, str]:
    """Run a module as a program without a terminal: in a fork, or in a new process where a fork would differ.

    Returns what `CommandServer.run` returns. Raises TimeoutError, or subprocess.TimeoutExpired in a new process.
    """
    if command_server().can_run(environment):
        return command_server().run(module, words, environment, folder, seconds)
    process = subprocess.run(
        [sys.executable, "-m", module, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=folder,
        env=environment,
        timeout=seconds,
        text=True,
        errors="backslashreplace",
    )
    return process.returncode, process.stdout, process.stderr


@cache
def command_server() -> CommandServer:
    """Return this process's server for commands."""
    return CommandServer(PRELOADED_MODULES, os.environ)


def _serve(channel: socket.socket) -> tuple[str, list[str]]:
    """Fork for each request; in the fork, return the module and its arguments."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(channel, _LARGEST, 2)
        if not request:
            raise SystemExit
        process = os.fork()
        if process == 0:
            channel.close()
            module, words, environment, folder, umask = json.loads(request)
            for stream, descriptor in enumerate(descriptors, start=1):
                os.dup2(descriptor, stream)
            os.closerange(3, max(descriptors) + 1)
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(folder)
            os.umask(umask)
            return module, words
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(process).encode())
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])).encode())


def _exit(status: int) -> None:
    """End this process as Python does, but leave its objects: their memory, which the server has too, would be copied first.

    Raises OSError if a stream cannot be written: then Python itself has to end the process.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status & 0xFF)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        import_module(f"qxbatch.{name}")
    program, sys.argv[1:] = _serve(socket.socket(fileno=int(sys.argv[1])))
    try:
        runpy.run_module(program, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, int):
            _exit(end.code)
        raise
