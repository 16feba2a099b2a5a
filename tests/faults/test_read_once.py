"""A recovery uses a list or a ledger only as it read and compared it, also if somebody replaces the file meanwhile."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from qxbatch.core import Monitor, hash_file, ingest
from qxbatch.verification.session import session_checks
from tests.build.dicom import MrSeries
from tests.build.packets import Kind
from tests.build.study import Study, snapshot
from tests.faults.attack import Attack

FILES = MrSeries(patient="P9").files()


@pytest.fixture
def attack(study: Study) -> Attack:
    attack = Attack(study)
    attack.import_session()
    return attack


def line(path: Path, digest: str = "") -> str:
    status = path.stat()
    digest = digest or hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{status.st_size}\t{status.st_mtime_ns}\t{digest}\t{path.name}\n"


def replace(path: Path, text: str) -> None:
    path.with_name("new").write_text(text)
    path.with_name("new").replace(path)


def rewrite(path: Path, text: str) -> None:
    path.write_text(text)


@pytest.mark.parametrize("change", [replace, rewrite])
def test_a_list_of_taken_files_that_changes_meanwhile_removes_no_last_copy(
    attack: Attack, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path, str], None]
) -> None:
    inbox = attack.study.session("S1") / "inbox"
    first, readme, taken = inbox / "first", inbox / "README", attack.staging / "taken.tsv"
    first.write_bytes(b"first")
    taken.write_text(line(first, "0" * 64) + line(readme))
    attack.forge_journal(sessions=["S1"], ledgers=[attack.ledger_hash("S1")], inbox="S1/inbox", with_inbox=False)

    def change_and_hash(path: str, *, monitor: Monitor | None) -> tuple[int, str]:
        change(taken, line(first))
        return hash_file(path, monitor=monitor)

    monkeypatch.setattr("qxbatch.publish.inbox_removal.hash_file", change_and_hash)
    assert "changed while it was read" in attack.failed_run()
    assert readme.exists()


def with_rows(attack: Attack) -> str:
    """Return the ledger of S1 with a row for each of FILES, at the place of a member that is in the session."""
    text = ledger(attack).read_text()
    at = next(row.split("\t")[6] for row in text.splitlines() if "!" in row)
    for name, data in FILES.items():
        digest = hashlib.sha256(data).hexdigest()
        text += "\t".join((name, str(len(data)), digest, digest, "dicom", "sorted", at, "9", "")) + "\n"
    return text


def ledger(attack: Attack) -> Path:
    return attack.study.session("S1") / "qxbatch" / "ledger.tsv"


@pytest.mark.parametrize("archive", ["delete", "move"])
def test_a_ledger_that_is_replaced_after_it_was_compared_proves_nothing(
    attack: Attack, monkeypatch: pytest.MonkeyPatch, archive: str
) -> None:
    packet = attack.study.put("P9", FILES, Kind.FOLDER)
    attack.forge_journal(
        sessions=["S1"], ledgers=[attack.ledger_hash("S1")], packets=attack.packets(packet), archive=archive
    )

    def replace_and_read(*args: object, **options: object) -> object:
        replace(ledger(attack), with_rows(attack))
        return ingest(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("qxbatch.archive.session_bytes.ingest", replace_and_read)
    assert "after it was compared" in attack.failed_run(f"--archive={archive}", "--sessions=nothing", "--list-all")
    assert sorted(snapshot(packet)) == sorted(FILES)


def test_another_ledger_is_not_compared_with_the_session(attack: Attack, monkeypatch: pytest.MonkeyPatch) -> None:
    packet = attack.study.put("P9", FILES, Kind.FOLDER)
    honest, forged = ledger(attack).read_text(), with_rows(attack)
    replace(ledger(attack), forged)
    attack.forge_journal(sessions=["S1"], ledgers=[attack.ledger_hash("S1")], packets=attack.packets(packet))

    def checks_of_another_ledger(*args: object, **options: object) -> object:
        replace(ledger(attack), honest)
        try:
            return session_checks(*args, **options)  # type: ignore[arg-type]
        finally:
            replace(ledger(attack), forged)

    monkeypatch.setattr("qxbatch.pipeline.check_published.session_checks", checks_of_another_ledger)
    assert "is no longer the session that was made from its packets" in attack.failed_run(
        "--archive=delete", "--sessions=nothing"
    )
    assert sorted(snapshot(packet)) == sorted(FILES)
