"""Decide what happens to a packet, for every combination of facts."""

from itertools import product

import pytest

from qxbatch.archive.decision import ArchivingFacts, Decision, Reason, decide_archiving
from qxbatch.settings.model import Archive

NAMES = (
    "has_errors",
    "is_damaged",
    "is_published",
    "has_changed",
    "has_extra_bytes",
    "has_external_links",
    "was_split",
    "folder_mode",
    "was_imported_before",
)
EVERY = [
    ArchivingFacts(archive, **dict(zip(NAMES, values, strict=True)))
    for archive in Archive
    for values in product((False, True), repeat=len(NAMES))
]
TABLE = [
    # published, damaged, changed, failed: the result for move, copy, leave, delete
    (True, False, False, False, "move copy leave delete", Reason.AS_REQUESTED),
    (True, False, False, True, "move copy leave move", Reason.SERIES_FAILED),
    (True, False, True, False, "keep keep keep keep", Reason.CHANGED),
    (True, False, True, True, "keep keep keep keep", Reason.CHANGED),
    (True, True, False, False, "keep keep keep keep", Reason.DAMAGED),
    (True, True, False, True, "keep keep keep keep", Reason.DAMAGED),
    (True, True, True, False, "keep keep keep keep", Reason.DAMAGED),
    (True, True, True, True, "keep keep keep keep", Reason.DAMAGED),
    *((False, *three, "keep keep keep keep", Reason.NOT_PUBLISHED) for three in product((False, True), repeat=3)),
]


@pytest.mark.parametrize(("published", "damaged", "changed", "failed", "modes", "reason"), TABLE)
@pytest.mark.parametrize("inbox", list(product((False, True), repeat=3)), ids=str)
def test_the_decision_matches_the_table(
    published: bool, damaged: bool, changed: bool, failed: bool, modes: str, reason: Reason, inbox: tuple[bool, ...]
) -> None:
    order = (Archive.MOVE, Archive.COPY, Archive.LEAVE, Archive.DELETE)
    split, folder_mode, was_imported_before = inbox
    for archive, mode in zip(order, modes.split(), strict=True):
        facts = ArchivingFacts(
            archive,
            failed,
            damaged,
            published,
            changed,
            was_split=split,
            folder_mode=folder_mode,
            was_imported_before=was_imported_before,
        )
        decision = decide_archiving(facts)
        assert (decision.mode or "keep") == mode
        assert decision.reason is (Reason.AS_REQUESTED if mode == archive else reason)


def test_the_table_contains_every_combination() -> None:
    assert len({row[:4] for row in TABLE}) == len(TABLE) == 2**4
    assert len(EVERY) == 4 * 2**9


@pytest.mark.parametrize(
    ("split", "was_imported_before", "fates_to_remove"),
    [
        (False, False, ("sorted", "duplicate")),
        (False, True, ("sorted", "duplicate")),
        (True, True, ("sorted", "duplicate")),
        (True, False, ("sorted", "duplicate", "kept")),
    ],
)
def test_loose_files_leave_the_inbox_if_a_session_contains_their_bytes(
    split: bool, was_imported_before: bool, fates_to_remove: tuple[str, ...]
) -> None:
    for facts in EVERY:
        if (facts.was_split, facts.was_imported_before) != (split, was_imported_before):
            continue
        leave = facts.folder_mode and facts.is_published and not facts.is_damaged
        assert decide_archiving(facts).fates_to_remove == (fates_to_remove if leave else ())


def test_a_packet_is_deleted_only_if_it_is_unchanged_and_completely_converted() -> None:
    for facts in EVERY:
        if decide_archiving(facts).mode is Archive.DELETE:
            assert facts.requested_mode is Archive.DELETE
            assert facts.is_published
            assert (facts.has_errors, facts.is_damaged, facts.has_changed, facts.has_extra_bytes) == (False,) * 4
            assert not facts.has_external_links


@pytest.mark.parametrize("archive", list(Archive))
def test_a_packet_imported_from_the_archive_stays_there(archive: Archive) -> None:
    decision = decide_archiving(ArchivingFacts(archive, is_in_archive=True))
    assert decision.mode is Archive.LEAVE


def test_a_packet_with_bytes_outside_its_members_is_moved_instead_of_deleted() -> None:
    decision = decide_archiving(ArchivingFacts(Archive.DELETE, has_extra_bytes=True))
    assert (decision.mode, decision.reason) == (Archive.MOVE, Reason.EXTRA_BYTES)


def test_a_packet_with_links_is_moved_instead_of_deleted() -> None:
    decision = decide_archiving(ArchivingFacts(Archive.DELETE, has_external_links=True))
    assert (decision.mode, decision.reason) == (Archive.MOVE, Reason.EXTERNAL_LINKS)


def test_a_packet_whose_kept_files_changed_is_moved_instead_of_deleted() -> None:
    decision = decide_archiving(ArchivingFacts(Archive.DELETE, kept_files_changed=True))
    assert (decision.mode, decision.reason) == (Archive.MOVE, Reason.KEPT_FILES_CHANGED)


def test_the_default_is_the_requested_mode() -> None:
    assert decide_archiving(ArchivingFacts(Archive.MOVE)) == Decision(Archive.MOVE)


@pytest.mark.parametrize(
    ("archive", "mode"), [("move", "leave"), ("delete", "leave"), ("copy", "copy"), ("leave", "leave")]
)
@pytest.mark.parametrize("failed", [False, True])
def test_nothing_leaves_a_linked_inbox(archive: str, mode: str, failed: bool) -> None:
    decision = decide_archiving(
        ArchivingFacts(Archive(archive), has_errors=failed, is_behind_link=True, folder_mode=True)
    )
    assert (decision.mode, decision.fates_to_remove) == (Archive(mode), ())
    assert decision.reason is (Reason.AS_REQUESTED if archive == mode else Reason.BEHIND_LINK)


@pytest.mark.parametrize(
    ("archive", "mode"), [("move", "leave"), ("delete", "leave"), ("copy", "copy"), ("leave", "leave")]
)
def test_a_packet_with_a_mount_point_stays(archive: str, mode: str) -> None:
    decision = decide_archiving(ArchivingFacts(Archive(archive), has_errors=True, is_mounted=True))
    assert decision.mode == Archive(mode)
    assert decision.reason is (Reason.AS_REQUESTED if archive == mode else Reason.MOUNTED)
