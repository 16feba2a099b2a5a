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
"""Fixtures and the variables that name their values."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests that need an image if none is named. Pytest passes the items of all folders."""
    folder = f"{Path(__file__).parent}{os.sep}"
    for item in (each for each in items if str(each.path).startswith(folder)):
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in NEEDED and NEEDED[fixture] not in os.environ:
                reason = f"${NEEDED[fixture]} is not set: scripts/image-test builds an image and runs this test"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def image() -> Image:
    """Return the image named by QXBATCH_IMAGE, for the engine QXBATCH_ENGINE."""
    return Image(os.environ.get("QXBATCH_ENGINE", "docker"), os.environ["QXBATCH_IMAGE"])


@pytest.fixture(scope="session")
def sif() -> Sif:
    """Return the SIF named by QXBATCH_SIF, for the program QXBATCH_APPTAINER."""
    return Sif(os.environ.get("QXBATCH_APPTAINER", "apptainer"), Path(os.environ["QXBATCH_SIF"]))


class Case:
    """A folder of packets and an empty folder for sessions, which belongs to the user that runs the image."""

    def __init__(self, root: Path, user: int) -> None:
        self.data = root / "data"
        self.out = root / "out"
        self.data.mkdir()
        self.out.mkdir()
        self.user = user
        if os.geteuid() == 0:
            os.chown(self.out, user, user)
            # Other users cannot read the folders of pytest.
            for folder in (root, *root.parents):
                if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp") and folder != Path("/tmp"):
                    folder.chmod(0o755)
        write_packet(under("scan", MrSeries(number=2, volumes=2).files()), self.data, "OP1", Kind.ZIP)
        write_packet(
            {**MrSeries(number=5, patient="P002").files(), "notes.txt": b"kept\n"}, self.data, "OP2", Kind.TAR_GZ
        )

    @property
    def mounts(self) -> Mounts:
        """Return the mounts: the data read-only at /data, the sessions at /out."""
        return Mounts(writable={"/out": self.out}, readable={"/data": self.data})

    @property
    def as_user(self) -> list[str]:
        """Return the option that runs a container as the user of this case."""
        return ["--user", f"{self.user}:{self.user}"]

    def owners(self) -> set[tuple[int, int]]:
        """Return the owners of all outputs, as pairs of uid and gid."""
        return {(path.lstat().st_uid, path.lstat().st_gid) for path in self.out.rglob("*")}

    def sessions(self) -> list[str]:
        """Return the complete sessions."""
        return sorted(path.parent.name for path in self.out.glob("*/session.txt"))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Return a case with two packets, for an unknown user if the tests run as root, else for the current user."""
    return Case(tmp_path, USER if os.geteuid() == 0 else os.getuid())


@pytest.fixture
def bare() -> str:
    """Return the path of the qxbatch installed for this Python."""
    path = shutil.which("qxbatch", path=str(Path(sys.executable).parent))
    if path is None:
        pytest.skip("qxbatch is not installed for this Python: run scripts/setup test")
    return path
