"""The stacks of a PAR, and the comparison of images with them."""

import threading
from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Image

from qxbatch.convert.par_checks import disagreement
from qxbatch.convert.par_pair import ParPair
from qxbatch.convert.par_stacks import stacks
from qxbatch.convert.par_table import image_defs
from qxbatch.model import Output
from qxbatch.parrec import parse_par
from tests.build.parrec import ParRec

TYPE, B_VALUE, DIRECTION = 4, 33, slice(45, 48)
IMAGES = [(kind, b_value, x) for kind in (0, 3) for b_value, x in ((0, 0), (1000, 1), (1000, 0))]
"""Image type, b-value and first component of the direction: b = 0, a direction, an average; of magnitude and phase."""


def diffusion_par() -> str:
    """Return a diffusion PAR with the images of IMAGES, one slice each."""
    images = iter(IMAGES)
    lines = [".    Diffusion : 1"]
    for line in ParRec(slices=1, volumes=len(IMAGES)).par().splitlines():
        words = line.split()
        if words and words[0].isdecimal():
            kind, b_value, x = map(str, next(images))
            words[TYPE], words[B_VALUE], words[DIRECTION] = kind, b_value, [x, "0", "0"]
        lines.append(" ".join(words))
    return "\n".join(lines)


def test_averages_of_magnitude_and_of_phase_are_separate_stacks() -> None:
    header = parse_par(diffusion_par().encode())
    stacks_of_par = stacks(header, image_defs(header))
    assert [stack.suffix for stack in stacks_of_par] == ["", "_ADC", "_ph", "_ph_ADC"]
    assert sum(int(stack.line_mask.sum()) for stack in stacks_of_par) == len(IMAGES)


def test_an_image_with_another_shape_is_reported_without_a_distance(tmp_path: Path) -> None:
    path = tmp_path / "30.nii"
    Nifti1Image(np.zeros((7, 8, 3), np.int16), np.eye(4)).to_filename(path)
    pair = ParPair(parse_par(ParRec().par().encode()), tmp_path / "absent.REC")
    text = disagreement(pair, [Output(path, "", {})], threading.Event())
    assert text == "the shape of 30.nii by dcm2niix is not that of the PAR"
