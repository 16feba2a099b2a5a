"""The order of the stages; no other package knows it.

run.py: a batch. unit.py: the packets of one session, in a batch or alone (named_units.py). produce.py: the session's folder.
finish.py and recover.py: publishing and archiving, also after a crash.
"""

from qxbatch.pipeline.run import run

__all__ = ["run"]
