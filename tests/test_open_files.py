"""A session with more packets than a process may have open files is imported, or refused with the limit."""

import errno
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from qxbatch.convert.converter import Command
from qxbatch.convert.run import ProcessLimits, run
from qxbatch.ingest.fallback import read_unparsed_dicom
from qxbatch.open_files import many_open_files
from qxbatch.publish.locks import Locks
from tests.build.dicom import MrSeries
from tests.build.study import Run, Study
from tests.test_ingest_fallback import endless_header, not_cancelled, reading_of

PACKETS = 150
MERGE = ("--pattern=^(?P<packet_name>[^_]+)_", "--on-same-session=merge")


def limited(study: Study, soft: int, hard: int) -> Run:
    """Import with these limits of open files."""
    script = (
        "import resource, sys; from qxbatch.cli.main import main; "
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard})); sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, str(study.sessions), *MERGE]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    return Run(process.returncode, process.stdout, process.stderr)


@pytest.fixture
def many(study: Study) -> Study:
    """An inbox with many loose files of one session."""
    for k, data in enumerate(MrSeries(patient="P1", slices=PACKETS).files().values()):
        study.put_bytes(f"S1_{k:04d}.dcm", data)
    return study


def test_a_session_has_more_packets_than_the_soft_limit_of_open_files(many: Study) -> None:
    run = limited(many, 120, 1024)
    assert run.status == 0, run.text
    assert many.session_names() == ["S1"]
    assert list(many.inbox.iterdir()) == []


def test_more_packets_than_the_hard_limit_are_refused_with_the_limit(many: Study) -> None:
    run = limited(many, 120, 120)
    assert run.status == 1, run.text
    text = " ".join(run.text.split())
    assert "this program may have 120 open files (`ulimit -n`)" in text
    assert "another run" not in text
    assert len(list(many.inbox.iterdir())) == PACKETS
    assert limited(many, 120, 1024).status == 0
    assert not (many.sessions / ".qxbatch").exists()


@pytest.fixture
def original() -> Iterator[tuple[int, int]]:
    """Set a soft limit below the hard one; return both."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    limits = (min(1024, before[1] - 1), before[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    yield limits
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def soft_limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def test_the_limit_is_restored_when_the_last_block_ends(original: tuple[int, int]) -> None:
    with many_open_files():
        with many_open_files():
            assert soft_limit() > original[0]
        assert soft_limit() > original[0]
    assert soft_limit() == original[0]


def test_a_converter_has_the_limit_of_the_run(original: tuple[int, int], tmp_path: Path) -> None:
    for name in ("out", "home"):
        (tmp_path / name).mkdir()
    command = Command(("/bin/sh", "-c", "sleep 0.5; ulimit -n"))
    with many_open_files():
        result = run(command, tmp_path / "out", tmp_path / "home", ProcessLimits(60, 1 << 20), threading.Event())
    assert result.stdout.split() == [str(original[0])]


def test_the_second_reader_works_beside_thousands_of_open_files(tmp_path: Path) -> None:
    reading = reading_of(tmp_path, lambda data: endless_header(data, 1000))
    with many_open_files():
        if soft_limit() < 1200:
            pytest.skip("the hard limit of open files is below 1200")
        descriptors = [os.open("/dev/null", os.O_RDONLY) for _ in range(1050)]
        try:
            assert isinstance(read_unparsed_dicom(reading, "S1", not_cancelled), list)  # type: ignore[arg-type]
        finally:
            for descriptor in descriptors:
                os.close(descriptor)


def test_a_lock_that_cannot_be_read_now_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = Locks(tmp_path)
    lock = locks.take("x")
    assert lock is not None
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", _too_many)
        with pytest.raises(OSError, match="Too many open files"):
            locks.holds(lock)
    assert locks.holds(lock)
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", _too_many)
        locks.release(lock)
    lock.path.unlink()
    assert not locks.holds(lock)
    locks.close()


def _too_many(path: object, *_: object, **__: object) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(path))


def test_a_limit_of_the_size_of_files_refuses_the_packet_which_a_later_run_imports(study: Study) -> None:
    series = MrSeries(patient="P1", slices=4, rows=128, columns=128)
    study.put("S1", series.files())
    script = (
        "import resource, sys; from qxbatch.cli.main import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY)); sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, str(study.sessions)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 1, process.stderr
    text = " ".join(process.stdout.split())
    assert "(this program cannot write files larger than 100.0 kB (`ulimit -f`))" in text, text
    assert study.session_names() == []
    assert [path.name for path in study.inbox.iterdir()] == ["S1.zip"]
    assert study.main().status == 0
    assert study.session_names() == ["S1"]
