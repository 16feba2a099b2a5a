"""Summaries are compared without what differs between two imports, if it has the form in which an import writes it."""

from dataclasses import replace
from typing import Any

import pytest

from qxbatch.session.comparable_summary import comparable_text
from qxbatch.session.summary import Summary
from tests.test_session_summary import full_summary

BASE = replace(
    full_summary(),
    qxbatch="0.1.0",
    times={"seconds": 1.5},
    host={"name": "scanhost", "system": "Linux"},
    command="qxbatch /data/sessions --sessions=S1",
)


def text(summary: Summary) -> bytes:
    return summary.to_json().encode("utf-8", "surrogateescape")


WRITTEN: list[dict[str, Any]] = [
    {"qxbatch": "1.20.3"},
    {"qxbatch": "0.2.0-rc.1"},
    {"times": {}, "host": {}, "command": ""},
    {"times": {"seconds": 86400.123}},
    {"host": {"name": "node-17.cluster.local", "system": "Darwin"}},
    {"command": "qxbatch '/my data/sessions' --masterinbox=none --sessions=S1 --deidentify-logs"},
    {"command": "qxbatch sort /data/sessions/S1"},
    {"command": r"""qxbatch '/it'"'"'s' $'--masterinbox=/a\xe2\x80\xaeb\n\'\\ \xe9' --sessions=S1"""},
    {"command": r"qxbatch sort $'/data/a\x09b/S1'"},
    {"command": "qxbatch /data/inbox /data/sessions participant --sessions=S1"},
]


@pytest.mark.parametrize("changes", WRITTEN)
def test_what_another_import_writes_is_equal(changes: dict[str, Any]) -> None:
    assert comparable_text(text(replace(BASE, **changes))) == comparable_text(text(BASE))


EDITED: list[dict[str, Any]] = [
    {"qxbatch": "0.1.0-checked"},
    {"qxbatch": "0.1.0 bad"},
    {"times": {"seconds": 1.23456}},
    {"times": {"seconds": 1.5, "scan": 2.0}},
    {"host": {"name": "scanned by Anna", "system": "Linux"}},
    {"host": {"name": "scanhost", "system": "the old scanner"}},
    {"host": {"name": "scanhost", "system": "Linux", "remark": "bad"}},
    {"command": "my remark"},
    {"command": "qxbatch remark"},
    {"command": "qxbatch /data/sessions --sessions=S1 # bad"},
    {"command": "qxbatch /data/sessions --sessions=S1 bad"},
    {"command": "qxbatch /data/sessions  --sessions=S1"},
    {"command": "qxbatch /data/sessions 'unclosed"},
    {"command": "qxbatch /data/sessions $'--sessions=S1'"},
    {"command": r"qxbatch $'/data/a\tb' --sessions=S1"},
    {"command": r"qxbatch $'/data/a\x09b' bad"},
    {"converters": {"dcm2niix": "remark"}},
]


@pytest.mark.parametrize("changes", EDITED)
def test_another_text_is_an_edit(changes: dict[str, Any]) -> None:
    assert comparable_text(text(replace(BASE, **changes))) != comparable_text(text(BASE))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"{", b'{ "session": "remark",'),
        (b'"name": "scanhost"', b'"name": "remark", "name": "scanhost"'),
        (b'"times": {', b'"times": {"remark": 1,'),
        (b'"seconds": 1.5', b'"seconds": true'),
        (b'"seconds": 1.5', b'"seconds": Infinity'),
        (b'"seconds": 1.5', b'"seconds": 1.50'),
        (b"\n}", b"\n}  "),
        (b"}", b""),
        (b"\n", b"\n# remark\n"),
    ],
)
def test_a_text_that_no_import_writes_is_compared_as_a_whole(old: bytes, new: bytes) -> None:
    assert old in text(BASE)
    edited = text(BASE).replace(old, new, 1)
    assert comparable_text(edited) != comparable_text(text(BASE))


def test_a_name_that_is_not_utf_8_is_compared_too() -> None:
    session = BASE.session._replace(subject="S\udce9")
    one, two = (text(replace(BASE, session=session, times={"seconds": seconds})) for seconds in (1.5, 2.5))
    assert comparable_text(one) == comparable_text(two) != comparable_text(text(BASE))


def test_nested_lists_beyond_the_limit_of_the_interpreter_are_compared_as_text() -> None:
    assert comparable_text(b"[" * 100_000) == b"[" * 100_000
