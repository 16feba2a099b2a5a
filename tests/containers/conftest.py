"""Fixtures: the image under test, named by the variables that scripts/image-test sets."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under, write_packet
from tests.containers.container import USER, Image, Mounts, Sif

NEEDED = {"image": "QXBATCH_IMAGE", "sif": "QXBATCH_SIF"}
"""Fixtures, and the variables that name what they give."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, with the reason, what needs an image where none is named. Pytest passes the items of all folders."""
    for item in (each for each in items if Path(__file__).parent in each.path.parents):
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in NEEDED and NEEDED[fixture] not in os.environ:
                reason = f"${NEEDED[fixture]} names none: scripts/image-test builds one and runs this"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def image() -> Image:
    """Return the image that QXBATCH_IMAGE names, of the engine QXBATCH_ENGINE."""
    return Image(os.environ.get("QXBATCH_ENGINE", "docker"), os.environ["QXBATCH_IMAGE"])


@pytest.fixture(scope="session")
def sif() -> Sif:
    """Return the SIF that QXBATCH_SIF names, for the program QXBATCH_APPTAINER."""
    return Sif(os.environ.get("QXBATCH_APPTAINER", "apptainer"), Path(os.environ["QXBATCH_SIF"]))


class Case:
    """A folder of packets and an empty one for sessions, of the user that runs the image."""

    def __init__(self, root: Path, user: int) -> None:
        self.data = root / "data"
        self.out = root / "out"
        self.data.mkdir()
        self.out.mkdir()
        self.user = user
        if os.geteuid() == 0:
            os.chown(self.out, user, user)
            # pytest's own folders are closed to other users.
            for folder in (root, *root.parents):
                if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
                    folder.chmod(0o755)
        write_packet(under("scan", MrSeries(number=2, volumes=2).files()), self.data, "OP1", Kind.ZIP)
        write_packet(
            {**MrSeries(number=5, patient="P002").files(), "notes.txt": b"kept\n"}, self.data, "OP2", Kind.TAR_GZ
        )

    @property
    def mounts(self) -> Mounts:
        """Return the data read-only at /data, the sessions at /out."""
        return Mounts(writable={"/out": self.out}, readable={"/data": self.data})

    @property
    def as_user(self) -> list[str]:
        """Return the option that runs a container as the case's user."""
        return ["--user", f"{self.user}:{self.user}"]

    def owners(self) -> set[tuple[int, int]]:
        """Return whose all outputs are."""
        return {(path.lstat().st_uid, path.lstat().st_gid) for path in self.out.rglob("*")}

    def sessions(self) -> list[str]:
        """Return the complete sessions."""
        return sorted(path.parent.name for path in self.out.glob("*/session.txt"))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Return two packets, for a user that no system knows where this one may choose, else for this one."""
    return Case(tmp_path, USER if os.geteuid() == 0 else os.getuid())


@pytest.fixture
def bare() -> str:
    """Return the path of the qxbatch that is installed beside these tests."""
    found = shutil.which("qxbatch", path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip("qxbatch is not installed beside this Python: scripts/setup test")
    return found
