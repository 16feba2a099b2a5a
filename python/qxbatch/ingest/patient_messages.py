"""Messages about packets with several patients: who they are, where their files are, when they were scanned."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from qxbatch.core import Reading
from qxbatch.ingest.people import Identity, Person
from qxbatch.ingest.row_path import folder_of
from qxbatch.problems import Code, Problem, Severity

_Folder = tuple[str, ...]
"""A folder or archive in a packet (`folder_of`); empty at the top."""
MAX_LISTED = 8
"""Maximum length of the lists in a message: patients with facts; folders, dates and series of a patient; sessions; PatientIDs."""


def mixed_patients_problem(reading: Reading, people: Sequence[Person], subject: str, *, deidentified: bool) -> Problem:
    """Return the problem of a refused packet: each patient with folders, dates and series."""
    folders = _folders(reading, people)
    descriptions = []
    for k, (person, folders_of_person) in enumerate(zip(people, folders, strict=True), start=1):
        facts = f": {_facts_text(person, folders_of_person)}" if k <= MAX_LISTED else ""
        descriptions.append(with_patient(f"patient {k}", person.patient, deidentified=deidentified) + facts)
    return Problem(
        Code.MIXED_PATIENTS,
        subject,
        _printable(f"contains {len(people)} patients: {'; '.join(descriptions)}."),
        "Split it with --on-mixed=split; if they are one person, use --on-mixed=merge.",
    )


def inseparable_patients_problem(problem: Problem) -> Problem:
    """Return the problem of a refused packet that `--on-mixed=split` cannot split."""
    hint = (
        "Sort the files of each patient into a separate packet: files of several patients have the same series UID, so the packet "
        "cannot be split. If they are one person, use --on-mixed=merge."
    )
    return replace(problem, hint=hint, has_remedy=False)


def unknown_patients_warnings(
    reading: Reading, people: Sequence[Person], sessions: Sequence[str], subject: str
) -> list[Problem]:
    """Return a warning about the series whose patient is unknown, with their sessions; empty if there are none.

    Persons with an unknown patient are the last of `people`. `sessions` are the session ids of all people, in the same order.
    """
    unknown = [(session, person) for session, person in zip(sessions, people, strict=True) if not person.patient]
    if not unknown:
        return []
    folders = _folders(reading, people)[-len(unknown) :]
    facts = [
        f"{session}: series {_series_text(person)} in {_listed(own_folders)}"
        for (session, person), own_folders in zip(unknown, folders, strict=True)
    ]
    more = f"; and {len(facts) - MAX_LISTED} more sessions" if len(facts) > MAX_LISTED else ""
    message = f"contains series whose patient is unknown; their sessions: {'; '.join(facts[:MAX_LISTED])}{more}."
    hint = (
        "If you know the patient, split the packet with `qxbatch split`, and move the files from its folder unknown to the "
        "patient's folder."
    )
    return [Problem(Code.UNKNOWN_PATIENT, subject, _printable(message), hint, Severity.WARNING)]


def different_names_warnings(
    contradictions: Iterable[tuple[Person, Identity, Identity]], subject: str, *, deidentified: bool
) -> list[Problem]:
    """Return a warning for each patient whose files differ in name and birth date."""
    problems = []
    for person, identity, other in contradictions:
        whose = "one patient" if deidentified else f"patient {person.patient}"
        text = "" if deidentified else f": {_identity_text(identity)}, and {_identity_text(other)}"
        message = f"files of {whose} differ in name and birth date{text}."
        hint = "Check that they are of one person; if not, import the files of each person as a separate packet."
        problems.append(Problem(Code.DIFFERENT_NAMES, subject, _printable(message), hint, Severity.WARNING))
    return problems


def replaced_patient_warning(old: str, new: Sequence[str], subject: str, *, deidentified: bool) -> Problem:
    """Return the warning about a session that replaced one of another patient; `old` and `new` are their PatientIDs."""
    ids = "" if deidentified else f": PatientID {old} before, {', '.join(new[:MAX_LISTED])} now"
    message = _printable(f"replaced a session of another patient{ids}.")
    hint = (
        "Check the name of its packet. If it is wrong, rename the packet and import it, and import the packet of the "
        "replaced session again."
    )
    return Problem(Code.REPLACED_PATIENT, subject, message, hint, Severity.WARNING)


def patients_text(people: Sequence[Person], *, deidentified: bool) -> str:
    """Return `2 patients`, with `Person.patient` of each unless `deidentified`."""
    return with_patient(
        f"{len(people)} patients", ", ".join(person.patient for person in people), deidentified=deidentified
    )


def with_patient(text: str, patient: str, *, deidentified: bool) -> str:
    """Return a text, followed by the patient in parentheses unless `deidentified`."""
    return text if deidentified else f"{text} ({patient})"


def _printable(text: str) -> str:
    """Return header text without control characters, which a terminal would interpret."""
    return "".join(character if character.isprintable() else " " for character in text)


def _identity_text(identity: Identity) -> str:
    return f"{identity.name.full_name} born {_date_text(identity.birth)}"


def _facts_text(person: Person, folders: Sequence[str]) -> str:
    days = sorted({item.day or item.started[:8] for item in person.items} - {""})
    when = f"date{'s' * (len(days) > 1)} {_listed([_date_text(day) for day in days])}" if days else "no date"
    return f"files in {_listed(folders)}, {when}, series {_series_text(person)}"


def _series_text(person: Person) -> str:
    return _listed(list(dict.fromkeys(item.series for item in person.items)))


def _date_text(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:8]}" if len(day) == 8 and day.isdigit() else day  # noqa: PLR2004 - YYYYMMDD


def _listed(items: Sequence[str]) -> str:
    text = ", ".join(items[:MAX_LISTED])
    return text if len(items) <= MAX_LISTED else f"{text} and {len(items) - MAX_LISTED} more"


def _folders(reading: Reading, people: Sequence[Person]) -> list[list[str]]:
    """Return where in the packet each person's files are: the highest folders without files of other persons.

    A folder that directly contains files of several persons is returned for each of them.
    """
    folders_of_people = [_own_folders(reading, person) for person in people]
    people_in: dict[_Folder, set[int]] = {}
    for k, own_folders in enumerate(folders_of_people):
        for folder in own_folders:
            for above in _with_parents(folder):
                people_in.setdefault(above, set()).add(k)
    highest_folders = []
    for own_folders in folders_of_people:
        highest = (
            next((top for top in _with_parents(folder) if len(people_in[top]) == 1), folder)
            for folder in sorted(own_folders)
        )
        highest_folders.append([_place_text(folder) for folder in dict.fromkeys(highest)])
    return highest_folders


def _own_folders(reading: Reading, person: Person) -> set[_Folder]:
    """Return the folders and archives that directly contain files of a person."""
    rows = [row for group in person.groups for row in reading.group_rows(group)]
    rows += [row for item in person.items for row in item.rows]
    return {folder_of(reading.row(row)) for row in rows}


def _place_text(folder: _Folder) -> str:
    """Return `folder A`, `archive a.zip` or the words for the top folder."""
    if not folder:
        return "the top folder of the packet"
    path = "".join(folder)
    return f"{'folder' if path.endswith('/') else 'archive'} {path[:-1]}"


def _with_parents(folder: _Folder) -> list[_Folder]:
    """Return a folder and its parents, the highest first."""
    return [folder[:end] for end in range(len(folder) + 1)]
