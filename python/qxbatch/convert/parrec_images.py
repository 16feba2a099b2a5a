"""`python -m qxbatch.convert.parrec_images FOLDER OUT NUMBER`: converts the PAR/REC of a folder to NIfTI, bval, bvec and
JSON.

Scaled voxels are floating-point values as Philips defines them (FP = DV / (RS x SS), DV = PV x RS + RI), or console values
(DV) if the PAR has no usable scale slope. PV is the stored value, RS the rescale slope, RI the rescale intercept, SS the scale
slope. Gradient directions are along the image's axes, in the convention of FSL.
"""

import json
import sys
from pathlib import Path
from typing import Any

from qxbatch.convert.par_image import ParImage, scalings
from qxbatch.convert.par_pair import read_pair
from qxbatch.convert.par_rec import Rec
from qxbatch.convert.par_times import json_number, repetition_time, time_between_volumes
from qxbatch.importing import importing
from qxbatch.os_error import error_text
from qxbatch.parrec.header import ParHeader

_HEADER_BYTES = 352
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
    pair = read_pair(folder)
    images, rec = pair.images, pair.rec
    for image in images:
        path = out / f"{number}{image.suffix}.nii"
        lines = pair.table[image.line_indices]
        _write_image(path, image, lines, rec, pair.header)
        _write_json(path.with_suffix(".json"), pair.header, lines)
        _write_gradients(path, image, lines, pair.header)
        print(f"{path.name}: {' x '.join(map(str, image.shape))}")


def _slopes_and_intercepts(lines: Any) -> tuple[Any, Any]:
    """Return slopes and intercepts of the slices; print a warning if they give console values."""
    candidates = scalings(lines)
    if len(candidates) == 1:
        print("Warning: the PAR has no usable scale slope; voxels are console values.")
    return candidates[0]


def _write_image(path: Path, image: ParImage, lines: Any, rec: Rec, header: ParHeader) -> None:
    """Write a NIfTI-1: stored values if all slices have one slope and intercept, else scaled floating-point values."""
    with importing():
        import nibabel as nib
    import numpy as np

    slopes, intercepts = _slopes_and_intercepts(lines)
    uniform = np.unique(np.column_stack([slopes, intercepts]), axis=0).shape[0] == 1
    header_class: Any = nib.Nifti1Header  # it has no type annotations
    nifti = header_class()
    nifti.set_data_dtype(np.dtype(f"u{rec.bits // 8}") if uniform else np.float32)
    nifti.set_data_shape(image.shape)
    nifti.set_qform(image.affine, code=1)
    nifti.set_sform(image.affine, code=1)
    zooms = list(image.zooms)
    if len(zooms) > 3:  # noqa: PLR2004 (x, y, z, t)
        zooms[3] = time_between_volumes(header, image.shape[3], image.line_indices[:: image.shape[2]].tolist())
    nifti.set_zooms(zooms)
    nifti.set_xyzt_units("mm", "sec")
    if uniform:
        nifti.set_slope_inter(float(slopes[0]), float(intercepts[0]))
    nifti["magic"], nifti["vox_offset"] = b"n+1", _HEADER_BYTES
    with path.open("xb") as file:
        nifti.write_to(file)
        file.write(bytes(_HEADER_BYTES - file.tell()))
        for pixels, slope, intercept in zip(rec.read_images(image.line_indices), slopes, intercepts, strict=True):
            voxels = pixels if uniform else (pixels * slope + intercept).astype("<f4")
            file.write(voxels.tobytes())


def _write_json(path: Path, header: ParHeader, lines: Any) -> None:
    """Write the facts of the PAR with the field names of dcm2niix, times in seconds, without identity and dates."""
    fields = header.dicom()
    angles = set(lines["image_flip_angle"].tolist())
    sidecar = {
        "Modality": "MR",
        "Manufacturer": "Philips",
        "PatientPosition": fields.get("PatientPosition"),
        "ProtocolName": fields.get("ProtocolName"),
        "SeriesNumber": header.series_number,
        "AcquisitionNumber": fields.get("AcquisitionNumber"),
        "EchoTime": json_number(lines["echo_time"][0] / 1000),
        "RepetitionTime": json_number(repetition_time(header)),
        "FlipAngle": json_number(angles.pop()) if len(angles) == 1 else None,
        "ConversionSoftware": "qxbatch with nibabel",
    }
    present = {name: value for name, value in sidecar.items() if value not in (None, "")}
    path.write_text(json.dumps(present, indent="\t", ensure_ascii=False) + "\n", encoding="utf-8")


def _write_gradients(path: Path, image: ParImage, lines: Any, header: ParHeader) -> None:
    """Write the .bval and .bvec of an image with several volumes of a diffusion scan, but not of averages (ADC, trace)."""
    import numpy as np

    with importing():
        from nibabel.parrec import PSL_TO_RAS

    shape = image.shape
    if not header.integer("diffusion") or len(shape) < 4 or image.suffix.endswith("_ADC"):  # noqa: PLR2004
        return
    first = lines[:: shape[2]]
    bvals = first["diffusion_b_factor"]
    _write_rows(path.with_suffix(".bval"), [bvals])
    if "diffusion" not in lines.dtype.names:
        print("Warning: this PAR version does not contain gradient directions; there is no bvec.")
        return
    axes = image.affine[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    patient = first["diffusion"] @ PSL_TO_RAS[:3, :3].T
    bvecs = (patient @ axes).T
    if np.linalg.det(axes) > 0:  # FSL counts the first axis of such an image from the other end
        bvecs[0] *= -1
    lengths = np.linalg.norm(bvecs, axis=0)
    bvecs = np.where(lengths > 0, bvecs / np.where(lengths > 0, lengths, 1), 0.0) + 0.0
    _write_rows(path.with_suffix(".bvec"), bvecs)


def _write_rows(path: Path, rows: Any) -> None:
    path.write_text("".join(" ".join(f"{value:.6g}" for value in row) + "\n" for row in rows), encoding="ascii")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
