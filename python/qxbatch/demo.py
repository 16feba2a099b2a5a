"""Creates a small study of real scans: the MR files of pydicom and nibabel, as packets in an inbox."""

import os
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from qxbatch.publish.open_folders import OpenFolder, opened_folder, opened_in
from qxbatch.publish.plain_files import refuse_link
from qxbatch.session.layout import MASTER_INBOX

README_TEXT = "A file without images. Such files are kept in the session's inbox.\n"
STRAY_TEXT = "A file that is not a packet. It is reported and not moved.\n"


class MissingDataError(Exception):
    """A package, or its sample data, is not installed."""


@dataclass(frozen=True)
class Source:
    """Sample files of an installed package: the files in `folder` that match one of `patterns`."""

    package: str
    folder: str
    patterns: tuple[str, ...]

    def files(self) -> list[tuple[str, Path]]:
        """Return (name below the folder, path) of each file, in the order of the paths.

        Raises MissingDataError when the package or its data are not installed.
        """
        spec = find_spec(self.package)
        root = Path(spec.origin).parent / self.folder if spec and spec.origin else None
        paths = sorted(path for pattern in self.patterns for path in (root.glob(pattern) if root else ()))
        files = [(path.relative_to(root).as_posix(), path) for path in paths if root and path.is_file()]
        if not files:
            patterns = ", ".join(self.patterns)
            message = f"no {patterns} in {root}" if root else "not installed"
            raise MissingDataError(f"{self.package}: {message}; install {self.package} with pip, including its data.")
        return files


PYDICOM_MR = Source("pydicom", "data/test_files/dicomdirtests/98892003", ("*/*",))
"""Localizers, pilots and an angiogram, 16 x 16 pixels an image: several series have the same SeriesNumber."""
SIEMENS_DWI = Source("nibabel", "nicom/tests/data", ("siemens_dwi_*.dcm.gz",))
"""Two volumes of a Siemens mosaic, each file gzipped."""
PHILIPS_T1 = Source("nibabel", "nicom/tests/data", ("philips_mprage.dcm.gz",))
"""One enhanced multi-frame object."""
PAR_REC = Source("nibabel", "tests/data", ("phantom_EPI_asc_CLEAR_2_1.*", "phantom_varscale.*"))
"""Two PAR/REC pairs with one series number; in one pair the scaling varies by slice."""
SOURCES = (PYDICOM_MR, SIEMENS_DWI, PHILIPS_T1, PAR_REC)
"""All files that the demo needs. containers/thin keeps them in the container image by this list."""


def sessions_folder(folder: Path) -> Path:
    """Return the sessions folder of a demo study below a folder."""
    return folder / "study" / "sessions"


def make_study(folder: Path) -> Path:
    """Create the demo study `study` in a folder, which is created if it is missing, and return its sessions folder.

    Raises MissingDataError before anything is written, FileExistsError if `study` exists in the folder, LinkError if the folder is
    a link, and OSError.
    """
    pilot, diffusion, anatomical, pairs = (source.files() for source in SOURCES)
    sessions = sessions_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with _opened(folder) as top, _created(top, (sessions / MASTER_INBOX).relative_to(folder).parts) as inbox:
        _zip(inbox.descriptor_path / "OP101.zip", pilot)
        _tar_gz(inbox.descriptor_path / "OP102_baseline.tar.gz", diffusion)
        with _created(inbox, ("OP103",)) as packet:
            _write_files(packet.descriptor_path, anatomical)
        _zip(inbox.descriptor_path / "OP104.zip", pairs)
        _write_new(inbox.descriptor_path / "README.txt", STRAY_TEXT.encode())
    return sessions


@contextmanager
def _opened(folder: Path) -> Iterator[OpenFolder]:
    """Open a folder for a `with` block; its parent need not be readable. Raises OSError, and LinkError if it is a link."""
    with opened_folder(folder) as top:
        refuse_link(folder)
        yield top


@contextmanager
def _created(top: OpenFolder, parts: Sequence[str]) -> Iterator[OpenFolder]:
    """Create nested folders of these names in an opened folder, and open the innermost one for a `with` block.

    Raises FileExistsError if a file, folder or link has one of the names, and OSError.
    """
    for k, name in enumerate(parts):
        with opened_in(top, parts[:k]) as parent:
            try:
                os.mkdir(name, dir_fd=parent.descriptor)
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(parent.path / name)) from error
    with opened_in(top, parts) as folder:
        yield folder


def _zip(path: Path, files: Iterable[tuple[str, Path]]) -> None:
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("README.txt"), README_TEXT)
        for name, source in files:
            archive.write(source, name)


def _tar_gz(path: Path, files: Iterable[tuple[str, Path]]) -> None:
    with tarfile.open(path, "x:gz") as archive:
        for name, source in files:
            archive.add(source, name)


def _write_files(folder: Path, files: Iterable[tuple[str, Path]]) -> None:
    _write_new(folder / "README.txt", README_TEXT.encode())
    for name, source in files:
        _write_new(folder / name, source.read_bytes())


def _write_new(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
