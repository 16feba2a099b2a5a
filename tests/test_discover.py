"""What lies in the inbox, and what is to be done with it."""

import os
from pathlib import Path
from typing import Any

import pytest

from qxbatch.discover.candidates import candidates
from qxbatch.discover.fingerprint import fingerprint
from qxbatch.model import Fingerprint, Verdict
from qxbatch.problems import Code, UsageError
from qxbatch.settings.parse import parse


def sniff(path: str) -> str:
    """By name, in place of the core."""
    name = os.path.basename(path).casefold()  # noqa: PTH119 - text, as the core is given it
    for kind, ending in (("par", ".par"), ("rec", ".rec"), ("dicom", ".dcm"), ("other", ".md5"), ("empty", ".part")):
        if name.endswith(ending):
            return kind
    known = (".zip", ".tar", ".gz", ".tgz", ".tarz", ".bzip2", ".z")
    return "zip" if name.endswith(known) else "other"


class Place:
    """A sessions folder whose inbox is filled by the test."""

    def __init__(self, root: Path) -> None:
        self.sessions = root / "sessions"
        self.inbox = self.sessions / "inbox/MR"
        self.inbox.mkdir(parents=True)

    def put(self, *names: str) -> "Place":
        """Files, and folders (names that end in /) with one file each."""
        for name in names:
            path = self.inbox / name
            if name.endswith("/"):
                path.mkdir()
                (path / "1").write_text("x")
            else:
                path.write_text("x")
        return self

    def session(self, path: str, text: str | None = None) -> "Place":
        """A file, or an empty folder, below the sessions folder."""
        place = self.sessions / path
        if text is None:
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return self

    def candidates(self, now_ns: int | None = None, **given: str) -> list[Any]:
        settings = parse({"sessionsfolder": str(self.sessions), **given}).settings
        clock = {} if now_ns is None else {"now_ns": lambda: now_ns}
        return candidates(settings, sniff=sniff, **clock)

    def found(self, **given: str) -> dict[str, tuple[Verdict, str | None]]:
        """Verdict and session id by name."""
        return {
            each.path.name: (each.verdict, each.session.id if each.session else None)
            for each in self.candidates(None, **given)
        }

    def one(self, now_ns: int | None = None, **given: str) -> Any:
        [each] = self.candidates(now_ns, **given)
        return each


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "OP386/",
        "OP386.zip",
        "OP386.ZIP",
        "OP386.tar",
        "OP386.tar.gz",
        "OP386.Tar.GZ",
        "OP386.tgz",
        "OP386.tarz",
        "OP386.tar.bzip2",
        "OP386.tar.Z",
    ],
)
def test_the_default_pattern_takes_the_extensions_off(place: Place, name: str) -> None:
    each = place.put(name).one()
    assert (each.verdict, each.session.id, each.packet.name) == (Verdict.READY, "OP386", "OP386")
    assert each.packet.path == place.inbox / name.rstrip("/")


def test_an_empty_or_absent_inbox_holds_nothing(place: Place) -> None:
    assert place.candidates() == []
    place.inbox.rmdir()
    assert place.candidates() == []


def test_everything_is_reported_and_our_own_files_are_left_out(place: Place) -> None:
    place.put(".DS_Store", ".hidden.zip", "README", "AP1.zip", ".qxbatch-lock", "b.part", "empty/")
    assert [each.path.name for each in place.candidates()] == [
        ".DS_Store",
        ".hidden.zip",
        "AP1.zip",
        "README",
        "b.part",
        "empty",
    ]


def test_a_stray_file_takes_part_in_nothing(place: Place) -> None:
    found = place.put("OP386.tar.gz", "OP386.tar.gz.md5", "OP386.part").found()
    assert found["OP386.tar.gz"] == (Verdict.READY, "OP386")
    assert found["OP386.tar.gz.md5"][0] is Verdict.STRAY
    assert found["OP386.part"][0] is Verdict.STRAY


def test_a_pattern_that_finds_no_name(place: Place) -> None:
    found = place.put("Yale-AP4983.zip", "AP1.zip", "Yale-.zip").found(pattern=r".*?-(?P<packet_name>.*?)($|\..*$)")
    assert found["Yale-AP4983.zip"] == (Verdict.READY, "AP4983")
    assert found["AP1.zip"][0] is Verdict.NO_NAME
    assert found["Yale-.zip"][0] is Verdict.NO_NAME


def test_the_older_group_name_of_the_pattern(place: Place) -> None:
    assert place.put("AP1.zip").found(pattern=r"(?P<session_id>.*?)\..*")["AP1.zip"] == (Verdict.READY, "AP1")


def test_a_name_format_with_a_session(place: Place) -> None:
    given = {"pattern": r".*?-(?P<packet_name>.*?)($|\..*$)", "nameformat": "(?P<subject_id>.*?)_(?P<session_name>.*)"}
    found = place.put("Yale-AP4876_Baseline.zip", "Yale-AP4877").found(**given)
    assert found["Yale-AP4876_Baseline.zip"] == (Verdict.READY, "AP4876_Baseline")


def test_a_name_that_is_not_parsed(place: Place) -> None:
    each = place.put("AP4877.zip").one(nameformat="(?P<subject_id>.*?)_(?P<session_name>.*)")
    assert each.verdict is Verdict.NOT_PARSED
    assert "AP4877" in each.note


def test_a_logfile_names_the_sessions(place: Place, tmp_path: Path) -> None:
    table = tmp_path / "log.csv"
    table.write_text("AP1789,S001,baseline\nAP1790,,x\n")
    logfile = f"path:{table}|packet_name:1|subject_id:2|session_name:3"
    found = place.put("AP1789.zip", "AP1790.zip", "AP1791.zip").found(logfile=logfile)
    assert found == {
        "AP1789.zip": (Verdict.READY, "S001_baseline"),
        "AP1790.zip": (Verdict.NOT_PARSED, None),
        "AP1791.zip": (Verdict.NO_MATCH_IN_LOG, None),
    }


@pytest.mark.parametrize(
    ("sessions", "ready"),
    [
        ("AP.*,HQ.*", {"AP1.zip", "AP10.zip", "HQ2"}),
        ("AP1", {"AP1.zip"}),
        ("AP[1,9]", {"AP1.zip"}),
        ("S00.*", {"AP1.zip", "AP10.zip"}),
        (".*_baseline", {"AP1.zip"}),
        ("", {"AP1.zip", "AP10.zip", "HQ2"}),
    ],
)
def test_the_sessions_filter_matches_whole_ids_or_whole_packet_names(
    place: Place, tmp_path: Path, sessions: str, ready: set[str]
) -> None:
    table = tmp_path / "log.csv"
    table.write_text("AP1,S001,baseline\nAP10,S001,other\nHQ2,T1,\n")
    logfile = f"path:{table}|packet_name:1|subject_id:2|session_name:3"
    found = place.put("AP1.zip", "AP10.zip", "HQ2/").found(logfile=logfile, sessions=sessions)
    assert {name for name, (verdict, _) in found.items() if verdict is Verdict.READY} == ready
    assert all(verdict in (Verdict.READY, Verdict.FILTERED) for verdict, _ in found.values())


@pytest.mark.parametrize(
    ("given", "ready"),
    [
        ({"participant_label": "01"}, {"sub-01_ses-a", "01_b"}),
        ({"participant_label": "sub-01,02"}, {"sub-01_ses-a", "01_b", "02_a"}),
        ({"session_label": "a"}, {"sub-01_ses-a", "02_a"}),
        ({"participant_label": "01", "session_label": "ses-b"}, {"01_b"}),
    ],
)
def test_labels_choose_subjects_and_sessions_with_or_without_their_prefix(
    place: Place, given: dict[str, str], ready: set[str]
) -> None:
    place.put("sub-01_ses-a/", "01_b/", "02_a/")
    found = place.found(nameformat="(?P<subject_id>.*?)_(?P<session_name>.*)", **given)
    assert {name for name, (verdict, _) in found.items() if verdict is Verdict.READY} == ready


@pytest.mark.parametrize("name", ["inbox/", "QC.zip", "a:b/", "-x.zip", ".hidden/"])
def test_names_that_no_session_may_have_are_refused(place: Place, name: str) -> None:
    each = place.put(name).one()
    assert each.verdict is Verdict.REFUSED
    assert each.problem.code is Code.BAD_NAME
    assert each.packet is None


# sessions that exist


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("AP1/inbox", None),
        ("AP1/session.txt", ""),
        ("AP1/dicom/10/1.dcm", "x"),
        ("AP1/nii/11.nii.gz", "x"),
        ("AP1/dicom", "x"),
    ],
)
def test_a_session_that_exists_is_left_alone_and_says_what_to_do(place: Place, path: str, text: str | None) -> None:
    place.put("AP1.zip").session(path, text)
    each = place.one()
    assert each.verdict is Verdict.ALREADY_THERE
    assert "--overwrite=yes" in each.note
    assert place.one(overwrite="yes").verdict is Verdict.READY


@pytest.mark.parametrize("path", ["AP1", "AP1/dicom", "AP1/nii/sub", "AP1/hcp", "AP10/inbox"])
def test_empty_folders_and_other_steps_are_no_session(place: Place, path: str) -> None:
    assert place.put("AP1.zip").session(path).one().verdict is Verdict.READY


def test_two_packets_of_a_session_that_exists_are_both_already_there(place: Place) -> None:
    found = place.put("AP1.zip", "AP1.tar").session("AP1/inbox").found()
    assert {verdict for verdict, _ in found.values()} == {Verdict.ALREADY_THERE}


def test_two_packets_of_one_session_are_both_refused_and_named(place: Place) -> None:
    found = {each.path.name: each for each in place.put("OP1/", "OP1.zip", "OP2.zip").candidates()}
    assert found["OP2.zip"].verdict is Verdict.READY
    for name, other in (("OP1", "OP1.zip"), ("OP1.zip", "OP1")):
        assert found[name].verdict is Verdict.REFUSED
        assert found[name].problem.code is Code.SAME_SESSION
        assert other in found[name].problem.message


def test_two_packets_of_one_session_are_merged_on_request(place: Place) -> None:
    found = place.put("OP1/", "OP1.zip").candidates(on_same_session="merge")
    assert [each.verdict for each in found] == [Verdict.READY, Verdict.READY]
    assert {each.session.id for each in found} == {"OP1"}


def test_a_par_and_its_rec_are_one_packet(place: Place) -> None:
    found = place.put("S1.PAR", "s1.rec", "S2.REC").candidates()
    assert [(each.path.name, each.verdict) for each in found] == [
        ("S1.PAR", Verdict.READY),
        ("S2.REC", Verdict.STRAY),
        ("s1.rec", Verdict.READY),
    ]
    assert [each.session and each.session.id for each in found] == ["S1", None, "S1"]


def test_a_par_and_a_folder_of_the_same_name_are_two_packets(place: Place) -> None:
    assert {verdict for verdict, _ in place.put("S1.PAR", "S1.REC", "S1/").found().values()} == {Verdict.REFUSED}


# what the file system does


def test_links_are_followed_to_files_and_folders_and_said_so(place: Place, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far.zip").write_text("x")
    (place.inbox / "AP1").symlink_to(tmp_path / "far")
    (place.inbox / "AP2.zip").symlink_to(tmp_path / "far.zip")
    (place.inbox / "AP3.zip").symlink_to("nowhere")
    found = {each.path.name: each for each in place.candidates()}
    assert [found[name].verdict for name in ("AP1", "AP2.zip", "AP3.zip")] == [
        Verdict.READY,
        Verdict.READY,
        Verdict.STRAY,
    ]
    assert str(tmp_path / "far") in found["AP1"].note
    assert "nowhere" in found["AP3.zip"].note


def test_what_is_neither_file_nor_folder_is_never_opened(place: Place) -> None:
    os.mkfifo(place.inbox / "AP1.zip")
    assert place.one().verdict is Verdict.STRAY


def test_a_loop_of_links_is_reported(place: Place) -> None:
    (place.inbox / "AP1").symlink_to("AP1")
    each = place.one()
    assert each.verdict is Verdict.REFUSED
    assert each.problem.code is Code.UNREADABLE


def test_a_folder_that_holds_the_sessions_is_no_packet(tmp_path: Path) -> None:
    (tmp_path / "in/out").mkdir(parents=True)
    (tmp_path / "in/AP1").mkdir()
    settings = parse({"masterinbox": str(tmp_path / "in"), "sessionsfolder": str(tmp_path / "in/out")}).settings
    found = {each.path.name: each.verdict for each in candidates(settings, sniff=sniff)}
    assert found == {"AP1": Verdict.READY, "out": Verdict.STRAY}


def test_an_inbox_that_is_a_file_is_wrong_usage(place: Place) -> None:
    place.inbox.rmdir()
    place.inbox.write_text("x")
    with pytest.raises(UsageError, match="cannot be listed"):
        place.candidates()


def test_a_name_that_is_no_text_is_refused_not_lost(place: Place) -> None:
    (place.inbox / "AP\udcff").mkdir()
    assert place.one().problem.code is Code.BAD_NAME


def test_a_packet_that_changed_a_moment_ago_waits(place: Place) -> None:
    place.put("AP1/")
    newest = fingerprint(place.inbox / "AP1").mtime_ns
    waiting = place.one(settle="60", now_ns=newest + 59 * 10**9)
    assert (waiting.verdict, waiting.packet) == (Verdict.FILTERED, None)
    assert "--settle" in waiting.note
    assert place.one(settle="60", now_ns=newest + 61 * 10**9).verdict is Verdict.READY


@pytest.mark.parametrize("settle", ["0", "60"])
def test_a_clock_that_jumped_back_holds_nothing_up(place: Place, settle: str) -> None:
    place.put("AP1/")
    newest = fingerprint(place.inbox / "AP1").mtime_ns
    assert place.one(settle=settle, now_ns=newest - 10**12).verdict is Verdict.READY


# fingerprints


def test_the_fingerprint_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("abc")
    os.utime(tmp_path / "a", ns=(5, 7))
    assert fingerprint(tmp_path / "a") == Fingerprint(1, 3, 7)


def test_the_fingerprint_of_a_folder_counts_everything_below_and_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "p/sub").mkdir(parents=True)
    (tmp_path / "p/sub/a").write_text("abc")
    (tmp_path / "p/.b").write_text("de")
    (tmp_path / "p/link").symlink_to(tmp_path)
    for path, time in (("p/sub/a", 9), ("p/.b", 3), ("p/sub", 1), ("p", 2)):
        os.utime(tmp_path / path, ns=(time, time))
    os.utime(tmp_path / "p/link", ns=(4, 4), follow_symlinks=False)
    assert fingerprint(tmp_path / "p") == Fingerprint(3, 5 + len(str(tmp_path)), 9)


@pytest.mark.parametrize("change", ["add", "remove", "rewrite", "touch", "rename"])
def test_any_change_changes_the_fingerprint(tmp_path: Path, change: str) -> None:
    file = tmp_path / "a"
    file.write_text("abc")
    os.utime(file, ns=(1, 1))
    os.utime(tmp_path, ns=(1, 1))
    before = fingerprint(tmp_path)
    if change == "add":
        (tmp_path / "b").touch()
    elif change == "remove":
        file.unlink()
    elif change == "rewrite":
        file.write_text("abd")
    elif change == "touch":
        os.utime(file, ns=(2, 2))
    else:
        file.rename(tmp_path / "c")
    assert fingerprint(tmp_path) != before
