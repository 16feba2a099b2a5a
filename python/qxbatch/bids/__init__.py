"""Export of finished sessions to a BIDS raw data set.

What decides, and what writes, meet in these functions:

- `rules.read_rules(path) -> RuleFile`: raises UsageError before anything is written.
- `facts.images_of(session) -> tuple[ExportImage, ...]`: raises SessionFactsError.
- `decide.decide(sessions, rules) -> list[SessionPlan]`: pure; a session with `problem` or `undecided` is not written.
- `propose.propose(sessions) -> str`: the text of a rule file.
- `plan_table.plan_text(plans) -> str`: the editable table.
- `plan_table.read_plan(path, plans) -> list[SessionPlan]`: an edited one; rules still give all but the paths.
- `explain.explain(sessions, rules, session, series) -> str`: which rule won, and why the others did not.
"""
