"""The verdict on a series, and a text about what is missing."""

from qxbatch.acquisition import Acquisition, ImageKind, SeriesVerdict
from qxbatch.counted import counted


def verdict(acquisition: Acquisition, *, evaluable: bool = True) -> SeriesVerdict:
    """Return the verdict on a single series. It is never REPEATED, which depends on other series.

    `evaluable` is False for objects that are not measured images, such as reports and screen saves. Localizers are not evaluable
    either.
    """
    is_localizer = ImageKind.LOCALIZER in (acquisition.kinds or ())
    if not evaluable or is_localizer or acquisition.acquired_volumes is None:
        return SeriesVerdict.NOT_EVALUABLE
    return SeriesVerdict.INCOMPLETE if missing_text(acquisition) else SeriesVerdict.COMPLETE


def missing_text(acquisition: Acquisition) -> str:
    """Return in words what is missing: `planned 300 volumes, 212 complete, 14 slices of one more`. Empty if nothing is missing."""
    complete, acquired = acquisition.complete_volumes, acquisition.acquired_volumes
    planned, missing = acquisition.planned_volumes, acquisition.missing_slices or 0
    partial = acquisition.partial_slices or 0
    if complete is None or acquired is None or not (missing or partial or (planned or 0) > complete):
        return ""
    phrases = [f"planned {counted(planned, 'volume')}" if planned else "", f"{complete} complete"]
    slices = acquisition.slices_per_volume or 0
    of = "one more" if complete else f"one, which has {slices}"
    phrases.append(f"{counted(partial, 'slice')} of {of}" if partial else "")
    # slices that the last volume lacks are not counted again
    elsewhere = missing - (slices - partial if partial else 0)
    phrases.append(f"{counted(elsewhere, 'slice')} missing before the last volume" if elsewhere > 0 else "")
    text = ", ".join(phrase for phrase in phrases if phrase)
    return text if planned else f"{counted(acquired, 'volume')}, {text}"
