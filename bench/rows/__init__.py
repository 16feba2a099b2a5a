"""The rows of docs/performance.md, one file for each kind of work. Each has `rows(bench)`."""

from collections.abc import Callable, Iterator

from bench.bench import Bench, Row
from bench.rows import growth, ingest, scan, start, whole

Rows = Callable[[Bench], Iterator[Row]]

ALL: dict[str, Rows] = {
    "scan": scan.rows,
    "ingest": ingest.rows,
    "whole": whole.rows,
    "growth": growth.rows,
    "start": start.rows,
}
