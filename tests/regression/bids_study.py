"""The public sets as one study, imported once for all tests that export it."""

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from qxbatch.session.folder import SessionFolder
from qxbatch.study.sessions import sessions_in
from tests.build.study import run_command
from tests.regression.declared import declared

RULES = Path(__file__).resolve().parent / "bids.toml"
PATHS = Path(__file__).resolve().parent / "expected" / "bids.tsv"


class SharedStudy:
    """A sessions folder with a session for each public set that is present."""

    def __init__(self, data: Path) -> None:
        self._folder = TemporaryDirectory(prefix="qxbatch-bids-")
        self.sessions = Path(self._folder.name) / "sessions"
        inbox = self.sessions / "inbox" / "MR"
        for k, one in enumerate(declared()):
            if (data / (one.folder or one.name)).is_dir():
                packets = one.lay_out(data, Path(self._folder.name) / f"packets-{k}").packets_folder
                inbox.mkdir(parents=True, exist_ok=True)
                for packet in packets.iterdir():
                    packet.rename(inbox / packet.name)
        self.run = run_command(
            str(self.sessions), "--on-mixed=merge", "--archive=leave", "--parelements=all", "--quiet"
        )

    @property
    def folders(self) -> list[SessionFolder]:
        """Return the sessions."""
        return [SessionFolder(path) for path in sessions_in(self.sessions)]


@lru_cache(1)
def shared_study(data: Path) -> SharedStudy:
    """Return the study; it is removed when the interpreter ends."""
    return SharedStudy(data)
