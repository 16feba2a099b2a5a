"""Names of the files and folders of a session and of the study level. Other modules import them from here."""

TYPE_CHECKING = False
if TYPE_CHECKING:  # --help reads the table of parameters, which names folders; it needs neither pathlib nor typing
    from collections.abc import Iterable
    from pathlib import Path

SESSION_TXT = "session.txt"
"""Published last: it marks a fully written session."""
INBOX = "inbox"
"""In a session: files that are not sorted, or the user's data in folder mode (`--masterinbox=none`). In the sessions folder: the
folder of the default master inbox."""
DICOM = "dicom"
NII = "nii"
QXBATCH_FOLDER = "qxbatch"
"""In a session: ledger, summary, page and pictures."""
RESULT_FOLDERS = (DICOM, NII, QXBATCH_FOLDER)
"""Folders that a new import replaces, in this order (qxbatch.publish.exchange). It also replaces the inbox, except in folder mode
(`--masterinbox=none`), where the inbox contains the data of the user."""
SESSION_FOLDERS = (DICOM, NII, INBOX, QXBATCH_FOLDER)
"""All folders that an import creates in a session."""

LOG = "log"
"""Below `dicom`: the folder of the scanner's logs."""
DICOM_REPORT = "DICOM-Report.txt"
"""Below `dicom`: the table of the series for people."""
LEDGER = "ledger.tsv"
SUMMARY = "summary.json"
PAGE = "report.html"
"""The page of a session, below `qxbatch`; the page of a study, in the sessions folder."""
SORTED_SUMS = "sorted.sha256"
"""Below `qxbatch` until a sorted session is converted: checksums of the generated files (qxbatch.session.sorted_sums)."""
PICTURES = "pictures"
"""The folder of pictures beside a page."""
THUMBNAIL = "thumbnail.png"
"""The picture of a session for the page of the study, in its folder of pictures."""

STUDY_TABLE = "study.tsv"
STUDY_SIDECAR = "study.json"
MASTER_INBOX = f"{INBOX}/MR"
"""The default folder in which packets wait, relative to the sessions folder."""
ARCHIVE = "archive"
ARCHIVED_PACKETS = f"{ARCHIVE}/MR"
"""The folder of the packets that were imported, relative to the sessions folder."""
REPLACED_FOLDER = "replaced"
"""The folder, in the archive, of files that were kept when their sessions were replaced."""

PACKED_SUFFIX = ".tar.gz"
"""The end of the name of a packed series."""
IMAGE_SUFFIX = ".nii.gz"
"""The end of the name of an image."""
KEPT_AT_PREFIX = f"{INBOX}/"
"""The beginning of the ledger's `at` for a kept member, unless it is a scanner's log."""
SCANNER_LOGS_AT = f"{DICOM}/{LOG}"
"""The folder of the scanner's logs, relative to the session folder."""
SORTED_AT_PREFIX = f"{DICOM}/"
"""The beginning of the ledger's `at` for a sorted member or a scanner's log."""
FROM_SESSION_PREFIX = "../"
"""The beginning of the ledger's path (relative to the inbox) for members that were read from other folders of the session."""
FROM_DICOM_PREFIX = f"{FROM_SESSION_PREFIX}{SORTED_AT_PREFIX}"
"""The same for members that were read from the session's `dicom`."""
SUMMARY_AT = f"{QXBATCH_FOLDER}/{SUMMARY}"
LEDGER_AT = f"{QXBATCH_FOLDER}/{LEDGER}"
PAGE_AT = f"{QXBATCH_FOLDER}/{PAGE}"
"""Relative to the session folder, as `SUMMARY_AT` and `LEDGER_AT`."""

_CONVERTER_LOG = ("dcm2niix_", ".log")


def converter_log_name(number: int) -> str:
    """Return the name of a converter's log in `dicom`. `number` is the n of the series, or an n' of its tenth and later
    images (docs/numbers.md).

    >>> converter_log_name(30)
    'dcm2niix_30.log'
    """
    return f"{number}".join(_CONVERTER_LOG)


def is_converter_log(at: str) -> bool:
    """Return whether a path, relative to the session, is that of a converter's log.

    >>> is_converter_log("dicom/dcm2niix_30.log"), is_converter_log("dicom/dcm2niix_3a.log")
    (True, False)
    >>> is_converter_log("dcm2niix_30.log"), is_converter_log("dicom/log/dcm2niix_30.log")
    (False, False)
    """
    start, end = _CONVERTER_LOG
    number = at.removeprefix(f"{DICOM}/{start}").removesuffix(end)
    return number.isdecimal() and f"{DICOM}/{number.join(_CONVERTER_LOG)}" == at


def packed_name(n: int | str) -> str:
    """Return the name of a packed series in `dicom`.

    >>> packed_name(30)
    '30.tar.gz'
    """
    return f"{n}{PACKED_SUFFIX}"


def image_name(number: int | str, extension: str = IMAGE_SUFFIX[1:]) -> str:
    """Return the name of an image, or of a file beside it, in `nii`.

    >>> image_name(31), image_name(31, "json")
    ('31.nii.gz', '31.json')
    """
    return f"{number}.{extension}"


def image_file(number: int | str, extension: str = IMAGE_SUFFIX[1:]) -> str:
    """Return the path of an image, or of a file beside it, relative to the session folder."""
    return f"{NII}/{image_name(number, extension)}"


def at_of_sorted_file(n: int, name: str) -> str:
    """Return the ledger's `at` of a loose file of a series.

    >>> at_of_sorted_file(30, "P-30-1.2.dcm")
    'dicom/30/P-30-1.2.dcm'
    """
    return f"{SORTED_AT_PREFIX}{n}/{name}"


def at_of_packed_file(n: int, at: str) -> str:
    """Return the ledger's `at` of a file once its series is packed; `at` is that of the loose file.

    >>> at_of_packed_file(30, "dicom/30/P-30-1.2.dcm")
    'dicom/30.tar.gz!30/P-30-1.2.dcm'
    """
    return f"{SORTED_AT_PREFIX}{packed_name(n)}!{at.removeprefix(SORTED_AT_PREFIX)}"


def packed_member(at: str) -> tuple[str, str] | None:
    """Return the packed series (relative to the session) and the member that an `at` names; None for a loose file.

    >>> packed_member("dicom/30.tar.gz!30/P-30-1.2.dcm")
    ('dicom/30.tar.gz', '30/P-30-1.2.dcm')
    """
    container, bang, member = at.partition(f"{PACKED_SUFFIX}!")
    return (f"{container}{PACKED_SUFFIX}", member) if bang and container.startswith(SORTED_AT_PREFIX) else None


def is_inner_path(at: str) -> bool:
    """Return whether a path relative to the session stays inside it, provided that none of its folders is a link.

    >>> is_inner_path("inbox/a/b"), is_inner_path("inbox/../../x"), is_inner_path("/etc/x"), is_inner_path("")
    (True, False, False, False)
    """
    parts = at.split("/")
    return all(parts) and ".." not in parts and "." not in parts


def picture_file(number: int) -> str:
    """Return the path of an image's picture, relative to the folder of the page."""
    return f"{PICTURES}/{number}.png"


def tsnr_picture_file(number: int) -> str:
    """Return the path of the picture of an image's temporal SNR, relative to the folder of the page."""
    return f"{PICTURES}/{number}-tsnr.png"


def is_from_packet(path: "Path") -> bool:
    """Return whether a path, relative to the session, is that of a file with bytes of packet members: a kept or sorted file, a
    scanner's log, or a packed series. False for files that an import generates.
    """
    folder, depth = path.parts[0], len(path.parts)
    return folder == INBOX or (folder == DICOM and (depth > 2 or path.suffix == ".gz"))  # noqa: PLR2004 - in a subfolder


def image_numbers_in(images: "Iterable[Path]") -> set[str]:
    """Return the numbers in the names of image files, as text."""
    return {path.name.removesuffix(IMAGE_SUFFIX) for path in images}
