"""`qxbatch protocol learn`: proposes protocol.toml from the series that the sessions have, by the rules of docs/protocol.md."""

import sys

from qxbatch.commands.proposal_file import ProposalFile
from qxbatch.commands.scanned_sessions import scanned_sessions
from qxbatch.exits import ExitStatus
from qxbatch.problems import UsageError
from qxbatch.protocol.scanned import ScannedSession
from qxbatch.settings.paths import absolute_path
from qxbatch.study.comparison import NotCompared
from qxbatch.study.learn import learn
from qxbatch.study.proposal import proposal_text
from qxbatch.visible import one_line, shell_word


def learn_protocol(folder: str, output: str, *, overwrite: bool, test: bool) -> ExitStatus:
    """Write the proposed protocol to the file `output`, or with `test` only print it. Raises UsageError."""
    sessionsfolder = absolute_path("<sessionsfolder>", folder)
    file = None if test else ProposalFile("--output", absolute_path("--output", output), sessionsfolder, overwrite)
    if file is not None:
        file.check()
    all_sessions = list(scanned_sessions(folder))
    for session in all_sessions:
        if isinstance(session, NotCompared):
            print(f"left out: {one_line(f'{session.id}: {session.problem}')}", file=sys.stderr)
    sessions = [session for session in all_sessions if isinstance(session, ScannedSession)]
    learned = learn(sessions)
    series = len(learned.protocol.series)
    if not series:
        hint = "Import sessions, or compute the facts of existing ones with `qxbatch inspect --update`."
        raise UsageError(f"No session in {folder} has a series to learn from.", hint, ExitStatus.NOTHING_READY)
    text = proposal_text(learned)
    if file is None:
        print(text, end="")
        return ExitStatus.OK
    file.write(text)
    print(f"wrote {one_line(output)}: {series} series from {len(sessions)} session{'s' * (len(sessions) != 1)}")
    print("Read and correct it, then run:")
    print(f"  qxbatch protocol check {shell_word(folder)} --protocol={shell_word(output)}")
    return ExitStatus.OK
