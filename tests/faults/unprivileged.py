"""The command without the right to pass over permissions, which root has."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.build.study import Run


def unprivileged(*words: str) -> Run:
    """Run `qxbatch ...` as a user who is bound by permissions; skip the test where that cannot be done."""
    call = [sys.executable, "-m", "qxbatch", *words]
    if os.geteuid() == 0:
        drop = shutil.which("setpriv")
        if drop is None:
            pytest.skip("root passes over permissions, and setpriv is not here to drop that: permissions are not tried")
        call = [drop, "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all", *call]
    done = subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout, done.stderr)
