"""One packet, one patient: tells them apart, and shares a packet out when the user asks for it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from qxbatch.core import Group
from qxbatch.model import SessionId
from qxbatch.problems import Code, PacketError, Problem, Severity
from qxbatch.settings.model import OnMixed


@dataclass(frozen=True)
class Share:
    """The groups that go to one session, by their index."""

    session: SessionId
    groups: tuple[int, ...]
    patient: str = ""
    """PatientID as the headers write it, where a packet was parted."""


def patients_of(groups: Sequence[Group]) -> list[str]:
    """Return the patients (PatientID trimmed, case-folded) in order of first scan; an empty one is no patient."""
    first: dict[str, tuple[bool, str, str]] = {}
    for group in groups:
        if group.patient:
            rank = (group.started == "", group.started, group.patient)
            first[group.patient] = min(first.get(group.patient, rank), rank)
    return sorted(first, key=lambda patient: first[patient])


def share_out(
    groups: Sequence[Group], session: SessionId, on_mixed: OnMixed, subject: str, *, anonymous: bool
) -> tuple[list[Share], list[Problem]]:
    """Give each group to a session. `anonymous`: messages count the patients and do not name them.

    Raises PacketError for more than one patient when on_mixed is `reject`.
    """
    patients = patients_of(groups)
    everything = Share(session, tuple(range(len(groups))))
    if len(patients) <= 1:
        return [everything], []
    shown = (
        f"{len(patients)} patients"
        if anonymous
        else f"{len(patients)} patients ({', '.join(_named(groups, patients))})"
    )
    if on_mixed is OnMixed.REJECT:
        raise PacketError(
            Problem(
                Code.MIXED_PATIENTS,
                subject,
                f"holds {shown}.",
                "Part it with --on-mixed=split, or, if they are one person, use --on-mixed=merge.",
            )
        )
    if on_mixed is OnMixed.MERGE:
        message = f"holds {shown}, merged into session {session.id} as asked."
        return [everything], [Problem(Code.MERGED_PATIENTS, subject, message, severity=Severity.WARNING)]
    shares = _split(groups, patients, session)
    shares = [replace(share, patient=named) for share, named in zip(shares, _named(groups, patients), strict=True)]
    named = (f"{share.session.id}" + ("" if anonymous else f" ({share.patient})") for share in shares)
    message = f"holds {len(patients)} patients, parted into the sessions {', '.join(named)} as asked."
    return shares, [Problem(Code.MERGED_PATIENTS, subject, message, severity=Severity.WARNING)]


def _named(groups: Sequence[Group], patients: list[str]) -> list[str]:
    shown = {group.patient: str(group.header.get("PatientID") or "").strip() for group in reversed(groups)}
    return [shown[patient] for patient in patients]


def _split(groups: Sequence[Group], patients: list[str], session: SessionId) -> list[Share]:
    """A group without a patient goes where its study went, else to the first."""
    by_study = {group.study: group.patient for group in reversed(groups) if group.patient}
    shares = []
    for k, patient in enumerate(patients, start=1):
        mine = tuple(
            i for i, group in enumerate(groups) if (group.patient or by_study.get(group.study, patients[0])) == patient
        )
        shares.append(Share(numbered_session(session, k), mine))
    return shares


def numbered_session(session: SessionId, k: int) -> SessionId:
    """Return the k-th session of a packet that is parted: `<session id>-<k>`."""
    if session.session is None:
        return SessionId(f"{session.subject}-{k}")
    return SessionId(session.subject, f"{session.session}-{k}")
