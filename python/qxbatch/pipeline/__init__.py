"""The order of the stages; no other package knows it.

run.py: a whole run. batch.py: all ready packets of a run. named_units.py: some of them, by name (name_match.py). unit.py: the
packets of one session. produce.py: the folder of a session. finish.py and recover.py: publishing and archiving, also after a crash.
"""

from qxbatch.pipeline.run import run

__all__ = ["run"]
