"""A study into whose `.qxbatch` somebody wrote, for the tests of forged records."""

import json
from dataclasses import asdict
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.publish.journal import VERSION
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under
from tests.build.study import Study, snapshot

TREE = {**under("T1", MrSeries(patient="P1").files()), "README": b"of the scanner\n"}
RUN = "0123456789abcdef"
Forged = dict[str, object]


class Attack:
    """A study with a forged journal, and a folder outside of it."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.top = study.sessions.parent
        self.victim = self.top / "home" / "thesis"
        self.victim.mkdir(parents=True)
        (self.victim / "thesis.tex").write_text("years of work\n")
        self.staging = study.sessions / ".qxbatch" / "work" / "S1" / RUN
        self.staging.mkdir(parents=True)
        (study.sessions / ".qxbatch" / "journal").mkdir()

    def journal(self, file: str = "S1", /, **changes: object) -> None:
        content: Forged = {
            "version": VERSION,
            "unit": "S1",
            "run": RUN,
            "packets": [],
            "sessions": [],
            "replaced": [],
            "archive": "delete",
            "series_failed": False,
            "surrounded": False,
            "links": False,
            "damaged": False,
            "linked": False,
            "with_inbox": True,
            "inbox": None,
            "names": "",
            "ledgers": [],
        }
        path = self.study.sessions / ".qxbatch" / "journal" / f"{file}.json"
        path.write_text(json.dumps(content | changes))

    def packet(self, path: Path, named: str = "") -> list[Forged]:
        return [{"path": named or str(path), "name": "x", "fingerprint": asdict(fingerprint(path)), "number": None}]

    def ready_session(self) -> None:
        """Import a packet as session S1; it is in the archive."""
        (self.study.sessions / ".qxbatch").rename(self.top / "later")
        self.study.put("S1", TREE, Kind.ZIP)
        assert self.study.main("--check=no").status == 0
        (self.top / "later").rename(self.study.sessions / ".qxbatch")

    def ledger(self, session: str) -> str:
        return hash_file(str(self.study.session(session) / "qxbatch" / "ledger.tsv"))[1]

    def run(self, *args: str) -> str:
        before = snapshot(self.top / "home")
        run = self.study.main("--check=no", *args)
        assert snapshot(self.top / "home") == before
        assert "Traceback" not in run.text
        assert run.status == 1, run.text
        return run.text
