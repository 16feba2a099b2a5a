"""Replaced files without another copy are archived once, also when a run is killed."""

import contextlib
import shutil
from pathlib import Path

import pytest

from qxbatch.publish import replaced as module
from qxbatch.publish.replaced import keep_replaced
from qxbatch.publish.transfer import renamed
from qxbatch.session.ledger import COLUMNS

TAG = "0123456789abcdef"


class KilledError(Exception):
    """Simulates a power failure."""


def sessions(top: Path) -> tuple[Path, Path]:
    """Return a new session and the remains of the old one: two notes, and a file that both contain."""
    session, old = top / "S1", top / "unit" / "old" / "S1"
    for folder in (session / "qxbatch", old / "inbox"):
        folder.mkdir(parents=True)
    (session / "qxbatch" / "ledger.tsv").write_text("\t".join(COLUMNS) + "\n")
    for name in ("a", "b"):
        (old / "inbox" / name).write_text(name)
    (old / "same").write_text("same")
    (session / "same").write_text("same")
    return session, old


def renamed_within_folder(source: Path, target: Path) -> bool:
    """Rename within a folder only, as if all other folders were on another disk."""
    return source.parent == target.parent and renamed(source, target)


def kept(top: Path) -> dict[str, str]:
    return {str(p.relative_to(top)): p.read_text() for p in sorted(top.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("stop", range(8))
@pytest.mark.parametrize("one_disk", [True, False], ids=["one disk", "two disks"])
def test_a_killed_run_leaves_no_second_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_disk: bool, stop: int
) -> None:
    session, old = sessions(tmp_path)
    archive = tmp_path / "archive" / "replaced"
    if not one_disk:
        monkeypatch.setattr(module, "renamed", renamed_within_folder)
    done = 0

    def counted(original):
        def call(*args, **kwargs):
            nonlocal done
            done += 1
            if done > stop:
                raise KilledError
            return original(*args, **kwargs)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", counted(Path.rename))
        patch.setattr(shutil, "rmtree", counted(shutil.rmtree))
        with contextlib.suppress(KilledError):
            keep_replaced(old, session, archive, None, TAG)
    keep_replaced(old, session, archive, None, TAG)
    assert kept(archive) == {"S1-1/inbox/a": "a", "S1-1/inbox/b": "b"}
    assert [p.name for p in archive.iterdir()] == ["S1-1"]


def test_an_interrupted_removal_makes_no_second_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session, old = sessions(tmp_path)
    archive = tmp_path / "archive" / "replaced"
    monkeypatch.setattr(module, "renamed", renamed_within_folder)
    discard = module._discard

    def interrupted(kept: Path, remaining: Path) -> None:
        kept.rename(remaining)
        raise KilledError

    monkeypatch.setattr(module, "_discard", interrupted)
    with pytest.raises(KilledError):
        keep_replaced(old, session, archive, None, TAG)
    monkeypatch.setattr(module, "_discard", discard)
    keep_replaced(old, session, archive, None, TAG)
    assert [p.name for p in archive.iterdir()] == ["S1-1"]
