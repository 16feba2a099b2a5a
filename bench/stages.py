"""An import that tells what each of its stages took: python -m bench.stages SESSIONS

The last line printed is a JSON object: stage to [wall seconds, CPU seconds], converters included.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

from qxbatch.cli.main import main
from qxbatch.pipeline import check_build, deliver, produce, unit

marks: list[tuple[str, float, float]] = []


def mark(stage: str) -> None:
    """Note that a stage ends here."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    marks.append((stage, time.time(), sum(one.ru_utime + one.ru_stime for one in used)))


def around(module: Any, name: str, before: str, inside: str) -> None:
    """Replace a function of a module by one that notes the end of the stage before it and of this stage."""
    function: Callable[..., Any] = getattr(module, name)

    def noted(*args: Any, **named: Any) -> Any:
        mark(before)
        try:
            return function(*args, **named)
        finally:
            mark(inside)

    setattr(module, name, noted)


if __name__ == "__main__":
    started = float(sys.argv[2])
    around(unit, "read_job", "start, discovery", "read (inflate, check, hash, parse, write)")
    around(produce, "convert_and_store_series", "sort (names, numbers, places)", "convert, pack, compress, pictures")
    around(check_build, "_verify", "record (session.txt, ledger, page)", "verify")
    around(deliver, "finish", "wait for the disk", "publish, archive")
    status = main([sys.argv[1], "--parelements=all", "--quiet"])
    mark("end")
    taken, wall, cpu = {}, started, 0.0
    for stage, at, used in marks:
        taken[stage] = (at - wall, used - cpu)
        wall, cpu = at, used
    print(json.dumps(taken))
    sys.exit(status)
