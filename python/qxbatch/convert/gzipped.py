"""Series with gzipped files, which are sorted but not converted (`--unzip=no`)."""

from qxbatch.convert.series_problems import subject
from qxbatch.model import Conversion, Series, State
from qxbatch.problems import Code, Problem, Severity


def gzipped_count(series: Series) -> int:
    """Return how many files of a series are gzipped."""
    return sum(1 for path in series.folder.iterdir() if path.name.casefold().endswith(".gz"))


def gzipped_conversion(series: Series) -> Conversion:
    """Return the conversion of a series that has only gzipped files."""
    problem = Problem(
        Code.NOTHING_TO_CONVERT,
        subject(series),
        "its files are gzipped and unzip=no, so they were sorted and not converted.",
        "Import it with --unzip=yes to convert it.",
        Severity.WARNING,
    )
    # run_qa of QuNex reads the line with the count of files in each log
    log = f"Found {series.files} DICOM file(s)\nnot converted: gzipped, unzip=no\n"
    return Conversion(series, State.NOTHING, "", (), log, (problem,))


def partly_gzipped_problem(series: Series, count: int) -> Problem:
    """Return the problem of a series with some gzipped files."""
    message = f"{count} of its {series.files} files are gzipped and unzip=no; only the others were converted."
    return Problem(Code.CONVERT_PARTIAL, subject(series), message, "Import it with --unzip=yes.", Severity.WARNING)
