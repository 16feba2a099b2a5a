"""The command without root's right to bypass permissions."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.build.study import Run


def unprivileged(*words: str, env: Mapping[str, str] | None = None) -> Run:
    """Run `qxbatch ...` with the rights of an ordinary user; skip the test if that is impossible."""
    call = [sys.executable, "-m", "qxbatch", *words]
    if os.geteuid() == 0:
        drop = shutil.which("setpriv")
        if drop is None:
            pytest.skip(
                "root bypasses permissions, and setpriv, which prevents that, is not installed: permissions are not tested"
            )
        call = [drop, "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all", *call]
    process = subprocess.run(call, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=env)
    return Run(process.returncode, process.stdout, process.stderr)
