"""Export of finished sessions to a BIDS raw data set.

The main entry points:

- `rules.rule_file.read_rules(path) -> RuleFile`: the checked rules; UsageError if the file is not valid.
- `images.facts.images_of(session) -> tuple[ExportImage, ...]`: SessionFactsError if the images are missing or cannot be read.
- `decide.decision.decide(sessions, rule_file) -> list[ExportPlan]`: reads the sessions and writes nothing; `run_export`
  does not write a session with `problem` or `undecided_series`.
- `propose.proposal.propose(sessions) -> str`: the text of a rule file.
- `decide.plan_table.plan_table_text(plans) -> str`: the editable table.
- `decide.plan_table.read_plan_table(path, plans) -> list[ExportPlan]`: the plans with the paths of an edited table.
- `decide.explanation.explain(sessions, rule_file, session, series) -> str`: which rule won, and why the others did not.
- `write.run.run_export(request, plans) -> ExportResult`: writes the planned sessions.
"""
