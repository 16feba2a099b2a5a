"""Objects whose headers state more pixels than they contain are refused without allocating memory for them."""

import tracemalloc
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from qxbatch.convert.normalize.copies import write_normalized_copies
from qxbatch.convert.normalize.errors import CannotNormalizeError
from tests.build.dicom import Syntax, encoded
from tests.build.slices import Slice, block, classic, enhanced_object

MAXIMUM = 2**31 - 1


def enhanced(**changes: object) -> Dataset:
    """Return an enhanced object with changed elements."""
    dataset = enhanced_object(block(3))
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return dataset


HUGE = {
    "classic": (classic(Slice(0.0), 1, {"NumberOfFrames": MAXIMUM}), Syntax.EXPLICIT),
    "enhanced": (enhanced(NumberOfFrames=MAXIMUM), Syntax.EXPLICIT),
    "enhanced, deflated": (enhanced(NumberOfFrames=MAXIMUM), Syntax.DEFLATED),
    "enhanced, no frame groups": (
        enhanced(NumberOfFrames=MAXIMUM, PerFrameFunctionalGroupsSequence=[]),
        Syntax.EXPLICIT,
    ),
    "rows": (classic(Slice(0.0), 1, {"Rows": 65535, "Columns": 65535}), Syntax.EXPLICIT),
    "enhanced rows": (enhanced(Rows=65535, Columns=65535), Syntax.IMPLICIT),
}


@pytest.mark.parametrize(("dataset", "syntax"), HUGE.values(), ids=HUGE.keys())
def test_a_huge_size_with_few_pixels_is_refused_with_little_memory(
    tmp_path: Path, dataset: Dataset, syntax: Syntax
) -> None:
    folder, out = tmp_path / "in", tmp_path / "copies"
    folder.mkdir()
    out.mkdir()
    (folder / "IM1").write_bytes(encoded(dataset, syntax))
    tracemalloc.start()
    try:
        with pytest.raises(CannotNormalizeError, match=r"frames|bytes of pixel data"):
            write_normalized_copies(folder, out)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 << 20
    assert list(out.iterdir()) == []
