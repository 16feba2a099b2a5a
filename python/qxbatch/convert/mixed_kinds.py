"""Notes on images whose frames are of several kinds by ImageType, although they are one image."""

from qxbatch.core import ImageCheck


def mixed_kinds_notes(check: ImageCheck) -> list[str]:
    """Return a note if the frames of an image are several signals of a Dixon scan, or partly original and partly derived.

    The values of such an image are right, but nothing else tells which volumes show what.
    """
    notes = []
    if len(check.dixon_signals) > 1:
        notes.append(f"its volumes show several signals of a Dixon scan (ImageType): {', '.join(check.dixon_signals)}.")
    if check.has_derived_frames and not check.is_derived:
        notes.append("some of its volumes are derived, and others are not (ImageType).")
    return notes
