"""The order of the stages; nothing else knows it.

run.py: a whole batch. unit.py: one session's packets, in a batch or alone (one.py). produce.py: its folder. finish.py and
recover.py: publishing and archiving, also after a crash.
"""

from qxbatch.pipeline.run import run

__all__ = ["run"]
