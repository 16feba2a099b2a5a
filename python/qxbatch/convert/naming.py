"""File names that converters write: number, suffix, clash letters, sidecars."""

from collections.abc import Iterable
from pathlib import Path

from qxbatch.model import Output

SIDECARS = ("json", "bval", "bvec")
"""Extensions of the files that a converter writes beside an image."""


def suffix_of(stem: str, number: str, stems: Iterable[str]) -> str:
    """Return the suffix in a name such as `30_e1a`, here `_e1`.

    If a name is already used, dcm2niix adds a letter or two (clash letters) after the number (`30f_ADC`) or at the end (`30_e1a`).
    Letters at the end are clash letters only if the name without them was written too: `_real` is a suffix, and the `a` of `30_pha`
    is a clash letter only if `30_ph` was written.
    """
    ending = stem.removeprefix(number)
    if "_" not in ending:
        return ""
    suffix = ending[ending.index("_") :]
    all_stems = set(stems)
    for letters in (1, 2):
        if stem[-letters:].isalpha() and stem[-letters:].islower() and stem[:-letters] in all_stems:
            return suffix[:-letters]
    return suffix


def numbered_outputs(folder: Path, number: str) -> tuple[Output, ...]:
    """Return all images (.nii) of a folder with their sidecars, in byte order of their names, which must begin with `number`."""
    niftis = sorted((path for path in folder.glob("*.nii") if path.is_file()), key=lambda path: path.name.encode())
    stems = [path.stem for path in niftis]
    return tuple(
        Output(nifti, suffix_of(nifti.stem, number, stems), sidecars_of(nifti, nifti.stem)) for nifti in niftis
    )


def sidecars_of(nifti: Path, stem: str) -> dict[str, Path]:
    """Return the existing .json, .bval and .bvec of an image, by extension; `stem` is their name without the extension."""
    paths = {extension: nifti.with_name(f"{stem}.{extension}") for extension in SIDECARS}
    return {extension: path for extension, path in paths.items() if path.is_file()}
