"""Archives the packets of a unit after its sessions are published. First checks each packet again.

A unit is the packets that are imported together. Its journal says how to archive them.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from qxbatch.archive.aside import (
    ChangedError,
    current_path,
    finish_partial_move,
    finish_removal,
    has_all_files,
    link_depth,
    mount_at,
    restore_name,
    undo_partial_move,
)
from qxbatch.archive.decision import KEEPING, ArchivingFacts, Reason, decide_archiving, safer_mode
from qxbatch.archive.inside import is_in_archive, is_outside
from qxbatch.archive.names import NAME_LOCK, number_of_partner
from qxbatch.archive.packet import archive_packet, devices_of, remove_emptied_folders, remove_partial_copy
from qxbatch.archive.same_packet import SamePacketCheck
from qxbatch.archive.session_bytes import SessionBytes
from qxbatch.pipeline.delivery_problems import (
    archiving_problem,
    changed_packet_problem,
    missing_devices_warning,
    mounted_packet_warning,
    moved_packet_warning,
    packet_in_original_warning,
    unreadable_packet_problem,
    vanished_packet_problem,
)
from qxbatch.problems import Code, Problem
from qxbatch.publish.journal import Journal, JournaledPacket
from qxbatch.publish.locks import Locks
from qxbatch.publish.workspace import Workspace
from qxbatch.settings.model import Archive, Settings


def archive_packets(
    journal: Journal,
    workspace: Workspace,
    locks: Locks,
    check_lock: Callable[[], None],
    session_bytes: SessionBytes,
    *,
    published: bool,
    read_by_this_run: bool,
    settings: Settings,
) -> tuple[dict[Path, Path | None], list[Problem]]:
    """Archive the packets of a journal; return where each packet, or its copy, is now (None: it no longer exists), and problems.

    A packet that could not or must not be archived has no entry.

    `session_bytes`: the bytes of the journal's sessions. `published`: these sessions exist and were checked. `read_by_this_run`:
    the packets were read by this run, not by a previous one. `settings`: those of this run, for its option --archive and for the
    commands of problems.

    Raises PacketError if another run took over the unit's lock, OSError, ValueError for a damaged ledger, and CancelledError as
    `SessionBytes`.
    """
    paths_after_archiving: dict[Path, Path | None] = {}
    problems: list[Problem] = []
    tag = workspace.hidden_name_tag(journal.unit)
    # a link is archived before the packet that it leads to
    for journaled in sorted(journal.packets, key=lambda each: -link_depth(each.packet.path, tag)):
        check_lock()
        archiving = _PacketArchiving(
            journaled, journal, workspace, locks, published=published, read_by_this_run=read_by_this_run
        )
        archiving.use_number_of_partner(paths_after_archiving, session_bytes)
        archiving.apply_current_archive_option(settings)
        if archiving.is_of_original:
            problems += archiving.keep_in_original(settings)
            continue
        archiving.keep_if_mounted(settings)
        result = archiving.run(session_bytes)
        problems += archiving.warnings
        if isinstance(result, Problem):
            problems.append(result)
        elif not isinstance(result, _StaysInPlace):
            paths_after_archiving[journaled.packet.path] = result
    return paths_after_archiving, problems


class _StaysInPlace:
    """The result for a packet that stays where it is, for a reason that was reported before."""


class _PacketArchiving:
    """The archiving of one packet: moved, copied, left in place or deleted."""

    def __init__(
        self,
        journaled: JournaledPacket,
        journal: Journal,
        workspace: Workspace,
        locks: Locks,
        *,
        published: bool,
        read_by_this_run: bool,
    ) -> None:
        self.packet = journaled.packet
        self.path = journaled.packet.path
        self.number = journaled.number
        """The number of its name in the archive, if one was chosen before the import, or for the other file of its PAR/REC
        pair; else None."""
        self.journal = journal
        self.sessionsfolder = workspace.sessionsfolder
        self.archive = workspace.archive_folder
        self.tag = workspace.hidden_name_tag(journal.unit)
        """Part of the hidden names that the packet gets while it is archived."""
        self.name_lock = partial(locks.acquired, NAME_LOCK)
        self.read_by_this_run = read_by_this_run
        self._is_copied_study = not read_by_this_run and journal.is_of_copied_study(workspace)
        self.warnings: list[Problem] = []
        self.facts = ArchivingFacts(
            journal.requested_mode,
            has_errors=journal.has_errors,
            is_damaged=journal.is_damaged,
            has_extra_bytes=journal.has_extra_bytes,
            has_external_links=journal.has_external_links,
            is_in_archive=is_in_archive(self.path, self.archive),
            is_behind_link=journal.is_behind_link,
            is_published=published,
        )

    def use_number_of_partner(self, archived_paths: Mapping[Path, Path | None], session_bytes: SessionBytes) -> None:
        """Use the number of the other file of a PAR/REC pair, if none was chosen (`number_of_partner`). Raises ValueError."""

        def is_own(path: Path) -> bool:
            return self.read_by_this_run or session_bytes.read_packet(path).is_contained

        if self.number is None:
            with contextlib.suppress(OSError):
                self.number = number_of_partner(self.path.name, archived_paths, is_own)

    def apply_current_archive_option(self, settings: Settings) -> None:
        """For a packet of a killed run, use the --archive option of this run if it keeps more than that of the killed run.

        This is done only if the killed run did not move or remove a file of the packet.
        """
        if not self.read_by_this_run and has_all_files(self.path, self.tag):
            is_given = any(name == "archive" and value for name, value in settings.command_line)
            mode = safer_mode(self.facts.requested_mode, settings.archive, is_given=is_given)
            self.facts = self.facts._replace(requested_mode=mode)

    @property
    def is_of_original(self) -> bool:
        """Whether this study is a copy of the one whose run was killed, and the packet would be taken from outside of the copy."""
        return (
            self._is_copied_study
            and self.facts.requested_mode not in KEEPING
            and is_outside(self.path, self.sessionsfolder)
        )

    def keep_in_original(self, settings: Settings) -> list[Problem]:
        """Leave the packet as it is, even under a hidden name; return a warning if its session was written."""
        return [packet_in_original_warning(self.path, self.journal, settings)] if self.facts.is_published else []

    def keep_if_mounted(self, settings: Settings) -> None:
        """Let the packet stay if something is mounted on it, in it, or on a folder between it and its inbox."""
        mount = mount_at(self.path, self.tag, self.journal.session_inbox)
        self.facts = self.facts._replace(is_mounted=mount is not None)
        if mount is not None and decide_archiving(self.facts).reason is Reason.MOUNTED:
            self.warnings.append(mounted_packet_warning(self.path, mount, self.journal, settings))

    def run(self, session_bytes: SessionBytes) -> Path | Problem | _StaysInPlace | None:
        """Archive the packet; return where it, or its copy, is now (None: it no longer exists), or why it was not archived.

        `_StaysInPlace` if the reason was reported before, else a problem. Raises OSError, and ValueError for a damaged ledger.
        """
        journal = self.journal
        keep_in_place = decide_archiving(self.facts).mode in KEEPING
        is_same_packet = self._same_packet_check(session_bytes)
        try:
            self._settle_hidden_name(is_same_packet, keep_in_place=keep_in_place)
            path = self.path if keep_in_place else current_path(self.path, self.tag)
        except ChangedError as error:
            return changed_packet_problem(error.path)
        except OSError as error:
            return archiving_problem(self.path, journal.requested_mode, error)
        is_same_packet = self._decide_by_content(is_same_packet, path)
        # a packet with a hidden name is checked by `archive_packet`
        changed = self._change_problem(is_same_packet) if path == self.path else None
        decision = decide_archiving(self.facts._replace(has_changed=changed is not None))
        if decision.mode is None:  # the packet is not archived
            restore_name(self.packet, self.tag)
            # the journal of a packet that cannot be read stays, and so does its copy
            if journal.requested_mode is not Archive.LEAVE and (changed is None or changed.code is Code.CHANGED):
                remove_partial_copy(self.path, self.archive, self.tag)
            return _StaysInPlace() if decision.reason is not Reason.CHANGED or changed is None else changed
        try:
            is_same_packet = self._decide_by_inbox(is_same_packet, session_bytes)
        except OSError as error:
            return archiving_problem(self.path, journal.requested_mode, error)
        return self._archive(decide_archiving(self.facts).mode or decision.mode, is_same_packet)

    def _decide_by_inbox(self, is_same_packet: SamePacketCheck, session_bytes: SessionBytes) -> SamePacketCheck:
        """Folder mode (`--masterinbox=none`): move an archive, instead of deleting it, if it may be the only copy of a member.

        That is so if the inbox has no unchanged copy of a member with the fate `kept`. Return the check to use. Raises OSError, and
        ValueError for a damaged ledger.
        """
        inbox = self.journal.session_inbox
        if inbox is None or decide_archiving(self.facts).mode is not Archive.DELETE:
            return is_same_packet
        if session_bytes.inbox_copies.have_all_of(str(self.path.relative_to(inbox))):
            return is_same_packet
        self.facts = self.facts._replace(kept_files_changed=True)
        self.warnings.append(moved_packet_warning(str(self.path), decide_archiving(self.facts).reason))
        return is_same_packet.for_move()

    def _decide_by_content(self, is_same_packet: SamePacketCheck, path: Path) -> SamePacketCheck:
        """Move a packet, and do not delete it, if it contains bytes or links that no session contains. Return the check to use.

        Only a packet that another run read is checked here: it is read again, because anybody could have written the journal of
        that run. An OSError is ignored here: the next comparison reports it.
        """
        if self.read_by_this_run or decide_archiving(self.facts).mode is not Archive.DELETE:
            return is_same_packet
        content = None
        with contextlib.suppress(OSError):
            content = is_same_packet.content(path)
        if content is None or not content.is_contained or content.is_fully_contained:
            return is_same_packet
        self.facts = self.facts._replace(
            has_extra_bytes=content.has_extra_bytes, has_external_links=content.has_external_links
        )
        self.warnings.append(
            moved_packet_warning(self.journal.label or self.journal.unit, decide_archiving(self.facts).reason)
        )
        return is_same_packet.for_move()

    def _settle_hidden_name(self, is_same_packet: SamePacketCheck, *, keep_in_place: bool) -> None:
        """Finish the renaming to a hidden name or the removal that a killed run began, or undo it for a packet that stays.

        If a packet that stays has its own name, a file with its hidden name is not this packet. Raises ChangedError, OSError, and
        ValueError for a damaged ledger.
        """
        if keep_in_place:
            if not self.read_by_this_run and decide_archiving(self.facts).reason is Reason.MOUNTED:
                undo_partial_move(self.packet, self.tag)
            if not os.path.lexists(self.path):
                restore_name(self.packet, self.tag)
            if not self.read_by_this_run:
                remove_partial_copy(self.path, self.archive, self.tag)
        elif not self.read_by_this_run:
            finish_partial_move(self.packet, self.tag)
            if decide_archiving(self.facts).mode is not None:
                finish_removal(self.packet, self.tag, is_same_packet.contains_remaining_files)

    def _same_packet_check(self, session_bytes: SessionBytes) -> SamePacketCheck:
        """Return the check to call before each step.

        It always reads a packet of another run again, unless the packet is left in place.
        """
        mode = decide_archiving(self.facts).mode
        is_left = mode in (None, Archive.LEAVE)
        top = self.sessionsfolder if mode in (Archive.MOVE, Archive.DELETE) else None
        return SamePacketCheck(
            self.packet,
            session_bytes,
            for_deletion=mode is Archive.DELETE,
            trusts_fingerprint=self.read_by_this_run or is_left,
            top=top,
        )

    def _archive(self, mode: Archive, is_same_packet: SamePacketCheck) -> Path | Problem | None:
        """Archive the packet; return where it, or its copy, is now (None: it no longer exists), or the problem.

        Raises ValueError for a damaged ledger.
        """
        try:
            devices = devices_of(self.path, mode, self.tag)
            target = archive_packet(
                self.path,
                self.archive,
                mode,
                tag=self.tag,
                is_same_packet=is_same_packet,
                name_lock=self.name_lock,
                number=self.number,
                was_moved_to=is_same_packet.was_moved_to,
            )
        except ChangedError as error:
            return changed_packet_problem(error.path)
        except OSError as error:
            with contextlib.suppress(OSError):  # with all its files, it gets its name back
                restore_name(self.packet, self.tag)
            return archiving_problem(self.path, mode, error)
        is_archived = mode is not Archive.MOVE or self.read_by_this_run or target is not None
        missing = [] if target is None else [device for device in devices if not os.path.lexists(target / device)]
        if missing:
            self.warnings.append(missing_devices_warning(self.path, missing))
        if self.journal.session_inbox is not None and is_archived:
            remove_emptied_folders(self.path, self.journal.session_inbox, self.sessionsfolder)
        return target if is_archived else vanished_packet_problem(self.path)

    def _change_problem(self, is_same_packet: SamePacketCheck) -> Problem | None:
        """Return the problem of a packet that changed, vanished or cannot be read.

        None if it is the imported one, or if it is missing and a killed run may have moved or deleted it.
        """
        try:
            if is_same_packet(self.path, renamed=False):
                return None
        except FileNotFoundError:
            if not self.read_by_this_run:
                return None  # the killed run may have moved or deleted it
            return vanished_packet_problem(self.path)
        except OSError as error:
            return unreadable_packet_problem(self.path, error)
        return changed_packet_problem(self.path)
