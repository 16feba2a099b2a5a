"""Writes summary.json into the build of a session, its folder before it is published."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from qxbatch.core import VERSION
from qxbatch.ingest.assemble import SortedSession
from qxbatch.model import Conversion
from qxbatch.problems import Problem
from qxbatch.record.checksums import file_checksums
from qxbatch.record.images import SessionImages
from qxbatch.record.job import ImportFolders, Job
from qxbatch.record.redacted import redacted_text
from qxbatch.record.summary import PacketInfo, summarize
from qxbatch.session.summary import Summary
from qxbatch.session.summary_parts import ImageStatistics, SizeAndHash, Split
from qxbatch.settings.command import command_for
from qxbatch.settings.model import Settings
from qxbatch.textfile import create_text


def record_summary(
    job: Job,
    sorted_session: SortedSession,
    conversions: Sequence[Conversion],
    session_images: SessionImages,
    folders: ImportFolders,
    *,
    patient: str,
    problems: Sequence[Problem],
    left_out_counts: Mapping[str, int],
    fates: Mapping[str, int],
    sums: Mapping[Path, SizeAndHash],
    statistics: Mapping[Path, ImageStatistics],
    converters: Mapping[str, str],
    seconds: float,
    settings: Settings,
) -> Summary:
    """Write summary.json; return its content.

    `sums` has the checksums of compressed images, `statistics` the statistics of time series; the keys of both are the paths of
    the images in the converters' output. `patient` is the patient's id, or empty if it is not known or the session id
    replaces it. `fates` has the number of ledger rows by fate, `left_out_counts` the number of members left out by cause.
    `converters` maps names to versions. `seconds` is the time that the work on the session took.

    Raises OSError and CancelledError.
    """
    statistics_by_number = (
        (item.image.number, statistics.get(item.output.nifti)) for item in session_images.numbered_images
    )
    content = summarize(
        sorted_session.session,
        [
            PacketInfo(packet, sorted_session.redact(packet.path.name), job.sha256(packet))
            for packet in job.archivable_packets
        ],
        conversions,
        session_images,
        version=VERSION,
        converters=converters,
        fates=fates,
        left_out_counts=left_out_counts,
        sums=file_checksums(session_images, folders.build, sums),
        statistics={number: values for number, values in statistics_by_number if values is not None},
        problems=problems,
        patient=patient,
        deidentified=job.deidentified,
        split=Split(job.unit.name, dict(job.patients)) if job.is_split else job.previous.split,
        previous_packets=job.previous.packets,
        times={"seconds": round(seconds, 3)},
        host={"name": os.uname().nodename, "system": os.uname().sysname},
        command=redacted_text(command_for(settings, [job.unit.name]), sorted_session.redact),
    )
    with create_text(folders.build_paths.summary) as file:
        file.write(content.to_json())
    return content
