"""A study of twelve sessions of two vendors' scanners, three of which have a defect each."""

from dataclasses import replace

from tests.build.dicom import MrSeries, Vendor
from tests.build.packets import Tree, under
from tests.build.study import Study

SESSIONS = tuple(f"S{k:02}" for k in range(1, 13))
WITHOUT_T2, OTHER_TR, HALF = "S03", "S07", "S11"
"""Sessions with a defect: T2w is missing, rest has a TR of 2500 ms, rest has half of its volumes."""
LOCALIZER = MrSeries(
    number=1, description="localizer", changes={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, time="100000"
)
T1 = MrSeries(number=2, description="T1w", tr=2300.0, te=2.46, time="101000")
REST = MrSeries(number=3, description="fmri_rest", volumes=4, time="102000")
T2 = MrSeries(number=4, description="T2w", tr=3200.0, te=408.0, time="103000")
USUAL = (LOCALIZER, T1, REST, T2)


def vendor_of(session: str) -> Vendor:
    """Return the scanner of a session: every second one is of the other vendor."""
    return Vendor.SIEMENS if int(session[1:]) % 2 else Vendor.GE


def series_of(session: str, scans: tuple[MrSeries, ...] = USUAL) -> list[MrSeries]:
    """Return the series of a session for its scanner; TE has a little noise, as if rounded for storage."""
    vendor = vendor_of(session)
    tr = {Vendor.SIEMENS: 2000.0, Vendor.GE: 2200.0}[vendor]
    noise = 1e-7 * (int(session[1:]) % 3)
    return [
        replace(
            each,
            vendor=vendor,
            patient=session,
            te=(each.te or 0) + noise,
            tr=tr if each.description == REST.description else each.tr,
        )
        for each in scans
    ]


def half(rest: MrSeries) -> MrSeries:
    """Return a scan with half of the volumes that its headers plan."""
    return replace(rest, volumes=2, changes={**rest.changes, "NumberOfTemporalPositions": rest.volumes})


def defective(session: str) -> list[MrSeries]:
    """Return the series of a session, with its defect."""
    localizer, t1, rest, t2 = series_of(session)
    if session == WITHOUT_T2:
        return [localizer, t1, rest]
    if session == OTHER_TR:
        return [localizer, t1, replace(rest, tr=2500.0), t2]
    return [localizer, t1, half(rest) if session == HALF else rest, t2]


def packet(series: list[MrSeries]) -> Tree:
    """Return a packet of these series."""
    return {name: data for each in series for name, data in under(f"s{each.number}{each.key}", each.files()).items()}


def put(study: Study, sessions: tuple[str, ...] = SESSIONS) -> None:
    """Put the packets of sessions into the inbox."""
    for session in sessions:
        study.put(session, packet(defective(session)))
