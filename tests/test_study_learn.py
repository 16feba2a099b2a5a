"""A protocol is learned from the majority of sessions; the others differ from it."""

import random
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from qxbatch.acquisition import ImageKind, SeriesVerdict
from qxbatch.protocol.check import check_session
from qxbatch.protocol.file import read_protocol
from qxbatch.protocol.model import Protocol
from qxbatch.protocol.scanned import ScannedSeries, ScannedSession
from qxbatch.study.learn import learn
from qxbatch.study.proposal import proposal_text
from tests.build.scanned import (
    DWI,
    LOCALIZER,
    PRISMA,
    SHORT,
    SKYRA,
    T1,
    changed,
    series,
    session,
    study,
    usual,
    with_facts,
)


def protocol_of(sessions: Sequence[ScannedSession], tmp_path: Path) -> Protocol:
    """Write the proposed protocol to a file, and return the protocol read from it."""
    path = tmp_path / "protocol.toml"
    path.write_text(proposal_text(learn(sessions)), encoding="utf-8")
    return read_protocol(path)


def differences_of(sessions: Sequence[ScannedSession], tmp_path: Path) -> list[tuple[str, str, str, str | None]]:
    """Return the differences of sessions from the protocol learned from them."""
    protocol = protocol_of(sessions, tmp_path)
    return [
        (each.id, difference.kind.value, difference.field, difference.actual)
        for each in sessions
        for difference in check_session(protocol, each).differences
    ]


def without(name: str) -> Callable[[ScannedSession], ScannedSession]:
    """Return a function that removes a series from a session."""
    return lambda each: changed(each, name, lambda _: [])


def facts(name: str, **changes: object) -> Callable[[ScannedSession], ScannedSession]:
    """Return a function that changes facts of a series in a session."""
    return lambda each: with_facts(each, name, **changes)


def renamed(name: str, each: ScannedSeries) -> list[ScannedSeries]:
    """Return a series under another name."""
    return [replace(each, name=name)]


def test_equal_sessions_do_not_differ(tmp_path: Path) -> None:
    assert differences_of(study(), tmp_path) == []


def test_the_proposal_is_short_and_readable() -> None:
    text = proposal_text(learn(study()))
    assert tomllib.loads(text)["series"][1] == {
        "name": "rest_1",
        "kinds": ["magnitude"],
        "volumes": 300,
        "tr_ms": "2000 ± 1",
        "te_ms": "30 ± 0.1",
        "flip_angle_deg": "77 ± 0.5",
        "matrix": [64, 64, 36],
        "voxel_mm": ["3 ± 0.01", "3 ± 0.01", "3.6 ± 0.01"],
        "phase_encoding_direction": "j-",
        "coil": "Head_32",
    }
    assert [entry["name"] for entry in tomllib.loads(text)["series"]] == ["t1_mprage", "rest_1", "rest_2", "dwi"]
    assert "# What each session of this study should contain, proposed from 12 sessions." in text
    assert '"Siemens Prisma" = ["syngo MR E11"]  # 12 sessions' in text
    assert '#   "localizer"' in text
    assert "[[series]]  # in 12 of 12 sessions" in text


def test_the_same_sessions_in_any_order_give_the_same_bytes() -> None:
    sessions = [*study(7), *study(5, SKYRA), facts("rest_1", tr_ms=2500.0)(usual("S99"))]
    texts = set()
    for seed in range(5):
        random.Random(seed).shuffle(sessions)
        texts.add(proposal_text(learn(sessions)))
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("change", "kind", "field", "value"),
    [
        (without("t1_mprage"), "missing", "count", "0"),
        (facts("rest_1", tr_ms=2500.0), "parameter", "tr_ms", "2500"),
        (facts("rest_1", te_ms=(30.5,)), "parameter", "te_ms", "30.5"),
        (facts("rest_1", te_ms=(15.0, 30.0)), "parameter", "te_ms", "15, 30"),
        (facts("rest_1", flip_angle_deg=70.0), "parameter", "flip_angle_deg", "70"),
        (facts("rest_1", phase_encoding_direction="j"), "parameter", "phase_encoding_direction", "j"),
        (facts("rest_1", matrix=(64, 64, 34)), "parameter", "matrix", "64, 64, 34"),
        (facts("rest_1", coil="Head_20"), "parameter", "coil", "Head_20"),
        (facts("rest_1", multiband_factor=2), "parameter", "multiband_factor", "2"),
        (facts("rest_1", acquired_volumes=150, complete_volumes=150), "volumes", "volumes", "150"),
        (
            facts("rest_1", planned_volumes=None, acquired_volumes=150, complete_volumes=150),
            "volumes",
            "volumes",
            "150",
        ),
        (facts("dwi", b_values=((0.0, 7), (1000.0, 90))), "parameter", "b_values", "b0 x 7, b1000 x 90"),
        (facts("t1_mprage", ti_ms=1100.0), "parameter", "ti_ms", "1100"),
    ],
)
def test_one_defect_gives_one_difference(
    change: Callable[[ScannedSession], ScannedSession], kind: str, field: str, value: str, tmp_path: Path
) -> None:
    sessions = study(5)
    sessions[2] = change(sessions[2])
    assert differences_of(sessions, tmp_path) == [("S03", kind, field, value)]


def test_missing_acceleration_is_found(tmp_path: Path) -> None:
    sessions = [with_facts(each, "rest_1", multiband_factor=3) for each in study(4)]
    assert differences_of([*sessions, usual("S9")], tmp_path) == [("S9", "parameter", "multiband_factor", "1")]


@pytest.mark.parametrize(
    "values",
    [
        [(2.46,), (2.4600001,), (2.46,), (2.4599999,)],
        [(2.98,), (3.0,), (3.02,), (2.98,)],
        [(13.0, 31.26, 49.5), (13.0000001, 31.26, 49.5)],
    ],
)
def test_rounding_errors_and_a_small_spread_are_no_differences(values: list[tuple[float, ...]], tmp_path: Path) -> None:
    sessions = [with_facts(usual(f"S{k}"), "t1_mprage", te_ms=value) for k, value in enumerate(values)]
    assert differences_of(sessions, tmp_path) == []


def test_a_wide_spread_becomes_the_tolerance(tmp_path: Path) -> None:
    sessions = [
        with_facts(usual(f"S{k}"), "t1_mprage", te_ms=(value,)) for k, value in enumerate([3.0, 3.0, 3.05, 3.0])
    ]
    assert [entry["te_ms"] for entry in tomllib.loads(proposal_text(learn(sessions)))["series"][:1]] == ["3 ± 0.05"]
    assert differences_of(sessions, tmp_path) == []


def test_similar_b_values_are_one_shell(tmp_path: Path) -> None:
    shells = [((0.0, 7), (995.0, 12), (1005.0, 18), (2000.0, 60)), ((5.0, 7), (1000.0, 30), (1990.0, 20), (2010.0, 40))]
    sessions = [with_facts(usual(f"S{k}"), "dwi", b_values=shells[k % 2]) for k in range(4)]
    assert differences_of(sessions, tmp_path) == []
    assert tomllib.loads(proposal_text(learn(sessions)))["series"][3]["b_values"] == {"0": 7, "1000": 30, "2000": 60}


def test_a_value_without_a_majority_is_omitted_with_a_comment(tmp_path: Path) -> None:
    sessions = [with_facts(usual(f"S{k}"), "rest_1", tr_ms=2000.0 + 100 * k) for k in range(4)]
    text = proposal_text(learn(sessions))
    assert "[[series]]  # in 4 of 4 sessions; no majority for tr_ms" in text
    assert differences_of(sessions, tmp_path) == []


def test_a_coil_is_proposed_only_if_few_sessions_differ(tmp_path: Path) -> None:
    sessions = [with_facts(usual(f"S{k}"), "rest_1", coil="HEA;HEP" if k % 3 else "HEA") for k in range(9)]
    assert "coil" not in tomllib.loads(proposal_text(learn(sessions)))["series"][1]
    assert differences_of(sessions, tmp_path) == []


def test_a_series_of_half_the_sessions_is_optional(tmp_path: Path) -> None:
    sessions = [each if k % 2 else without("dwi")(each) for k, each in enumerate(study())]
    assert tomllib.loads(proposal_text(learn(sessions)))["series"][-1]["count"] == "0-1"
    assert differences_of(sessions, tmp_path) == []


def test_a_series_of_one_session_is_extra_and_listed_in_a_comment(tmp_path: Path) -> None:
    sessions = study()
    sessions[4] = session("S05", *sessions[4].series, series("t2_flair", 9, T1))
    assert differences_of(sessions, tmp_path) == [("S05", "extra", "count", "1")]
    assert '#   "t2_flair"' in proposal_text(learn(sessions))


def test_names_that_differ_only_in_case_are_equal(tmp_path: Path) -> None:
    sessions = study()
    sessions[2] = changed(sessions[2], "rest_1", lambda scanned: [replace(scanned, name="REST_1")])
    assert differences_of(sessions, tmp_path) == []
    assert tomllib.loads(proposal_text(learn(sessions)))["series"][1]["name"] == "rest_1"


def test_names_that_differ_in_their_digits_become_a_pattern(tmp_path: Path) -> None:
    sessions = [changed(each, "dwi", partial(renamed, f"DWI-{1000 + k}")) for k, each in enumerate(study(6))]
    assert tomllib.loads(proposal_text(learn(sessions)))["series"][-1]["name"] == "DWI-[0-9]*"
    assert differences_of(sessions, tmp_path) == []


def test_an_interrupted_scan_and_its_repeat_are_one_series(tmp_path: Path) -> None:
    def repeated(each: ScannedSeries) -> list[ScannedSeries]:
        return [with_facts(session("", each), each.name, **SHORT).series[0], replace(each, n=90, series_number=9)]

    sessions = [changed(each, "rest_1", repeated) if each.id in ("S02", "S05") else each for each in study(5)]
    assert differences_of(sessions, tmp_path) == [("S02", "repeated", "count", "2"), ("S05", "repeated", "count", "2")]


def test_runs_with_one_name_are_counted(tmp_path: Path) -> None:
    sessions = [changed(each, "rest_2", lambda scanned: [replace(scanned, name="rest_1")]) for each in study(6)]
    sessions[0] = changed(sessions[0], "rest_1", lambda scanned: [scanned] if scanned.series_number == 3 else [])
    assert tomllib.loads(proposal_text(learn(sessions)))["series"][1]["count"] == 2
    assert differences_of(sessions, tmp_path) == [("S01", "missing", "count", "1")]


def test_magnitude_and_phase_with_one_name_are_two_entries(tmp_path: Path) -> None:
    phase = replace(DWI, kinds=(ImageKind.PHASE,), b_values=None)
    sessions = [session(each.id, *each.series, series("dwi", 6, phase)) for each in study(4)]
    assert [entry["kinds"] for entry in tomllib.loads(proposal_text(learn(sessions)))["series"][-2:]] == [
        ["magnitude"],
        ["phase"],
    ]
    sessions[1] = session("S02", *sessions[1].series[:-1])
    assert differences_of(sessions, tmp_path) == [("S02", "missing", "count", "0")]


def test_values_of_two_scanners_are_in_separate_sections(tmp_path: Path) -> None:
    skyra = [with_facts(usual(f"K{k}", SKYRA), "rest_1", tr_ms=2500.0) for k in range(4)]
    skyra[1] = with_facts(skyra[1], "rest_1", tr_ms=2000.0)
    sessions = [*study(6), *skyra]
    entry = tomllib.loads(proposal_text(learn(sessions)))["series"][1]
    assert entry["scanner"] == {PRISMA: {"tr_ms": "2000 ± 1"}, SKYRA: {"tr_ms": "2500 ± 1"}}
    assert "tr_ms" not in entry
    assert differences_of(sessions, tmp_path) == [("K1", "parameter", "tr_ms", "2000")]


@pytest.mark.parametrize("other_sessions", [[], study(4, SKYRA)], ids=["one-group", "two-groups"])
def test_sessions_of_two_scanners_do_not_differ_from_their_protocol(
    other_sessions: list[ScannedSession], tmp_path: Path
) -> None:
    def on_skyra(each: ScannedSeries) -> Iterator[ScannedSeries]:
        yield replace(each, scanner=SKYRA)

    sessions = [changed(each, "t1_mprage", on_skyra) for each in study(5)]
    sessions += [replace(each, id=f"K{each.id}") for each in other_sessions]
    protocol = protocol_of(sessions, tmp_path)
    assert protocol.scanners == {PRISMA: ("syngo MR E11",), SKYRA: ("syngo MR E11",)}
    assert [check_session(protocol, each).differences for each in sessions] == [()] * len(sessions)


def test_scanners_with_other_series_names_have_separate_series(tmp_path: Path) -> None:
    ge = "GE DISCOVERY MR750"
    others = [session(f"G{k}", series("Ax T1", 2, T1, scanner=ge), series("fMRI", 3, scanner=ge)) for k in range(3)]
    others[2] = session("G2", others[2].series[0])
    sessions = [*study(4), *others]
    assert differences_of(sessions, tmp_path) == [("G2", "missing", "count", "0")]


def test_a_series_missing_in_the_only_session_of_a_scanner_is_found(tmp_path: Path) -> None:
    sessions = [*study(6), without("dwi")(usual("X1", SKYRA))]
    assert differences_of(sessions, tmp_path) == [("X1", "missing", "count", "0")]


def test_a_scanner_with_few_sessions_shares_a_series_whose_name_has_other_digits(tmp_path: Path) -> None:
    sessions = [changed(each, "dwi", partial(renamed, f"DWI-{1000 + k}")) for k, each in enumerate(study(6))]
    sessions.append(changed(without("t1_mprage")(usual("X1", SKYRA)), "dwi", partial(renamed, "DWI-7")))
    assert differences_of(sessions, tmp_path) == [("X1", "missing", "count", "0")]
    assert '[[series]]  # in 7 of 7 sessions\nname = "DWI-[0-9]*"' in proposal_text(learn(sessions))


def test_known_software_versions_are_listed_and_a_new_one_is_reported_once(tmp_path: Path) -> None:
    upgraded = [replace(with_facts(each, "rest_1", software="XA30")) for each in study(4)]
    for name in ("t1_mprage", "rest_2", "dwi"):
        upgraded = [with_facts(each, name, software="XA30") for each in upgraded]
    assert differences_of([*study(4), *(replace(each, id=f"U{each.id}") for each in upgraded)], tmp_path) == []
    protocol = protocol_of(study(4), tmp_path)
    assert [each.field for each in check_session(protocol, upgraded[0]).differences] == ["software"]


def test_a_single_session_equals_its_protocol(tmp_path: Path) -> None:
    assert differences_of([usual("S1")], tmp_path) == []
    assert "check each value" in proposal_text(learn([usual("S1")]))


def test_the_planned_volumes_of_an_interrupted_scan_are_proposed(tmp_path: Path) -> None:
    short = with_facts(usual("S1"), "rest_1", **SHORT)
    assert differences_of([short], tmp_path) == [("S1", "volumes", "volumes", "212")]


def test_a_screen_capture_with_the_name_of_a_scan_is_no_repeat(tmp_path: Path) -> None:
    nameless = replace(T1, kinds=None)
    screen = replace(series("anonymous", 9, nameless), verdict=SeriesVerdict.NOT_EVALUABLE)
    sessions = [session(f"S{k}", series("anonymous", 2, nameless), screen) for k in range(3)]
    assert differences_of(sessions, tmp_path) == []


def test_no_sessions_give_an_empty_protocol() -> None:
    assert learn([]).protocol == Protocol(())
    assert learn([session("S1", series("localizer", 1, LOCALIZER))]).protocol.series == ()


def test_wildcards_and_quotes_in_names_are_escaped(tmp_path: Path) -> None:
    names = ['t2*_gre "x" [1]?', "a\\b\n#c", "naïve ± 頭"]
    sessions = [session(f"S{k}", *(series(name, n) for n, name in enumerate(names, 2))) for k in range(3)]
    assert differences_of(sessions, tmp_path) == []
    assert [entry.is_pattern for entry in protocol_of(sessions, tmp_path).series] == [False] * 3


def test_a_series_of_a_small_group_that_no_entry_matches_is_listed() -> None:
    skyra = usual("K1", SKYRA)
    extra = replace(skyra.series[2], name="extra_scan")
    learned = learn([*study(12), replace(skyra, series=(*skyra.series, extra))])
    assert learned.rare_series == ("extra_scan",)
    assert not any(entry.matches_name("extra_scan") for entry in learned.protocol.series)
