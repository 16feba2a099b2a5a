"""The kinds of a series: what its pixels contain, and whether it is derived or a localizer."""

from itertools import combinations

from qxbatch.acquisition import ImageKind
from qxbatch.core import Stack
from qxbatch.inspect.geometry import unit_normal
from qxbatch.inspect.observed import ObservedSeries

_COMPONENTS = {
    "M": ImageKind.MAGNITUDE,
    "P": ImageKind.PHASE,
    "R": ImageKind.REAL,
    "I": ImageKind.IMAGINARY,
}
"""The kind for each value of `Stack.component`."""
_MAX_ORTHOGONAL_COSINE = 0.26
"""Cosine of the smallest angle (75 degrees) between the normals of orthogonal views."""


def kinds(observed: ObservedSeries) -> tuple[ImageKind, ...]:
    """Return the kinds in the order of ImageKind; DERIVED only if all stacks are derived."""
    stacks = observed.acquired_stacks.stacks
    image_kinds = {_COMPONENTS[stack.component] for stack in stacks if stack.component in _COMPONENTS}
    if stacks and all(stack.is_derived for stack in stacks):
        image_kinds.add(ImageKind.DERIVED)
    if is_localizer(observed):
        image_kinds.add(ImageKind.LOCALIZER)
    return tuple(kind for kind in ImageKind if kind in image_kinds)


def is_localizer(observed: ObservedSeries) -> bool:
    """Return whether ImageType contains LOCALIZER, or the series has orthogonal views."""
    labels = observed.header_text("ImageType").upper().replace("\\", " ").split()
    return "LOCALIZER" in labels or _has_orthogonal_views(observed.acquired_stacks.stacks)


def _has_orthogonal_views(stacks: list[Stack]) -> bool:
    # Equal normals are compared once: a series may have thousands of stacks, one for each contrast.
    normals = {normal for stack in stacks if (normal := unit_normal(stack.orientation or []))}
    return any(
        abs(sum(x * y for x, y in zip(a, b, strict=True))) < _MAX_ORTHOGONAL_COSINE for a, b in combinations(normals, 2)
    )
