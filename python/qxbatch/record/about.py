"""Writes summary.json into a session's build."""

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from qxbatch.ingest.assemble import Part
from qxbatch.model import Conversion
from qxbatch.problems import Problem
from qxbatch.record.images import Placement
from qxbatch.record.job import Job, Places
from qxbatch.record.summary import PacketInfo, summary, summary_text
from qxbatch.record.sums import Sum, sums_of
from qxbatch.textfile import created


def record_summary(
    job: Job,
    part: Part,
    conversions: Sequence[Conversion],
    placement: Placement,
    places: Places,
    *,
    patient: str,
    problems: Sequence[Problem],
    fates: Mapping[str, int],
    sums: Mapping[Path, Sum],
    converters: Mapping[str, str],
    seconds: float,
) -> dict[str, Any]:
    """Write summary.json; return its content. `sums` are those of the compressed images."""
    about = summary(
        part.session,
        [PacketInfo(packet, part.hide(packet.path.name)) for packet in job.archives],
        conversions,
        placement,
        version=version("qxbatch"),
        converters=converters,
        fates=fates,
        sums=sums_of(placement, places.build, sums),
        problems=problems,
        patient=patient,
        times={"seconds": round(seconds, 3)},
        host={"name": platform.node(), "system": platform.system()},
    )
    about["session"]["concealed"] = job.deidentified
    if job.is_split:
        about["parted"] = {"from": job.unit.name, "sessions": dict(job.patients)}
    about["packets"] = [*(p for p in job.previous.packets if p not in about["packets"]), *about["packets"]]
    with created(places.build / "qxbatch" / "summary.json") as file:
        file.write(summary_text(about))
    return about
