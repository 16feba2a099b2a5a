"""The command without root's right to bypass permissions."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.build.study import Run


def unprivileged(*words: str) -> Run:
    """Run `qxbatch ...` as an ordinary user; skip the test if that is impossible."""
    call = [sys.executable, "-m", "qxbatch", *words]
    if os.geteuid() == 0:
        drop = shutil.which("setpriv")
        if drop is None:
            pytest.skip("root passes over permissions, and setpriv is not here to drop that: permissions are not tried")
        call = [drop, "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all", *call]
    done = subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout, done.stderr)
