"""What lies in the inbox, or in session folders, and what is to be done with each thing found.

`candidates` is the stage's door: it lists, asks the pure plan, and measures what is ready.
"""

from qxbatch.discover.fingerprint import fingerprint
from qxbatch.discover.inbox import candidates
from qxbatch.discover.sources import Sources, session_sources

__all__ = ["Sources", "candidates", "fingerprint", "session_sources"]
