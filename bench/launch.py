"""Runs a command and writes what it took: launch.py RESULT COMMAND...

A small separate process, because the peak memory of a child starts at that of the process it was forked from.
"""

import json
import os
import subprocess
import sys
import time

result, *command = sys.argv[1:]
start = time.perf_counter()
child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
wall = time.perf_counter() - start
taken = {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024}
with open(result, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is not imported: it costs memory
    json.dump(taken, file)
sys.exit(os.waitstatus_to_exitcode(status))
