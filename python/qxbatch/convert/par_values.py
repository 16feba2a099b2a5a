"""Compares the values of images with the REC: some pixels of every slice of every volume. Then compares their gradient tables."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from qxbatch.convert.par_gradients import gradient_difference
from qxbatch.convert.par_image import ParImage, scalings
from qxbatch.convert.par_rec import Rec
from qxbatch.convert.run import Cancel, raise_if_cancelled
from qxbatch.counted import counted
from qxbatch.importing import importing
from qxbatch.model import Output

_POINTS = 12
"""Compared pixels along each side of a slice."""
_CANDIDATES = 8
"""A volume of an image is compared with the PAR's volume of the same index, and with this many that have the nearest sums."""
_TOLERANCE = 1e-3
"""Accepted difference, relative to the largest compared value of the slice."""


class _StackPixels(NamedTuple):
    """The compared pixels of one stack."""

    image: ParImage
    values: Sequence[Any]
    """One array (volumes x slices x pixels) for each scaling."""
    x: Any
    y: Any
    """Column and row of each pixel."""


def value_difference(
    table: Any, rec: Rec, images: Sequence[ParImage], outputs: Sequence[Output], cancel: Cancel
) -> str:
    """Return how the values of a converter's images differ from the REC, or their gradients from the PAR; empty if they agree.

    `images` are the stacks of the PAR, `outputs` the converter's images. An output is compared with the stacks that have its grid,
    first with that of its suffix. Volumes of diffusion may be in any order. Raises CancelledError, ValueError when the header of
    an image cannot be read, and OSError.
    """
    import numpy as np

    if not outputs:
        return ""
    pixels = rec.mapped_images()
    with np.errstate(all="ignore"):  # a damaged PAR may have any scaling
        expected = [_stack_pixels(table, rec, pixels, image) for image in images]
        matched_volumes = [set[int]() for _ in images]
        for output in outputs:
            difference = _output_difference(table, rec, expected, matched_volumes, output, cancel)
            if difference:
                return difference
    for stack, volumes in zip(expected, matched_volumes, strict=True):
        missing = len(stack.values[0]) - len(volumes)
        if missing:
            return f"{missing} of {len(stack.values[0])} volumes of the PAR{_suffix_text(stack.image)} are in no image"
    return ""


def _suffix_text(image: ParImage) -> str:
    return f" ({image.suffix.removeprefix('_')})" if image.suffix else ""


def _stack_pixels(table: Any, rec: Rec, pixels: Any, image: ParImage) -> _StackPixels:
    """Return the compared pixels of the stack of `image`; `pixels` are all images of the REC (images x rows x columns)."""
    import numpy as np

    x, y = (
        grid.ravel()
        for grid in np.meshgrid(_sample_indices(image.shape[0]), _sample_indices(image.shape[1]), indexing="ij")
    )
    stored = pixels[rec.image_indices[image.line_indices][:, None], y[None, :], x[None, :]].astype(np.float32)
    values = [
        (stored * slope[:, None] + intercept[:, None]).astype(np.float32).reshape(-1, image.shape[2], len(x))
        for slope, intercept in scalings(table[image.line_indices])
    ]
    return _StackPixels(image, values, x, y)


def _sample_indices(size: int) -> Any:
    """Return indices that are spread over a side, without its ends if it is long."""
    import numpy as np

    return np.unique(((np.arange(_POINTS) + 0.5) * size / _POINTS).astype(int))


def _output_difference(
    table: Any,
    rec: Rec,
    expected: Sequence[_StackPixels],
    matched_volumes: Sequence[set[int]],
    output: Output,
    cancel: Cancel,
) -> str:
    """Return how one output differs from the stacks with its grid; add the volumes that it contains to `matched_volumes`."""
    with importing():
        import nibabel as nib
    import numpy as np

    image: Any = nib.load(output.nifti)
    stored = image.dataobj.get_unscaled()
    stored = stored.reshape((*(*stored.shape, 1, 1)[:3], -1), order="F")
    affine = np.asarray(image.affine)
    first_difference, remaining = "", set(range(stored.shape[3]))
    lines: dict[int, list[int]] = {}
    order = sorted(range(len(expected)), key=lambda index: expected[index].image.suffix != output.suffix)
    for index in order:
        raise_if_cancelled(cancel)
        stack = expected[index]
        voxels = _voxels(stack, affine, stored.shape[:3])
        if voxels is None:
            continue
        values = stored[voxels].astype(np.float32) * np.float32(image.dataobj.slope) + np.float32(image.dataobj.inter)
        values = np.moveaxis(values, -1, 0)
        volumes = dict(_matches(stack, values, sorted(remaining), cancel))
        matched_volumes[index].update(*volumes.values())
        remaining -= volumes.keys()
        first_lines = stack.image.line_indices[:: stack.image.shape[2]]
        lines |= {
            volume: [int(first_lines[stack_volume]) for stack_volume in equal] for volume, equal in volumes.items()
        }
        if not first_difference:
            first_difference = _first_difference(rec, stack, values, output, volumes)
        if not remaining:
            is_shuffled = _is_out_of_order(table, stack, volumes, stored.shape[3])
            return first_difference if is_shuffled else gradient_difference(table, output, lines)
    return (
        first_difference
        or f"{len(remaining)} of {counted(stored.shape[3], 'volume')} of {output.nifti.name} are not in the REC"
    )


def _voxels(stack: _StackPixels, affine: Any, shape: Sequence[int]) -> Any:
    """Return the indices in an image of the compared pixels (slices x pixels); None if the image does not contain them."""
    import numpy as np

    slices = np.arange(stack.image.shape[2])
    x, y = np.broadcast_to(stack.x, (len(slices), len(stack.x))), np.broadcast_to(stack.y, (len(slices), len(stack.y)))
    k = np.broadcast_to(slices[:, None], x.shape)
    matrix = np.linalg.inv(affine) @ stack.image.affine
    voxels = np.einsum("ij,j...->i...", matrix, np.stack([x, y, k, np.ones_like(k)]))[:3]
    rounded = np.rint(voxels).astype(int)
    limits = np.array(shape)[:, None, None]
    inside = ((rounded >= 0) & (rounded < limits)).all() and np.abs(voxels - rounded).max() < 0.45  # noqa: PLR2004 (voxels)
    return tuple(rounded) if inside else None


def _matches(
    stack: _StackPixels, values: Any, volumes: Sequence[int], cancel: Cancel
) -> Iterator[tuple[int, list[int]]]:
    """Yield the volumes of an image that are in the stack, each with the volumes of the stack that are equal to it.

    `values` are the compared pixels of the image (volumes x slices x pixels), `volumes` the indices of the volumes to look for.
    The first scaling of the stack in which any volume is equal is the only one that is used.
    """
    import numpy as np

    for scaled in stack.values:
        sums = scaled.sum(axis=(1, 2), dtype=np.float64)
        by_sum = np.argsort(sums, kind="stable")
        totals = values.sum(axis=(1, 2), dtype=np.float64)
        ranks = np.searchsorted(sums[by_sum], totals)
        has_match = False
        for volume in volumes:
            raise_if_cancelled(cancel)
            rank = int(ranks[volume])
            candidates = by_sum[max(0, rank - _CANDIDATES) : rank + _CANDIDATES]
            nearest = candidates[np.argsort(np.abs(sums[candidates] - totals[volume]), kind="stable")[:_CANDIDATES]]
            if volume < len(scaled):
                nearest = np.append(volume, nearest)
            equal = nearest[~_differing_slices(scaled[nearest], values[volume]).any(axis=-1)].tolist()
            if equal:
                has_match = True
                yield volume, equal
        if has_match:
            return


def _differing_slices(expected: Any, values: Any) -> Any:
    """Return a mask of the slices that differ."""
    import numpy as np

    limit = _TOLERANCE * np.abs(expected).max(axis=-1, initial=0)
    return ~(np.abs(expected - values).max(axis=-1, initial=0) <= limit)


def _is_out_of_order(table: Any, stack: _StackPixels, volumes: dict[int, list[int]], count: int) -> bool:
    """Return whether the volumes of an image are in another order than the stack's.

    Volumes of a diffusion scan may be in any order, since their tables are compared. `volumes` maps volumes of the image to equal
    volumes of the stack, `count` is the number of volumes of the image. False also if image and stack do not have the same volumes.
    """
    is_in_order = all(volume in equal for volume, equal in volumes.items())
    if len(volumes) != count or count != len(stack.values[0]) or is_in_order:
        return False
    first_lines = table[stack.image.line_indices[:: stack.image.shape[2]]]
    diffusion_columns = ("diffusion_b_factor", "gradient orientation number")
    return all(
        len(set(first_lines[name].tolist())) == 1 for name in diffusion_columns if name in first_lines.dtype.names
    )


def _first_difference(rec: Rec, stack: _StackPixels, values: Any, output: Output, volumes: dict[int, list[int]]) -> str:
    """Return a message about the first slice of an image that differs from the REC; empty if there is none.

    `values` and the keys of `volumes` are of the image, as in `_matches` and `_is_out_of_order`. A volume that is equal to the one
    with the same index in the stack has no difference, in whatever scaling.
    """
    import numpy as np

    count = min(len(values), len(stack.values[0]))
    scaled = min(stack.values, key=lambda candidate: int(_differing_slices(candidate[:count], values[:count]).sum()))
    differs = _differing_slices(scaled[:count], values[:count])
    differs[[volume for volume, equal in volumes.items() if volume < count and volume in equal]] = False
    if not differs.any():
        return ""
    volume, number = (int(index[0]) for index in np.nonzero(differs))
    pixel = int(np.argmax(np.abs(scaled[volume, number] - values[volume, number])))
    source = int(rec.image_indices[stack.image.line_indices[volume * stack.image.shape[2] + number]])
    return (
        f"{int(differs.sum())} of {differs.size} slices of {output.nifti.name} have other values than the REC: slice "
        f"{number + 1} of volume {volume + 1} has {values[volume, number, pixel]:g} where image {source} of the REC has "
        f"{scaled[volume, number, pixel]:g}"
    )
