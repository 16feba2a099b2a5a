"""`python -m qxbatch.convert.parrec_images FOLDER OUT NUMBER`: converts the PAR/REC of a folder to NIfTI, bval, bvec and
JSON.

Scaled voxels are floating-point values as Philips defines them (FP = DV / (RS x SS), DV = PV x RS + RI), or console values
(DV) if the PAR has no usable scale slope. Gradient directions are along the image's axes, in the convention of FSL.
"""

import json
import sys
from pathlib import Path
from typing import Any

from qxbatch.convert.par_files import par_and_rec
from qxbatch.convert.par_stacks import ParStack, stack_header, stacks
from qxbatch.convert.par_table import general_info, image_defs
from qxbatch.importing import importing
from qxbatch.os_error import error_text
from qxbatch.parrec.header import ParHeader, read_par

_HEADER = 352
"""Bytes before the voxels of a NIfTI-1 in one file."""


def main(arguments: list[str]) -> int:
    """Convert the pair, print names and shapes of its images, and return 0; if it fails, print the reason and return 1."""
    folder, out, number = Path(arguments[0]), Path(arguments[1]), arguments[2]
    try:
        convert(folder, out, number)
    except Exception as error:  # noqa: BLE001  a damaged table raises any of nibabel's and numpy's exceptions
        print(f"Error: {error_text(error)}")
        return 1
    return 0


def convert(folder: Path, out: Path, number: str) -> None:
    """Write the images of the only PAR/REC pair in `folder` as `<out>/<number><suffix>.nii`.

    Raises ValueError with the reason when the pair cannot be converted, and OSError; a damaged table may raise any of
    nibabel's and numpy's exceptions.
    """
    par, rec = par_and_rec(folder)
    header = read_par(par)
    info, table = general_info(header), image_defs(header)
    for stack in stacks(header, table):
        geometry = stack_header(info, table, stack)
        path = out / f"{number}{stack.suffix}.nii"
        rows = table[stack.chosen][geometry.get_sorted_slice_indices()]
        planes = _planes(rec, header, table)[stack.chosen][geometry.get_sorted_slice_indices()]
        _write_image(path, geometry, rows, planes, header)
        _write_json(path.with_suffix(".json"), header, rows)
        _write_gradients(path, geometry, rows, header, stack)
        print(f"{path.name}: {' x '.join(map(str, geometry.get_data_shape()))}")


def _planes(rec: Path, header: ParHeader, table: Any) -> Any:
    """Return the images of the REC in the order of the PAR's lines. Raises ValueError when the REC is cut short.

    Their order in the REC is `index in rec file`, or that of the lines if these indices are not a permutation.
    """
    import numpy as np

    columns, rows, bits = (
        table["recon resolution"][0, 0],
        table["recon resolution"][0, 1],
        table["image pixel size"][0],
    )
    need = len(table) * int(columns) * int(rows) * int(bits) // 8
    have = rec.stat().st_size
    if have < need:
        raise ValueError(f"the REC is cut short: {have} of {need} bytes")
    index = np.array([int(number) for (number,) in header.column("index in rec file")], dtype=int)
    is_permutation = len(index) == len(table) and sorted(index.tolist()) == list(range(len(table)))
    order = index if is_permutation else np.arange(len(table))
    return _Planes(rec, order, int(columns), int(rows), int(bits))


class _Planes:
    """Images of a REC, read from disk on demand."""

    def __init__(self, rec: Path, order: Any, columns: int, rows: int, bits: int) -> None:
        self.rec, self.order, self.columns, self.rows, self.bits = rec, order, columns, rows, bits

    def __getitem__(self, chosen: Any) -> "_Planes":
        return _Planes(self.rec, self.order[chosen], self.columns, self.rows, self.bits)

    def read(self) -> Any:
        """Yield each image: an array of rows x columns unsigned integers."""
        import numpy as np

        size = self.columns * self.rows * self.bits // 8
        with self.rec.open("rb") as file:
            for index in self.order:
                file.seek(int(index) * size)
                plane = np.frombuffer(file.read(size), dtype=f"<u{self.bits // 8}")
                yield plane.reshape(self.rows, self.columns)


def _scaling(rows: Any) -> tuple[Any, Any]:
    """Return slope and intercept of each image."""
    import numpy as np

    rescale, intercept, scale = rows["rescale slope"], rows["rescale intercept"], rows["scale slope"]
    if (scale != 0).all() and (rescale != 0).all():
        return 1 / scale, intercept / (rescale * scale)
    print("Warning: the PAR has no usable scale slope; voxels are console values.")
    return np.where(rescale != 0, rescale, 1.0), intercept


def _write_image(path: Path, geometry: Any, rows: Any, planes: _Planes, header: ParHeader) -> None:
    with importing():
        import nibabel as nib
    import numpy as np

    slopes, intercepts = _scaling(rows)
    uniform = np.unique(np.column_stack([slopes, intercepts]), axis=0).shape[0] == 1
    make: Any = nib.Nifti1Header  # it has no type annotations
    nifti = make()
    nifti.set_data_dtype(np.dtype(f"u{planes.bits // 8}") if uniform else np.float32)
    nifti.set_data_shape(geometry.get_data_shape())
    affine = geometry.get_affine()
    nifti.set_qform(affine, code=1)
    nifti.set_sform(affine, code=1)
    zooms = list(geometry.get_zooms())
    times = header.floats("repetition time")
    if len(zooms) > 3:  # noqa: PLR2004 (x, y, z, t)
        zooms[3] = times[0] / 1000 if times else 0
    nifti.set_zooms(zooms)
    nifti.set_xyzt_units("mm", "sec")
    if uniform:
        nifti.set_slope_inter(float(slopes[0]), float(intercepts[0]))
    nifti["magic"], nifti["vox_offset"] = b"n+1", _HEADER
    with path.open("xb") as file:
        nifti.write_to(file)
        file.write(bytes(_HEADER - file.tell()))
        for plane, slope, intercept in zip(planes.read(), slopes, intercepts, strict=True):
            image = plane if uniform else (plane * slope + intercept).astype("<f4")
            file.write(image.tobytes())


def _write_json(path: Path, header: ParHeader, rows: Any) -> None:
    """Write the facts of the PAR under dcm2niix's names (seconds), without identity and dates."""
    fields = header.dicom()
    times = header.floats("repetition time")
    sidecar = {
        "Modality": "MR",
        "Manufacturer": "Philips",
        "PatientPosition": fields.get("PatientPosition"),
        "ProtocolName": fields.get("ProtocolName"),
        "SeriesNumber": header.series_number,
        "AcquisitionNumber": fields.get("AcquisitionNumber"),
        "EchoTime": _plain(rows["echo_time"][0] / 1000),
        "RepetitionTime": _plain(times[0] / 1000) if times else None,
        "FlipAngle": _plain(rows["image_flip_angle"][0]),
        "ConversionSoftware": "qxbatch with nibabel",
    }
    present = {name: value for name, value in sidecar.items() if value not in (None, "")}
    path.write_text(json.dumps(present, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(value: float) -> float | int | None:
    """Return a number as dcm2niix writes it, 2 and not 2.0; None for 0, which a PAR writes for unknown."""
    shortest = float(f"{value:.6g}")
    return None if shortest == 0 else int(shortest) if shortest.is_integer() else shortest


def _write_gradients(path: Path, geometry: Any, rows: Any, header: ParHeader, stack: ParStack) -> None:
    """Write b-values and directions of several volumes of a diffusion scan; not of its averages (ADC, trace)."""
    import numpy as np

    with importing():
        from nibabel.parrec import PSL_TO_RAS

    shape = geometry.get_data_shape()
    if not header.whole("diffusion") or len(shape) < 4 or stack.suffix.endswith("_ADC"):  # noqa: PLR2004
        return
    first = rows[:: shape[2]]
    bvals = first["diffusion_b_factor"]
    _lines(path.with_suffix(".bval"), [bvals])
    if "diffusion" not in rows.dtype.names:
        print("Warning: this PAR version does not contain gradient directions; there is no bvec.")
        return
    axes = geometry.get_affine()[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    patient = first["diffusion"] @ PSL_TO_RAS[:3, :3].T
    bvecs = (patient @ axes).T
    if np.linalg.det(axes) > 0:  # FSL counts the first axis of such an image from the other end
        bvecs[0] *= -1
    lengths = np.linalg.norm(bvecs, axis=0)
    bvecs = np.where(lengths > 0, bvecs / np.where(lengths > 0, lengths, 1), 0.0) + 0.0
    _lines(path.with_suffix(".bvec"), bvecs)


def _lines(path: Path, rows: Any) -> None:
    path.write_text("".join(" ".join(f"{value:.6g}" for value in row) + "\n" for row in rows), encoding="ascii")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
