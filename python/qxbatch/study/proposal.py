"""A proposed protocol as the text of protocol.toml."""

from qxbatch.counted import counted
from qxbatch.protocol.text import comment_lines, protocol_text
from qxbatch.study.groups import FEWEST_SESSIONS
from qxbatch.study.learn import LearnedProtocol


def proposal_text(learned: LearnedProtocol) -> str:
    """Return the text of the file; the same sessions give the same text."""
    total = sum(learned.session_counts.values())
    head = [
        f"What each session of this study should contain, proposed from {counted(total, 'session')}.",
        "Read it, correct it, then run `qxbatch protocol check`. docs/protocol.md explains every key.",
    ]
    if total < FEWEST_SESSIONS:
        head.append("So few sessions have no majority: check each value.")
    head += comment_lines("Not in this file, since too few sessions have them", learned.rare_series)
    head += comment_lines(
        "Not in this file, since their volumes cannot be counted (localizers, reports, saved screens and others)",
        learned.not_evaluable_series,
    )
    notes = {scanner: counted(count, "session") for scanner, count in learned.session_counts.items()}
    return protocol_text(learned.protocol, head, notes)
