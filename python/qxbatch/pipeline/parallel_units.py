"""Imports the units of a batch in parallel, and stops them on a signal."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from qxbatch.discover.units import Unit
from qxbatch.events import RunStarted
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.signals import delayed_signals
from qxbatch.pipeline.unit import Imported, import_unit
from qxbatch.pipeline.waiting import stop_work, wait_for


def import_units(context: Context, units: Sequence[Unit]) -> list[Imported]:
    """Import units, the largest first; return them in their own order. Raises KeyboardInterrupt."""
    context.observer.notify(RunStarted(len(units), sum(unit.size for unit in units)))
    order = sorted(range(len(units)), key=lambda i: -units[i].size)
    # One more than the number of CPUs: while one unit waits for the disk or its threads, another one works.
    together = context.settings.n_procs + (context.settings.n_procs > 1)
    pool = ThreadPoolExecutor(max(1, min(len(units), together)))
    futures: dict[int, Future[Imported]] = {}
    try:
        with delayed_signals():
            for i in order:
                futures[i] = pool.submit(import_unit, context, units[i])
        wait_for(list(futures.values()))
    except KeyboardInterrupt:
        stop_work(context.interrupt)
        for future in futures.values():
            future.cancel()
        raise
    finally:
        pool.shutdown(wait=True)
    return [futures[i].result() for i in range(len(units))]
