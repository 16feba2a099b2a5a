"""Compares an imported session with the protocol."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qxbatch.acquisition import SeriesVerdict
from qxbatch.ingest.assemble import SortedSession
from qxbatch.model import Conversion
from qxbatch.problems import Code, Problem, Severity
from qxbatch.protocol.check import check_session
from qxbatch.protocol.difference import differences_text
from qxbatch.protocol.model import Protocol
from qxbatch.protocol.scanned import ScannedSeries, ScannedSession
from qxbatch.record.converted import ConvertedSession
from qxbatch.record.scanned import scanned_series
from qxbatch.visible import shell_word


def with_protocol_check(
    protocol: Protocol, sorted_session: SortedSession, converted: ConvertedSession, sessionsfolder: Path
) -> tuple[SortedSession, ConvertedSession]:
    """Return the session, with a warning if it differs from the protocol, and its conversions.

    The conversions of complete series that the protocol expects less often get the verdict `repeated`.
    """
    ordered = sorted(converted.conversions, key=lambda conversion: conversion.series.n)
    check = check_session(protocol, ScannedSession(sorted_session.session.id, tuple(map(_scanned, ordered))))
    if not check.differences:
        return sorted_session, converted
    assert protocol.path is not None
    words = ("qxbatch", "protocol", "check", str(sessionsfolder), f"--protocol={protocol.path}")
    problem = Problem(
        Code.PROTOCOL,
        sorted_session.session.id,
        f"differs from {protocol.path.name}: {differences_text(check.differences)}.",
        "`qxbatch protocol check` lists all differences:",
        Severity.WARNING,
        " ".join(map(shell_word, words)),
    )
    conversions = _with_repeated(converted.conversions, check.repeated_n)
    return replace(sorted_session, problems=(*sorted_session.problems, problem)), converted._replace(
        conversions=conversions
    )


def _scanned(conversion: Conversion) -> ScannedSeries:
    series = conversion.series
    return scanned_series(series.n, series.header, conversion.verdict, conversion.acquisition)


def _with_repeated(conversions: Sequence[Conversion], repeated: frozenset[int]) -> tuple[Conversion, ...]:
    return tuple(
        replace(conversion, verdict=SeriesVerdict.REPEATED) if conversion.series.n in repeated else conversion
        for conversion in conversions
    )
