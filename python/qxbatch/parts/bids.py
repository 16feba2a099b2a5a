"""`qxbatch bids`: sessions become a BIDS data set, by a rule file that decides every series."""

from collections.abc import Mapping
from pathlib import Path

from qxbatch.bids.decide.decision import decide
from qxbatch.bids.decide.explanation import explain
from qxbatch.bids.decide.plan_table import plan_text, read_plan
from qxbatch.bids.model import SessionPlan
from qxbatch.bids.rules.rule_file import read_rules
from qxbatch.discover.filters import by_glob
from qxbatch.exits import ExitStatus
from qxbatch.parts.bids_export import export_plans
from qxbatch.parts.bids_init import propose_rules
from qxbatch.parts.bids_options import PRINTED, BidsOptions, read_options
from qxbatch.parts.places import chosen_sessions
from qxbatch.problems import UsageError
from qxbatch.session.folder import SessionFolder


def run(options: Mapping[str, object]) -> int:
    """Export, or do what was asked instead; return the exit status. Raises UsageError."""
    asked = read_options(options)
    every = [SessionFolder(path) for path in chosen_sessions([str(asked.sessionsfolder)])]
    asked = asked._replace(sessionsfolder=every[0].path.parent)
    if asked.init is not None:
        return int(propose_rules(asked, every))
    assert asked.rules is not None
    rules = read_rules(asked.rules)
    if asked.explain is not None:
        print(explain(every, rules, *asked.explain))
        return int(ExitStatus.OK)
    plans = decide(every, rules)
    if isinstance(asked.plan, Path):
        plans = read_plan(asked.plan, plans)
    chosen = _chosen(plans, asked)
    if asked.plan == PRINTED:
        print(plan_text(chosen), end="")
        return int(ExitStatus.OK)
    return int(export_plans(asked, rules, chosen, complete=len(chosen) == len(every)))


def _chosen(plans: list[SessionPlan], asked: BidsOptions) -> list[SessionPlan]:
    if not asked.sessions:
        return plans
    chosen = [plan for plan in plans if by_glob(plan.session.id, asked.sessions)]
    if not chosen:
        raise UsageError(
            f"--sessions={','.join(asked.sessions)} names no session in {asked.sessionsfolder}.",
            f"There are, for example, {', '.join(plan.session.id for plan in plans[:3])}.",
            ExitStatus.NOTHING_READY,
        )
    return chosen
