"""The rows of docs/performance.md, one file for each kind of work. Each has `rows(bench)`."""

from collections.abc import Callable, Iterator

from bench.bench import Bench, Figures, Row
from bench.rows import batch, calls, growth, ingest, scan, sizes, start, whole

Rows = Callable[[Bench], Iterator[Row | Figures]]

ALL: dict[str, Rows] = {
    "scan": scan.rows,
    "ingest": ingest.rows,
    "whole": whole.rows,
    "growth": growth.rows,
    "start": start.rows,
    "batch": batch.rows,
    "sizes": sizes.rows,
    "calls": calls.rows,
}
