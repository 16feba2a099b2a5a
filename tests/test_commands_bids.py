"""The arguments of `qxbatch bids`, and its functions other than the export."""

import errno
from pathlib import Path

import pytest

from qxbatch.bids.propose.proposal import propose
from qxbatch.commands.proposal_file import ProposalFile
from qxbatch.problems import UsageError
from qxbatch.session.folder import SessionFolder
from qxbatch.textfile import read_text
from tests.build.bids import Scan
from tests.build.bids_study import BidsStudy
from tests.build.study import run_main
from tests.faults.unprivileged import unprivileged


@pytest.fixture
def study(tmp_path):
    study = BidsStudy(tmp_path)
    study.add("S1")
    study.add("S2")
    return study


def bids(study: BidsStudy, *words: str):
    return run_main("bids", str(study.sessions), str(study.bids), *words)


def test_a_proposal_is_not_written_to_a_stream(tmp_path: Path) -> None:
    """A rename would replace /dev/stdout itself."""
    with pytest.raises(UsageError, match="is a stream"):
        ProposalFile("--init", Path("/dev/stdout"), tmp_path, overwrite=True).check()


def test_init_writes_rules_that_export_without_edits(study, tmp_path):
    rules = tmp_path / "proposed.toml"
    run = bids(study, f"--init={rules}")
    assert run.status == 0, run.text
    assert f"--rules={rules}" in run.out
    assert bids(study, f"--rules={rules}").status == 0
    assert (study.bids / "sub-S1").is_dir()


def test_init_replaces_a_file_only_with_overwrite(study):
    before = study.rules.read_text()
    run = bids(study, f"--init={study.rules}")
    assert run.status == 64
    assert study.rules.read_text() == before
    assert bids(study, f"--init={study.rules}", "--overwrite").status == 0
    assert study.rules.read_text() != before


def test_init_replaces_no_file_that_appears_while_sessions_are_read(study, tmp_path, monkeypatch):
    rules = tmp_path / "proposed.toml"

    def propose_and_save(*args):
        rules.write_text("mine = 1\n")
        return propose(*args)

    monkeypatch.setattr("qxbatch.commands.bids_init.propose", propose_and_save)
    run = bids(study, f"--init={rules}")
    assert run.status == 64
    assert "exists already; nothing was written" in run.err
    assert rules.read_text() == "mine = 1\n"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("before", [None, "# rules\n"])
def test_init_with_overwrite_replaces_no_other_file_that_appears_while_sessions_are_read(study, monkeypatch, before):
    notes = "%PDF-1.4 notes\n"
    path = study.rules
    path.unlink() if before is None else path.write_text(before)

    def propose_and_save(*args):
        path.write_text(notes)
        return propose(*args)

    monkeypatch.setattr("qxbatch.commands.bids_init.propose", propose_and_save)
    run = bids(study, f"--init={path}", "--overwrite=yes")
    assert run.status == 64
    assert "is not a rule file; it would be lost" in run.err
    assert path.read_text() == notes


def test_init_with_test_prints_the_rules(study, tmp_path):
    run = bids(study, f"--init={tmp_path / 'x.toml'}", "--test")
    assert "[[rule]]" in run.out
    assert not (tmp_path / "x.toml").exists()


def test_plan_prints_a_table_and_an_edited_table_is_exported(study, tmp_path):
    printed = study.run("--plan")
    assert printed.status == 0
    assert not study.bids.exists()
    table = tmp_path / "plan.tsv"
    table.write_text(printed.out.replace("sub-S1_T1w", "sub-S1_acq-new_T1w"))
    assert study.run(f"--plan={table}").status == 0
    assert "sub-S1/anat/sub-S1_acq-new_T1w.nii.gz" in study.tree()
    assert "sub-S2/anat/sub-S2_T1w.nii.gz" in study.tree()


def test_explain_names_the_rule_of_a_series(study):
    run = study.run("--explain", "S1", "3")
    assert run.status == 0
    assert "func/task-rest_bold" in run.out
    assert not study.bids.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--link=soft"], "--link=soft is not known"),
        (["--intended-for=url"], "--intended-for=url is not known"),
        (["--explain", "S1"], "--explain needs a session and a series"),
        (["--plan", "--explain", "S1", "3"], "--plan and --explain are given"),
        (["--plan", "--validate"], "nothing to --validate"),
        (["--test=yes", "--validate"], "nothing to --validate"),
        (["--plan", "--json"], "--plan and --json are given"),
        (["--explain", "S1", "3", "--json"], "--explain and --json are given"),
        (["--explain"], "--explain needs a value"),
        (["--participant-columns=age"], "--logfile is missing"),
        (["--shift-table=x"], "without --shift-dates"),
        (["--shift-dates", "--keep-identifying"], "--keep-identifying and --shift-dates"),
        (["--test=maybe"], "--test=maybe is not known"),
        (["--linc=hard"], "Did you mean --link?"),
    ],
)
def test_a_usage_error_is_reported_before_anything_is_written(study, words, message):
    run = study.run(*words)
    assert run.status == 64, run.text
    assert message in run.err
    assert not study.bids.exists()


def test_without_rules_the_message_has_the_command_that_proposes_them(study):
    run = bids(study)
    assert run.status == 64
    assert "--init=" in run.err


@pytest.mark.parametrize("action", ["--plan", "--test=yes", "--init"])
def test_a_pattern_without_sessions_is_reported_with_the_existing_sessions(study, tmp_path, action):
    proposal = tmp_path / "proposed.toml"
    run = (
        bids(study, f"--init={proposal}", "--sessions=X*") if action == "--init" else study.run(action, "--sessions=X*")
    )
    assert run.status == 66
    assert "--sessions=X* names no session" in run.err
    assert "S1, S2" in run.err
    assert not proposal.exists()


def test_a_session_of_another_program_does_not_stop_the_others(study):
    SessionFolder(study.sessions / "S2").paths.summary.unlink()
    run = study.run()
    assert run.status == 1
    assert "S2: not exported" in run.out
    assert (study.bids / "sub-S1").is_dir()


def test_two_sessions_with_the_same_label_are_reported_and_the_others_exported(study):
    study.add("a_1", subject="a_1")
    study.add("a-1", subject="a-1")
    run = study.run()
    assert run.status == 1
    assert "a-1" in run.out
    assert "a_1" in run.out
    assert not (study.bids / "sub-a1").exists()
    assert (study.bids / "sub-S1").is_dir()


def test_a_study_folder_means_its_sessions_folder(study):
    run = run_main("bids", str(study.sessions.parent), str(study.bids), f"--rules={study.rules}")
    assert run.status == 0, run.text
    assert (study.sessions / ".qxbatch" / "bids.json").is_file()


def test_the_terminal_shows_the_first_warnings_and_a_count(study):
    study.rules.write_text('[[rule]]\nmatch = { name = "*" }\nas = "fmap/dir-{number}_epi"\n')
    for k in range(25):
        study.add(f"W{k:02}", Scan(1, "se"))
    run = study.run()
    assert "more: --json lists all" in run.out
    assert run.out.count("to check:") == 20


def test_the_result_is_printed_if_a_signal_ends_the_validator(study, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    (study.sessions / "S1" / "nii" / "21.nii.gz").unlink()
    monkeypatch.setattr("qxbatch.commands.bids_export.find_validator", lambda: "validator")
    monkeypatch.setattr("qxbatch.commands.bids_export.validate", interrupt)
    run = study.run("--validate")
    assert run.status == 130
    assert "S1: not exported" in run.out


def test_a_data_set_does_not_contain_the_sessions_although_a_link_leads_to_them(tmp_path):
    study, link, root = BidsStudy(tmp_path / "study"), tmp_path / "link", tmp_path / "study"
    study.add("S1")
    link.symlink_to(study.sessions)
    (root / "dataset_description.json").write_text("{}")
    run = run_main("bids", str(link), str(root), f"--rules={study.rules}")
    assert run.status == 64
    assert "contains the sessions" in run.err
    assert not (root / "sub-S1").exists()


def test_a_sessions_folder_that_cannot_be_listed_is_not_taken_for_a_session(study):
    study.sessions.chmod(0o300)
    run = unprivileged(*study.words)
    study.sessions.chmod(0o700)
    assert run.status == 64, run.text
    assert f"{study.sessions} cannot be read: permission denied" in run.err
    assert not (study.sessions.parent / ".qxbatch").exists()
    assert not study.bids.exists()


def test_an_error_that_passes_while_a_summary_is_read_changes_no_label(study, monkeypatch):
    study.add("S1", subject="x", ses="a")
    assert study.run().status == 0
    before = study.tree()
    failed: list[object] = []

    def fail_once(path, *args):
        if path.parent.parent.name == "S1" and not failed:
            failed.append(path)
            raise OSError(errno.EIO, "Input/output error")
        return read_text(path, *args)

    monkeypatch.setattr("qxbatch.session.folder.read_text", fail_once)
    run = study.run()
    assert run.status == 1
    assert "S1: not exported:" in run.out
    assert failed
    assert {path: data for path, data in study.tree().items() if path.startswith("sub-")} == {
        path: data for path, data in before.items() if path.startswith("sub-")
    }
