"""Warnings of a converter are read from its messages, not from the paths in them."""

import threading
from pathlib import Path

from qxbatch.convert.attempt import ConversionPaths, attempt_conversion
from qxbatch.convert.converter_warnings import warnings_of
from qxbatch.convert.dcm2niix import find
from qxbatch.convert.evidence import Evidence
from qxbatch.model import Series, SeriesKind
from tests.build.normalized import normalized
from tests.build.slices import block, write_classic

PATH = "guess incomplete/slice direction"


def test_a_message_before_a_path_is_a_warning() -> None:
    assert warnings_of(f"Missing images?Convert 6 DICOM as /{PATH}/30 (48x48x6x1)") == ["Missing images?"]


def test_the_path_of_an_image_is_no_warning(tmp_path: Path) -> None:
    folder = write_classic(tmp_path / PATH / "in", block(3))
    dcm2niix = find()
    assert dcm2niix is not None
    paths = ConversionPaths(folder.with_name("work"))
    series = Series(30, SeriesKind.DICOM, {}, 3, 1000, folder)
    attempt = attempt_conversion(series, dcm2niix, paths, Evidence(is_countable=False), None, threading.Event())
    assert attempt.judgement.outputs
    assert attempt.judgement.problems == ()


def test_the_paths_of_normalized_copies_are_no_warning(tmp_path: Path) -> None:
    attempt = normalized(write_classic(tmp_path / PATH / "in", block(3)))
    assert attempt.judgement.outputs
    assert attempt.judgement.problems == ()
