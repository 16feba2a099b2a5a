"""Parses raw parameters into Settings. Writes nothing; folders are only checked."""

from pathlib import Path
from typing import NamedTuple

from qxbatch.problems import UsageError
from qxbatch.session.layout import ARCHIVED_PACKETS
from qxbatch.settings import cpus
from qxbatch.settings.folders import Folders, find_folders
from qxbatch.settings.lazily_parsed import passwords_of, protocol_of, scheduler_of
from qxbatch.settings.lists import split_labels, split_list
from qxbatch.settings.logfile import logfile_spec
from qxbatch.settings.model import Archive, Check, Gzip, JoinSeries, OnDamaged, OnMixed, OnSameSession, Settings, Tool
from qxbatch.settings.names import named_pattern, session_patterns
from qxbatch.settings.parameter import find
from qxbatch.settings.parameters import JSON_FIELDS, PARAMETERS
from qxbatch.settings.paths import absolute_path
from qxbatch.settings.values import Values


class ParsedSettings(NamedTuple):
    """The settings, and notes for the user about how they were interpreted."""

    settings: Settings
    notes: tuple[str, ...]


def parse(
    raw: dict[str, str], *, bids_app: bool = False, on_command_line: dict[str, str] | None = None
) -> ParsedSettings:
    """Return the settings, and notes, for parameters as the user wrote them (names with underscores). Raises UsageError.

    With `bids_app`, the BIDS-App form was used. `on_command_line` has those of `raw` that the user wrote on the command line and
    not in a config file; None means all.
    """
    values = Values(raw)
    folders = find_folders(values)
    pattern, pattern_notes = named_pattern(values, "pattern", "packet_name", "session_id")
    nameformat, name_notes = named_pattern(values, "nameformat", "subject_id")
    parelements, n_procs = _processes(values)
    settings = Settings(
        sessionsfolder=folders.sessionsfolder,
        masterinbox=folders.masterinbox,
        archive_folder=folders.sessionsfolder / ARCHIVED_PACKETS,
        sessions=_sessions(values, folders),
        check=values.choice("check", Check),
        pattern=pattern,
        nameformat=nameformat,
        logfile=logfile_spec(values.text("logfile")) if values.is_given("logfile") else None,
        tool=values.choice("tool", Tool),
        fallback=values.choice("fallback", Tool) if values.is_given("fallback") else None,
        dicm2nii_dir=_path(values, "dicm2nii_dir"),
        parelements=parelements,
        n_procs=n_procs,
        mem=values.size("mem") if values.is_given("mem") else None,
        archive=Archive.LEAVE if bids_app and "archive" not in raw else values.choice("archive", Archive),
        add_image_type=values.integer("add_image_type", 0),
        add_json_info=_json_fields(values),
        unzip=values.is_yes("unzip"),
        gzip=values.choice("gzip", Gzip),
        gzip_level=values.integer("gzip_level", 0, 9),
        verbose=values.is_yes("verbose"),
        overwrite=values.is_yes("overwrite"),
        test=values.is_yes("test"),
        on_mixed=values.choice("on_mixed", OnMixed),
        on_same_session=values.choice("on_same_session", OnSameSession),
        on_damaged=values.choice("on_damaged", OnDamaged),
        join_series=values.choice("join_series", JoinSeries),
        max_expansion=values.integer("max_expansion", 1),
        max_total=values.size("max_total"),
        max_members=values.integer("max_members", 1),
        max_nesting=values.integer("max_nesting", 0, 20),
        passwords=passwords_of(values),
        timeout=_timeout(values),
        settle=values.seconds("settle"),
        participant_labels=split_labels(values.text("participant_label"), "sub-"),
        session_labels=split_labels(values.text("session_label"), "ses-"),
        work_dir=_path(values, "work_dir"),
        path_map=_path_map(values.text("path_map")),
        deidentify_logs=values.switch("deidentify_logs"),
        quiet=values.switch("quiet"),
        list_all=values.switch("list_all"),
        log_file=_path(values, "log_file"),
        json_file=_path(values, "json_file"),
        protocol=protocol_of(values),
        scheduler=scheduler_of(values),
        container=_path(values, "container"),
        wait=values.switch("wait"),
        print_script=values.switch("print_script"),
        bids_app=bids_app,
        reads_bids_names=bids_app and not any(map(values.is_given, ("pattern", "nameformat", "logfile"))),
        command_line=tuple((raw if on_command_line is None else on_command_line).items()),
    )
    return ParsedSettings(settings, (*folders.notes, *pattern_notes, *name_notes, *_without_effect(values)))


def _without_effect(values: Values) -> list[str]:
    """Return notes about accepted parameters that have no effect."""
    notes = [
        f"{find(PARAMETERS, name).option} has no effect, here as in QuNex."
        for name in ("existing_structure", "clean_dicom_folders")
        if values.is_given(name)
    ]
    if values.switch("skip_bids_validator"):
        notes.append("--skip-bids-validator is ignored: packets are not a BIDS data set, and nothing is validated.")
    return notes


def _processes(values: Values) -> tuple[int, int]:
    """Return how many converters run at once, and how many threads and processes in all.

    With --n-procs=all (the default), the second number is the larger one of the CPUs and the converters. It is never above
    MAX_PROCESSES.
    """
    all_cpus = cpus.usable_cpus()
    converters = values.integer_or_all("parelements")
    n_procs = values.integer_or_all("n_procs")
    if n_procs is None:
        n_procs = max(all_cpus, converters or 1)
    n_procs = min(n_procs, cpus.MAX_PROCESSES)
    return min(converters or all_cpus, n_procs), n_procs


def _sessions(values: Values, folders: Folders) -> tuple[str, ...]:
    sessions = split_list(values.text("sessions"))
    if folders.masterinbox is not None:
        session_patterns(sessions)  # raises UsageError for an expression that is not valid
    elif not sessions:
        raise UsageError(
            "--masterinbox=none needs --sessions: the session folders to import.",
            'Name them by globs, for example --sessions="S*" (all: "*").',
        )
    return sessions


def _json_fields(values: Values) -> tuple[str, ...]:
    """Return the requested fields, in the order of session.txt."""
    names = split_list(values.text("add_json_info"))
    if [name.casefold() for name in names] == ["all"]:
        return JSON_FIELDS
    by_folded = {field.casefold(): field for field in JSON_FIELDS}
    unknown = [name for name in names if name.casefold() not in by_folded]
    if unknown:
        raise UsageError(
            f"--add-json-info does not know {', '.join(unknown)}.",
            f"It takes all, or some of: {', '.join(JSON_FIELDS)}.",
        )
    chosen = {by_folded[name.casefold()] for name in names}
    return tuple(field for field in JSON_FIELDS if field in chosen)


def _timeout(values: Values) -> float | None:
    if not values.is_given("timeout"):
        return None
    seconds = values.seconds("timeout")
    if seconds == 0:
        raise UsageError("--timeout=0 would stop every conversion.", "Give seconds, or leave out --timeout.")
    return seconds


def _path(values: Values, name: str) -> Path | None:
    return absolute_path(find(PARAMETERS, name).option, values.text(name)) if values.is_given(name) else None


def _path_map(text: str) -> tuple[tuple[Path, Path], ...]:
    """Return pairs of `HERE=OUTSIDE`; the form of containers, `HERE:OUTSIDE`, is also accepted."""
    pairs = []
    for item in split_list(text):
        here, between, outside = item.partition("=" if "=" in item else ":")
        if not (between and here.startswith("/") and outside.startswith("/")):
            raise UsageError(
                f"--path-map={item} is not a pair of absolute folders.", "Write --path-map=/here=/outside."
            )
        pairs.append((Path(here), Path(outside)))
    return tuple(pairs)
