"""An import of many packets that tells how busy it kept the CPUs: python -m bench.busy SESSIONS STARTED CPUS

The last line printed is a JSON object with wall and cpu in seconds, converters included, from the time STARTED until fewer
packets are left than there are CPUs: with less work than CPUs, some have nothing to do.
"""

import json
import resource
import sys
import time
from typing import Any

from qxbatch.cli.main import main
from qxbatch.pipeline import unit

ends: list[tuple[float, float]] = []
imported = unit.import_unit


def noted(*args: Any) -> Any:
    """Import a unit, and note when it ended and the CPU time used by then."""
    reports = imported(*args)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    ends.append((time.time(), sum(one.ru_utime + one.ru_stime for one in used)))
    return reports


if __name__ == "__main__":
    setattr(unit, "import_unit", noted)  # noqa: B010 - another function of its kind
    status = main([sys.argv[1], "--parelements=all", "--quiet"])
    at, cpu = sorted(ends)[-int(sys.argv[3])]
    print(json.dumps({"wall": at - float(sys.argv[2]), "cpu": cpu}))
    sys.exit(status)
