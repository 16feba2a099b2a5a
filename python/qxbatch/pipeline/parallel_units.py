"""Imports the units of a batch (each the packets of one session) in parallel, and stops them on a signal."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from qxbatch.discover.units import Unit
from qxbatch.events import RunStarted
from qxbatch.pipeline.context import Context
from qxbatch.pipeline.signals import delayed_signals
from qxbatch.pipeline.unit import UnitResult, import_unit
from qxbatch.pipeline.waiting import stop_work, wait_for


def import_units(context: Context, units: Sequence[Unit]) -> list[UnitResult]:
    """Import units, the largest first; return their results in the order of `units`.

    Raises KeyboardInterrupt, and RuntimeError if a thread cannot be started.
    """
    context.observer.notify(RunStarted(len(units), sum(unit.size for unit in units)))
    order = sorted(range(len(units)), key=lambda i: -units[i].size)
    # one more than --n-procs: while one unit waits for the disk or its threads, another one works
    at_once = context.settings.n_procs + (context.settings.n_procs > 1)
    pool = ThreadPoolExecutor(max(1, min(len(units), at_once)))
    futures: dict[int, Future[UnitResult]] = {}
    try:
        with delayed_signals():
            for i in order:
                futures[i] = pool.submit(import_unit, context, units[i])
        wait_for(list(futures.values()))
    except (KeyboardInterrupt, RuntimeError):
        stop_work(context.interrupt)
        for future in futures.values():
            future.cancel()
        raise
    finally:
        pool.shutdown(wait=True)
    return [futures[i].result() for i in range(len(units))]
