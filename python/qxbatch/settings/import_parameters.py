"""The keywords of `qxbatch.import_packets`, written by `python -m qxbatch.settings.render` from the table of parameters."""

import os
from collections.abc import Sequence
from typing import Literal, TypedDict

StrPath = str | os.PathLike[str]


class ImportParameters(TypedDict, total=False):
    """Parameters of an import. What is not given has the default of the command line."""

    sessions: str | Sequence[str]
    """What to import: session ids or packet names, separated by commas. Each is a regular expression for the
    whole id or name. With `--masterinbox=none` (the data are in `<session>/inbox`), each is a glob for a folder
    name."""
    masterinbox: StrPath
    """Folder in which packets wait, or `none`: the data are in `<session>/inbox`. Default:
    <sessionsfolder>/inbox/MR"""
    check: Literal["yes", "no", "any"]
    """`yes`: ask before importing; `no`: do not ask; `any`: do not ask, and end with exit status 66 if no packet
    is ready. Default: any"""
    pattern: str
    """Regular expression that finds packets; its group `packet_name` is the packet's name. Default:
    (?P<packet_name>.*?)(?i:\\.zip$|\\.7z$|\\.tar$|\\.tgz$|\\.tarz$|\\.tar\\..*$|$)"""
    nameformat: str
    """Regular expression that finds `subject_id` and, if there is one, `session_name` in a packet's name (with
    `--masterinbox=none`, the name of a session folder). Default: (?P<subject_id>.*)"""
    tool: Literal["auto", "dcm2niix", "dcm2nii", "dicm2nii"]
    """Converter; `auto` chooses one for each series. Default: auto"""
    parelements: int | Literal["all"]
    """How many converters run at once, at most `--n-procs` if that is given; `all`: one for each CPU this process
    may use. Default: 1"""
    logfile: str
    """Table that names the subject of each packet (not the log, `--log-file`):
    `path:FILE|packet_name:COLUMN|subject_id:COLUMN[|session_name:COLUMN]`."""
    archive: Literal["move", "copy", "leave", "delete"]
    """What to do with a packet once its session is written and verified. In the BIDS-App form, the default is
    `leave`. Default: move"""
    add_image_type: int
    """How many of the last ImageType labels are added to an image's name. Default: 0"""
    add_json_info: str | Sequence[str]
    """Fields of the converter's JSON added to each image in session.txt: `all`, or a list of TR, PEDirection,
    EchoSpacing, DwellTime, ReadoutDirection."""
    unzip: bool | Literal["yes", "no"]
    """Whether DICOM files that are gzipped one by one are unpacked. If not, they are sorted and listed, but not
    converted. Default: yes"""
    gzip: Literal["folder", "file", "no"]
    """How DICOM is kept: a tar.gz for each series, a .gz for each file, or as it is. Default: folder"""
    verbose: bool | Literal["yes", "no"]
    """`yes`: list each packet that is not ready; `no`: only count them. Even with `yes`, a long list is shortened
    to a count, unless `--list-all` or `--test` is given. Default: yes"""
    overwrite: bool | Literal["yes", "no"]
    """Whether a session that has results is rebuilt. Default: no"""
    test: bool | Literal["yes", "no"]
    """Print what would be done, and stop. Nothing is written. Default: no"""
    fallback: Literal["dcm2niix", "dcm2nii", "dicm2nii"]
    """Converter to use if the one of `--tool` is missing."""
    dicm2nii_dir: StrPath
    """Folder of an installed dicm2nii."""
    n_procs: int | Literal["all"]
    """Maximum number of threads and child processes (such as converters) at once; `all`: one for each CPU this
    process may use. Default: all"""
    mem: str | int
    """Memory that the run and its child processes should stay below, like 8G or 500M; without a unit, megabytes."""
    on_mixed: Literal["reject", "merge", "split"]
    """What to do with a packet of several patients: refuse it, make one session, or one for each patient.
    Default: reject"""
    on_same_session: Literal["reject", "merge"]
    """What to do with several packets of one session: refuse them all, or make one session of them. Default:
    reject"""
    on_damaged: Literal["refuse", "keep"]
    """How to handle a damaged packet: refuse it, or import the readable files. Default: refuse"""
    join_series: Literal["auto", "never"]
    """`auto`: join series that are parts of one scan (some exporters split a scan), if they meet strict rules
    (docs/numbers.md); `never`: keep them apart. Default: auto"""
    protocol: StrPath
    """Protocol (TOML) that each imported session is compared with; differences are warnings."""
    max_expansion: int
    """Maximum ratio of unpacked to packed size of an archive, including archives inside it. Default: 1000"""
    max_total: str | int
    """Maximum unpacked size of the packets of one session, like 2T or 500G; without a unit, megabytes. Default:
    1T"""
    max_members: int
    """Maximum number of members of the packets of one session, including those of archives inside them. Default:
    5000000"""
    max_nesting: int
    """Maximum depth of archives inside archives; deeper ones are kept unopened. Default: 5"""
    password_file: StrPath
    """File of passwords for encrypted zip and 7z packets: one on each line, tried in this order."""
    timeout: float
    """Seconds that one conversion may take. Without it, the limit depends on the size of the series."""
    settle: float
    """A packet that changed less than this many seconds ago waits for the next run. Default: 0"""
    gzip_level: int
    """Compression level of DICOM and images: 1 is fast, 9 is small. 0 is level 2 for DICOM and level 1 for
    images, and reuses the compressed data of zip members. Default: 0"""
    path_map: str | Sequence[str]
    """`HERE=OUTSIDE`: replaces HERE with OUTSIDE at the beginning of the paths in session.txt, so that they are
    valid outside of a container. Several are separated by commas."""
    deidentify_logs: bool
    """In file names, logs and reports, replace patients' ids and names by the session id. A part of a name is
    replaced as a separate word if it has at least 3 letters. Inside a longer word it is replaced only if it
    begins with a capital letter and has at least 4 letters, in some cases 5 (docs/guarantees.md has the rules).
    `--logfile` implies this."""
    json_file: StrPath
    """File for the run's summary as JSON."""
    participant_label: str | Sequence[str]
    """Only these subjects, with or without `sub-`. In the BIDS-App form, a packet named `sub-105_ses-1` is of
    subject 105."""
    session_label: str | Sequence[str]
    """Only these sessions, with or without `ses-`."""
    work_dir: StrPath
    """Folder for the unpacked files of a packet and the output of converters. They need about three times the
    packet's unpacked size. Without this option, they are in `.qxbatch` of the sessions folder."""
    list_all: bool
    """List every packet and message, before and after the import. Without it, a long list is shortened to a
    count."""
    quiet: bool
    """Print only warnings and errors."""
