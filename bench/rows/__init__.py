"""The rows of docs/performance.md, one file for each kind of work. Each has `rows(bench)`."""

from collections.abc import Callable, Iterator

from bench.bench import Bench, Figures, Row, Stages
from bench.rows import batch, calls, growth, ingest, inspect, remote, scan, sizes, stages, start, whole

Rows = Callable[[Bench], Iterator[Row | Figures | Stages]]

ALL: dict[str, Rows] = {
    "scan": scan.rows,
    "ingest": ingest.rows,
    "inspect": inspect.rows,
    "short": whole.short,
    "reference": whole.reference,
    "long": whole.long,
    "growth": growth.rows,
    "start": start.rows,
    "batch": batch.rows,
    "sizes": sizes.rows,
    "calls": calls.rows,
    "remote": remote.rows,
    "stages": stages.rows,
}
