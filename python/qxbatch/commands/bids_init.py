"""`qxbatch bids --init`: proposes a rule file from the sessions of a study."""

from qxbatch.bids.propose.proposal import propose
from qxbatch.commands.bids_options import BidsOptions, is_chosen
from qxbatch.commands.proposal_file import ProposalFile
from qxbatch.exits import ExitStatus
from qxbatch.session.folder import SessionFolder
from qxbatch.visible import one_line, shell_word


def propose_rules(options: BidsOptions, sessions: list[SessionFolder]) -> ExitStatus:
    """Write the proposed rule file, or print it with `test`. Raises UsageError."""
    path = options.init
    assert path is not None
    file = ProposalFile("--init", path, options.sessionsfolder, options.overwrite)
    if not options.test:
        file.check()
    chosen = [session for session in sessions if is_chosen(session.id, options)]
    text = propose(chosen)
    if options.test:
        print(text, end="")
        return ExitStatus.OK
    file.write(text)
    print(f"wrote {one_line(str(path))} from {len(chosen)} session{'s' * (len(chosen) != 1)}")
    print("Read and correct it, then run:")
    folders = f"{shell_word(str(options.sessionsfolder))} {shell_word(str(options.dataset))}"
    print(f"  qxbatch bids {folders} --rules={shell_word(str(path))}")
    return ExitStatus.OK
