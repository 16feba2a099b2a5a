"""`python -m tests.regression.review [SET...]`: compares expectations with pydicom, dcm2niix called directly, and nibabel.

Prints a row of REVIEW.md for each set, followed by its differences. The compared images are those of the command of
qxbatch; no other code of it reads or compares them.
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from tests.build.study import run_command
from tests.conftest import MISSING, data_folder
from tests.regression.declared import EXPECTED, Declared, declared
from tests.regression.direct import converted
from tests.regression.images import Loaded, fields, ground_truth, load, par_volumes, raw_hash, reference_tables
from tests.regression.independent import observed, series


def main(names: list[str]) -> int:
    """Review the named sets, or all; return 1 if anything differs."""
    data = data_folder()
    if data is None:
        print(MISSING)
        return 66
    wrong = 0
    for one in declared():
        if not names or one.name in names:
            cells, remarks = review(one, data)
            print(f"| {one.name} | {' | '.join(cells)} |", flush=True)
            for remark in remarks:
                print(f"    {remark}")
            wrong += len(remarks)
    return int(wrong > 0)


def review(one: Declared, data: Path) -> tuple[list[str], list[str]]:
    """Return the cells of a set's row, and its differences."""
    expected: dict[str, Any] = json.loads((EXPECTED / f"{one.name}.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="qxbatch-review-") as place:
        folder = Path(place)
        given = one.lay_out(data, folder / "study" / "inbox" / "MR")
        (packet,) = given.packets_folder.iterdir()
        counted = series(packet)
        remarks = [] if observed(expected["sessions"]) == counted else ["pydicom counts other series or files"]
        direct, notes = converted(packet, folder / "direct")
        run_command(str(folder / "study"), *one.options)
        images = {path.name: load(path) for path in sorted((folder / "study").glob("*/nii/*.nii.gz"))}
        cells = [
            f"{len(counted)} series, {sum(counted.values())} files",
            _expected_hashes(expected, images, remarks),
            _direct(images, direct, remarks),
            _reference(data / (one.folder or one.name), images, folder / "study", remarks),
        ]
        cells[2] += notes
        return cells, remarks


def _expected_hashes(expected: dict[str, Any], images: dict[str, Loaded], remarks: list[str]) -> str:
    """Compare the expectation's hashes with the bytes in the files, read without nibabel; return the cell."""
    results = [image["voxels"] for session in expected["sessions"].values() for image in session["images"].values()]
    found = [raw_hash(image.path) for image in images.values()]
    if Counter(results) != Counter(found):
        remarks.append(f"hashes of voxels: {sum((Counter(results) - Counter(found)).values())} are of no image")
    return f"{len(found)} images"


def _direct(images: dict[str, Loaded], direct: list[Path], remarks: list[str]) -> str:
    """Compare each image with those of direct calls of dcm2niix; return the cell. An image of a PAR may be nibabel's."""
    direct_hashes = {path: raw_hash(path) for path in direct}
    ours = {name: raw_hash(image.path) for name, image in images.items()}
    other = [name for name, digest in ours.items() if digest not in direct_hashes.values()]
    remarks += [f"{name}: no direct call gives these voxels" for name in other if not images[name].of_par]
    results = [f"by nibabel: {', '.join(other)}"] if other else []
    more = Counter(direct_hashes.values()) - Counter(ours.values())
    results += [
        f"only by a direct call: {path.parent.name.removesuffix('-out')}/{path.name}"
        for path, digest in direct_hashes.items()
        if digest in more
    ]
    for name, digest in ours.items():
        sidecars = [path.with_suffix(".json") for path, each in direct_hashes.items() if each == digest]
        jsons = [json.loads(path.read_bytes()) for path in sidecars if path.exists()]
        if jsons and all(fields(one, images[name].sidecar) for one in jsons):
            remarks.append(f"{name}: its JSON is not that of a direct call")
    return "; ".join([f"{len(ours) - len(other)} of {len(ours)}", *results])


def _reference(folder: Path, images: dict[str, Loaded], study: Path, remarks: list[str]) -> str:
    """Compare with tables and JSON of Ref, ground truths, and PAR/REC read by nibabel; return the cell."""
    results = [*reference_tables(folder / "Ref", images, remarks), *ground_truth(folder, images, remarks)]
    results += par_volumes(study, images, remarks)
    return "; ".join(results) or "none"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
