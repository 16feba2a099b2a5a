"""`qxbatch bids`: exports sessions to a BIDS data set, by a rule file that decides every series."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.decide.explanation import explain
from qxbatch.bids.decide.labels import known_subject_label
from qxbatch.bids.decide.plan_table import plan_table_text, read_plan_table
from qxbatch.bids.rules.rule_file import read_rules
from qxbatch.commands.bids_export import export_plans
from qxbatch.commands.bids_init import propose_rules
from qxbatch.commands.bids_options import PRINT_PLAN, BidsOptions, is_chosen, read_options
from qxbatch.commands.chosen_sessions import chosen_sessions
from qxbatch.exits import ExitStatus
from qxbatch.os_error import access_hint
from qxbatch.problems import UsageError
from qxbatch.session.contents import has_session_records, is_imported, why_unreadable
from qxbatch.session.folder import SessionFolder


def run(options: Mapping[str, object]) -> int:
    """Export, propose, explain or plan, as the options say; return the exit status. Raises UsageError."""
    bids_options = read_options(options)
    sessions = [SessionFolder(path) for path in chosen_sessions([str(bids_options.sessionsfolder)])]
    # the named folder can be a session, or contain the sessions folder as `sessions`
    is_one_session = sessions[0].path == bids_options.sessionsfolder
    if is_one_session:
        _refuse_unreadable(bids_options.sessionsfolder)
    bids_options = bids_options._replace(sessionsfolder=sessions[0].path.parent)
    _check_choice([session.id for session in sessions], bids_options)
    if bids_options.init is not None:
        return int(propose_rules(bids_options, sessions))
    assert bids_options.rules is not None
    rules = read_rules(bids_options.rules)
    if bids_options.explain is not None:
        print(explain(sessions, rules, *bids_options.explain))
        return int(ExitStatus.OK)
    plans = decide(sessions, rules)
    if isinstance(bids_options.plan, Path):
        plans = read_plan_table(bids_options.plan, plans)
    chosen = [plan for plan in plans if is_chosen(plan.session.id, bids_options)]
    if bids_options.plan == PRINT_PLAN:
        print(plan_table_text(chosen), end="")
        return int(ExitStatus.OK)

    def subject_label_of(session: str) -> str:
        return known_subject_label(bids_options.sessionsfolder / session, rules)

    includes_all_sessions = len(chosen) == len(sessions) and not is_one_session
    return int(export_plans(bids_options, rules, chosen, subject_label_of, includes_all_sessions=includes_all_sessions))


def _refuse_unreadable(folder: Path) -> None:
    """Raise UsageError if a folder counts as a session only because it cannot be listed: it can be a sessions folder."""
    if not (has_session_records(folder) or is_imported(folder)):
        raise UsageError(f"{folder} cannot be read: {why_unreadable(folder) or 'try again'}.", access_hint(folder))


def _check_choice(ids: Sequence[str], options: BidsOptions) -> None:
    """Raise UsageError if --sessions names none of the sessions."""
    if not any(is_chosen(session, options) for session in ids):
        raise UsageError(
            f"--sessions={','.join(options.sessions)} names no session in {options.sessionsfolder}.",
            f"Sessions of this folder are, for example, {', '.join(ids[:3])}.",
            ExitStatus.NOTHING_READY,
        )
