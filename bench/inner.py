"""Work that measures itself, so that start and imports are left out: python -m bench.inner NAME ARGUMENT...

The last line printed is a JSON object with wall and cpu in seconds, and this process's largest memory in bytes.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Work = Callable[[], object]
TAGS = ["PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SeriesNumber", "InstanceNumber"]
TAGS += ["SeriesDescription", "ProtocolName", "SequenceName", "ImageType", "SOPClassUID", "StudyDate", "StudyTime"]
TAGS += ["RepetitionTime", "EchoTime", "AcquisitionNumber", "Manufacturer", "Modality"]


def files_below(folder: str) -> list[str]:
    """Return the files of a tree, sorted."""
    return sorted(str(path) for path in Path(folder).rglob("*") if path.is_file())


def scan(folder: str, threads: str, times: str = "1") -> Work:
    """The core's header scan, the walk included, all fields; of a small folder so many times, one after the other."""
    from qxbatch import core

    return lambda: all(core.scan_files([folder], threads=int(threads)) for _ in range(int(times)))


def ingest(packet: str, staging: str, threads: str) -> Work:
    """The core's one pass over a packet: read, check, hash, parse, write."""
    from qxbatch import core

    return lambda: core.ingest([(packet, "")], staging, threads=int(threads))


def gdcm_scanner(folder: str) -> Work:
    """gdcm.Scanner with the same number of tags, over paths listed beforehand."""
    import gdcm
    from pydicom.datadict import tag_for_keyword

    paths = files_below(folder)
    scanner = gdcm.Scanner()
    for keyword in TAGS:
        tag = tag_for_keyword(keyword) or 0
        scanner.AddTag(gdcm.Tag(tag >> 16, tag & 0xFFFF))
    return lambda: scanner.Scan(paths)


def pydicom_tags(folder: str) -> Work:
    """pydicom with specific tags, stopping before the pixels, over paths listed beforehand."""
    from pydicom import dcmread

    paths = files_below(folder)
    return lambda: [dcmread(path, stop_before_pixels=True, specific_tags=TAGS) for path in paths]


def nothing() -> Work:
    """The interpreter and the imports alone."""
    return lambda: True


def imported(sessions: str) -> Work:
    """An import in this very process, so that its memory is measured without the converters'."""
    from qxbatch.cli.main import main

    return lambda: not main([sessions, "--parelements=all", "--quiet"])


def own_peak() -> int:
    """Return this process's largest memory in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


WORKS: dict[str, Callable[..., Work]] = {
    work.__name__: work for work in (scan, ingest, gdcm_scanner, pydicom_tags, imported, nothing)
}


def main(argv: list[str]) -> None:
    """Do the work that the first argument names, and print what it took."""
    work = WORKS[argv[0]](*argv[1:])
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if not result:
        raise SystemExit(f"{argv[0]} found nothing")
    print(json.dumps({"wall": wall, "cpu": cpu, "peak": own_peak()}))


if __name__ == "__main__":
    main(sys.argv[1:])
