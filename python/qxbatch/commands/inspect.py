"""`qxbatch inspect`: compares what was planned with what was scanned, in packets and sessions. Imports and converts nothing."""

from collections.abc import Mapping
from pathlib import Path

from qxbatch.commands.inspect_path import inspect_path
from qxbatch.commands.inspect_resources import print_problems, resources_of
from qxbatch.commands.inspect_table import as_json, as_table
from qxbatch.commands.option_values import need_existing
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.settings.paths import absolute_form
from qxbatch.visible import one_line


def run(options: Mapping[str, object]) -> int:
    """Print facts and verdicts, or store those of sessions; return the exit status. Raises UsageError."""
    resources = resources_of(options)
    paths = paths_of(options["<path>"])
    if options["--update"]:
        from qxbatch.commands.inspect_update import update_sessions

        return update_sessions(paths, options, resources)
    if options["--json"] and options["--wide"]:
        raise UsageError("--json has all facts: --wide is for the table.", "Give one of them.")
    sources = resources.run_interruptible(
        lambda: [source for path in paths for source in inspect_path(path, resources)]
    )
    print(as_json(sources) if options["--json"] else as_table(sources, wide=bool(options["--wide"])), end="")
    print_problems(problem for source in sources for problem in source.problems)
    if any(source.problems for source in sources):
        return int(ExitStatus.FAILED)
    if not any(source.series for source in sources):
        print_problems([f"{one_line(str(path))}: there is neither DICOM nor PAR/REC" for path in paths])
        return int(ExitStatus.NOTHING_READY)
    return int(ExitStatus.OK)


def paths_of(names: object) -> list[Path]:
    """Return the absolute paths that were named, each once. Raises UsageError when one does not exist or cannot be examined."""
    assert isinstance(names, list)
    paths = [absolute_form(str(name)) for name in names]
    for path in paths:
        need_existing(path, "Name folders, archives or sessions.")
    return list(dict.fromkeys(paths))
