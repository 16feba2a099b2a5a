"""Sessions in the form for a protocol, built without an import."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from qxbatch.acquisition import Acquisition, ImageKind, SeriesVerdict
from qxbatch.protocol.scanned import ScannedSeries, ScannedSession

PRISMA, SKYRA = "Siemens Prisma", "Siemens Skyra"
REST = Acquisition(
    planned_volumes=300,
    acquired_volumes=300,
    complete_volumes=300,
    tr_ms=2000.0,
    te_ms=(30.0,),
    flip_angle_deg=77.0,
    matrix=(64, 64, 36),
    voxel_mm=(3.0, 3.0, 3.6),
    phase_encoding_direction="j-",
    kinds=(ImageKind.MAGNITUDE,),
    coil="Head_32",
    software="syngo MR E11",
)
T1 = Acquisition(
    acquired_volumes=1,
    complete_volumes=1,
    tr_ms=2300.0,
    te_ms=(2.46,),
    ti_ms=900.0,
    matrix=(256, 256, 176),
    kinds=(ImageKind.MAGNITUDE,),
    software="syngo MR E11",
)
SHELLS = ((0.0, 7), (1000.0, 30), (2000.0, 60))
DWI = Acquisition(acquired_volumes=97, complete_volumes=97, tr_ms=3200.0, b_values=SHELLS, kinds=(ImageKind.MAGNITUDE,))
LOCALIZER = Acquisition(acquired_volumes=3, complete_volumes=3, kinds=(ImageKind.MAGNITUDE, ImageKind.LOCALIZER))
SHORT: dict[str, Any] = {"acquired_volumes": 213, "complete_volumes": 212, "missing_slices": 22}
"""Facts of REST if it was interrupted."""


def series(name: str, number: int = 5, facts: Acquisition | None = REST, **changes: Any) -> ScannedSeries:
    """Return a series with some facts changed; it is incomplete if planned volumes are missing."""
    scanner = changes.pop("scanner", PRISMA)
    known = None if facts is None else replace(facts, **changes)
    return ScannedSeries(10 * number, number, name, scanner, None if known is None else verdict(known), known)


def verdict(facts: Acquisition) -> SeriesVerdict:
    """Return the verdict that an import gives."""
    if ImageKind.LOCALIZER in (facts.kinds or ()):
        return SeriesVerdict.NOT_EVALUABLE
    lacking = facts.missing_slices or (facts.planned_volumes or 0) > (facts.complete_volumes or 0)
    return SeriesVerdict.INCOMPLETE if lacking else SeriesVerdict.COMPLETE


def session(name: str, *all_series: ScannedSeries) -> ScannedSession:
    """Return a session with these series."""
    return ScannedSession(name, all_series)


def usual(name: str, scanner: str = PRISMA) -> ScannedSession:
    """Return a session with a localizer, a T1w, two runs and a diffusion scan."""
    return session(
        name,
        series("localizer", 1, LOCALIZER, scanner=scanner),
        series("t1_mprage", 2, T1, scanner=scanner),
        series("rest_1", 3, scanner=scanner),
        series("rest_2", 4, scanner=scanner),
        series("dwi", 5, DWI, scanner=scanner),
    )


def changed(
    scanned: ScannedSession, name: str, change: Callable[[ScannedSeries], Iterable[ScannedSeries]]
) -> ScannedSession:
    """Return a session in which the series of a name are replaced by others."""
    return replace(
        scanned, series=tuple(new for each in scanned.series for new in (change(each) if each.name == name else [each]))
    )


def with_facts(scanned: ScannedSession, name: str, **changes: Any) -> ScannedSession:
    """Return a session with other facts for a series."""

    def change(each: ScannedSeries) -> Iterable[ScannedSeries]:
        facts = replace(each.acquisition or Acquisition(), **changes)
        yield replace(each, acquisition=facts, verdict=verdict(facts))

    return changed(scanned, name, change)


def study(count: int = 12, scanner: str = PRISMA) -> list[ScannedSession]:
    """Return this many sessions that differ only in their names."""
    return [usual(f"S{k:02}", scanner) for k in range(1, count + 1)]
