"""A study that is exported to BIDS: sessions, rules and a data set."""

import shutil
from pathlib import Path
from typing import Self

from tests.build.bids import Scan, session
from tests.build.study import Run, run_main

RULES = """
[[rule]]
match = { name = "t1" }
as = "anat/T1w"
[[rule]]
match = { name = "rest" }
as = "func/task-rest_bold"
[[rule]]
match = { name = "localizer" }
ignore = "localizer"
"""
SCANS = (Scan(1, "localizer", "09:59:00"), Scan(2, "t1", "10:00:00"), Scan(3, "rest", "10:10:00", 100, volumes=3))
T1 = "sub-S1/anat/sub-S1_T1w"
BOLD = "sub-S1/func/sub-S1_task-rest_bold"


class BidsStudy:
    """Sessions, rules and a data set."""

    def __init__(self, root: Path) -> None:
        self.sessions, self.bids, self.rules = root / "sessions", root / "bids", root / "rules.toml"
        if not self.rules.exists():
            self.sessions.mkdir(parents=True)
            self.rules.write_text(RULES)

    @classmethod
    def copied(cls, template: Path, root: Path) -> Self:
        """Copy the folder of a study."""
        shutil.copytree(template, root, symlinks=True)
        return cls(root)

    def add(self, name: str, *scans: Scan, ses: str | None = None, subject: str = "") -> None:
        """Write a session."""
        session(self.sessions, name, *(scans or SCANS), ses=ses, subject=subject)

    @property
    def words(self) -> list[str]:
        """Return the arguments of the export."""
        return ["bids", str(self.sessions), str(self.bids), f"--rules={self.rules}"]

    def run(self, *words: str) -> Run:
        """Export."""
        return run_main(*self.words, *words)

    def tree(self) -> dict[str, bytes]:
        """Return all files of the data set by path."""
        files = (path for path in sorted(self.bids.rglob("*")) if path.is_file())
        return {path.relative_to(self.bids).as_posix(): path.read_bytes() for path in files}

    def set_labels(self, **labels: str) -> None:
        """Write the labels of subjects, by the names of the sessions, into the rule file; they replace earlier ones."""
        table = ", ".join(f'{name} = "{label}"' for name, label in labels.items())
        lines = self.rules.read_text().splitlines(keepends=True)
        rules = "".join(line for line in lines if not line.startswith("labels.subjects"))
        self.rules.write_text(f"labels.subjects = {{ {table} }}\n{rules}")

    def change_rules(self, before: str, after: str) -> None:
        """Replace a part of the rule file."""
        text = self.rules.read_text()
        assert before in text
        self.rules.write_text(text.replace(before, after))
