"""`python -m qxbatch.ingest.second_reader`: pydicom reads headers that the core could not parse.

Standard input has one path per line, as JSON; for each, standard output gets one line of JSON: the header fields, or null.
The program runs as a separate process with limits of time and memory, because a damaged header can make any reader take hours or
gigabytes.
"""

import json
import logging
import os
import resource
import sys
import warnings
from io import BytesIO

HEADER_BYTES = 4 << 20
"""Limit on the length of a header; what follows is pixel data, or zeros of an incomplete transfer."""
MEMORY_BYTES = 1 << 30
"""Limit on the address space of the process."""
CPU_SECONDS = 60
"""Limit on the CPU time of the process, for all of its files."""


def main() -> None:
    """Read paths from standard input until it ends, and print the header of each file."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        print(json.dumps(read_header(json.loads(line))), flush=True)


def read_header(path: str) -> dict[str, str] | None:
    """Return the standard elements among `FIELDS` of a data set, at its top level, as pydicom reads them.

    None if pydicom cannot read them, or if SeriesInstanceUID or SOPInstanceUID is missing.
    """
    from pydicom import config, dcmread
    from pydicom.datadict import tag_for_keyword

    from qxbatch.core import FIELDS

    tags = [tag for keyword in FIELDS if (tag := tag_for_keyword(keyword)) is not None]
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the name may not be valid text
            head = BytesIO(file.read(HEADER_BYTES))
        with config.disable_value_validation():
            dataset = dcmread(head, stop_before_pixels=True, force=True, specific_tags=tags)
            values = {element.keyword: _notation(element.value) for element in dataset if element.keyword in FIELDS}
    except Exception:  # noqa: BLE001 - pydicom raises anything on damaged data
        return None
    if not values.get("SeriesInstanceUID") or not values.get("SOPInstanceUID"):
        return None
    return values


_ITEM_ELEMENT = "PatientID"
"""The element that is read from each item of a sequence (OtherPatientIDsSequence), as the core does."""


def _notation(value: object) -> str:
    """Return a value as in a DICOM header: values of one element are separated by backslashes."""
    from pydicom import Sequence
    from pydicom.valuerep import PersonName

    if value is None:
        return ""
    if isinstance(value, Sequence):
        return "\\".join(str(item.get(_ITEM_ELEMENT) or "") for item in value)
    if isinstance(value, str | int | float | PersonName):  # a PersonName is iterable: it yields its characters
        return str(value)
    try:
        return "\\".join(str(item) for item in value)  # type: ignore[attr-defined]
    except TypeError:
        return str(value)


if __name__ == "__main__":
    main()
    os._exit(0)  # skips cleanup: freeing the objects of a damaged file may take long
