"""A study with forged records in `.qxbatch`."""

import json
from dataclasses import asdict
from pathlib import Path

from qxbatch.core import hash_file
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.publish.journal import JOURNAL_VERSION
from tests.build.dicom import MrSeries
from tests.build.packets import Kind, under
from tests.build.study import Study, snapshot

TREE = {**under("T1", MrSeries(patient="P1").files()), "README": b"of the scanner\n"}
RUN = "0123456789abcdef"
Forged = dict[str, object]


class Attack:
    """A study whose journal is forged by a test, and a folder of somebody outside of the study: the victim."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.top = study.sessions.parent
        self.victim = self.top / "home" / "thesis"
        self.victim.mkdir(parents=True)
        (self.victim / "thesis.tex").write_text("years of work\n")
        self.staging = study.sessions / ".qxbatch" / "work" / "S1" / RUN
        self.staging.mkdir(parents=True)
        (study.sessions / ".qxbatch" / "journal").mkdir()

    def forge_journal(self, file: str = "S1", /, **changes: object) -> None:
        """Write a journal of the unit S1 with these changes."""
        content: Forged = {
            "version": JOURNAL_VERSION,
            "unit": "S1",
            "run": RUN,
            "packets": [],
            "sessions": [],
            "replaced": [],
            "archive": "delete",
            "series_failed": False,
            "surrounded": False,
            "contains_links": False,
            "damaged": False,
            "behind_link": False,
            "with_inbox": True,
            "inbox": None,
            "names": "",
            "ledgers": [],
        }
        path = self.study.sessions / ".qxbatch" / "journal" / f"{file}.json"
        path.write_text(json.dumps(content | changes))

    def packets(self, path: Path, named: str = "") -> list[Forged]:
        """Return the packets of a journal: one with the fingerprint of a file or folder, and with another path if `named`."""
        return [{"path": named or str(path), "name": "x", "fingerprint": asdict(fingerprint(path)), "number": None}]

    def import_session(self) -> None:
        """Import a packet as session S1, without the forged records; the packet is in the archive."""
        (self.study.sessions / ".qxbatch").rename(self.top / "later")
        self.study.put("S1", TREE, Kind.ZIP)
        assert self.study.main("--check=no").status == 0
        (self.top / "later").rename(self.study.sessions / ".qxbatch")

    def ledger_hash(self, session: str) -> str:
        """Return the hash of the ledger, with which a journal names its session."""
        return hash_file(str(self.study.session(session) / "qxbatch" / "ledger.tsv"))[1]

    def failed_run(self, *args: str) -> str:
        """Run, check that it fails and changes nothing outside of the study, and return its output."""
        before = snapshot(self.top / "home")
        run = self.study.main("--check=no", *args)
        assert snapshot(self.top / "home") == before
        assert "Traceback" not in run.text
        assert run.status == 1, run.text
        return run.text
