"""`qxbatch bids --init`: proposes a rule file from the sessions of a study."""

import os

from qxbatch.bids.propose.proposal import propose
from qxbatch.commands.bids_options import BidsOptions
from qxbatch.discover.filters import by_glob
from qxbatch.exits import ExitStatus
from qxbatch.os_error import reason_text
from qxbatch.problems import UsageError
from qxbatch.publish.durable import replaced_text
from qxbatch.session.folder import SessionFolder
from qxbatch.visible import one_line, shell_word


def propose_rules(options: BidsOptions, sessions: list[SessionFolder]) -> ExitStatus:
    """Write the proposed rule file, or print it with `test`. Raises UsageError."""
    path = options.init
    assert path is not None
    if not options.test and os.path.lexists(path):
        if not path.is_file():
            raise UsageError(f"{path} is not a file.", "Name another file with --init.", ExitStatus.CANNOT_WRITE)
        if not options.overwrite:
            raise UsageError(
                f"{path} exists already; nothing was written.", "Name another file, or add --overwrite=yes."
            )
    chosen = [session for session in sessions if not options.sessions or by_glob(session.id, options.sessions)]
    text = propose(chosen)
    if options.test:
        print(text, end="")
        return ExitStatus.OK
    try:
        replaced_text(path, text)
    except OSError as error:
        hint = "Name a file in a folder that can be written."
        raise UsageError(f"Cannot write {path}: {reason_text(error, path)}.", hint, ExitStatus.CANNOT_WRITE) from None
    print(f"wrote {one_line(str(path))} from {len(chosen)} session{'s' * (len(chosen) != 1)}")
    print("Read and correct it, then run:")
    folders = f"{shell_word(str(options.sessionsfolder))} {shell_word(str(options.dataset))}"
    print(f"  qxbatch bids {folders} --rules={shell_word(str(path))}")
    return ExitStatus.OK
