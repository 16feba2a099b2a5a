"""The Python interface: docs/python-api.md is true, and importing the package loads no submodule."""

import inspect
import logging
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import qxbatch
from qxbatch import demo
from qxbatch.api import packets
from qxbatch.settings import keywords
from qxbatch.settings.import_parameters import ImportParameters
from qxbatch.settings.parameter import Group
from qxbatch.settings.parameters import PARAMETERS
from tests.build.dicom import MrSeries
from tests.build.study import Study

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENT = (REPOSITORY / "docs" / "python-api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"(?s)```python\n(.*?)```\n\nprints\n\n```\n(.*?)```", DOCUMENT)


@pytest.fixture
def imported(study: Study) -> Study:
    """A study with session S1, which has one series."""
    study.put("S1", MrSeries().files())
    assert qxbatch.import_packets(study.sessions, quiet=True).ok
    return study


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[subprocess.CompletedProcess[str]]:
    """Run the examples one after the other in one demo: later ones read the sessions that earlier ones import."""
    folder = tmp_path_factory.mktemp("demo")
    demo.make_study(folder)
    commands = [[sys.executable, "-c", code] for code, _ in EXAMPLES]
    return [subprocess.run(each, cwd=folder, capture_output=True, text=True, check=False) for each in commands]


def test_every_example_of_the_document_has_its_output() -> None:
    assert len(EXAMPLES) == DOCUMENT.count("```python") == 5


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_an_example_prints_the_documented_output(results: list[subprocess.CompletedProcess[str]], index: int) -> None:
    (code, expected), done = EXAMPLES[index], results[index]
    example = f"docs/python-api.md, example {index + 1}:\n{code}\n{done.stderr}"
    assert (done.stdout, done.returncode) == (expected, 0), example


def test_the_document_names_the_whole_public_interface() -> None:
    assert [name for name in qxbatch.__all__ if name not in DOCUMENT and name != "__version__"] == []
    for each in (qxbatch.ScannedPath, qxbatch.ScannedSeries, qxbatch.ImportResult, qxbatch.Verified):
        assert [name for name in each.__dataclass_fields__ if f"`{name}`" not in DOCUMENT] == []


def test_all_public_names_exist_and_have_docstrings() -> None:
    assert set(qxbatch.__all__) <= set(dir(qxbatch))
    for name in set(qxbatch.__all__) - {"__version__"}:
        assert inspect.getdoc(getattr(qxbatch, name)), name
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", qxbatch.__version__)
    with pytest.raises(AttributeError, match="no attribute 'imports'"):
        qxbatch.imports  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_loads_no_submodule() -> None:
    code = "import sys; import qxbatch; print(*(name for name in sys.modules if name.startswith('qxbatch.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_subpackage_has_the_name_of_a_public_function() -> None:
    code = (
        "import pkgutil, qxbatch\n"
        "submodules = {each.name for each in pkgutil.iter_modules(qxbatch.__path__)}\n"
        "print(*submodules & set(qxbatch.__all__))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_keywords_equal_the_parameter_table() -> None:
    path = REPOSITORY / "python" / "qxbatch" / "settings" / "import_parameters.py"
    assert path.read_text() == keywords.module_text(), "run .venv/bin/python -m qxbatch.settings.render"
    names = {each.name for each in PARAMETERS if each.group is not Group.CLUSTER}
    assert set(ImportParameters.__annotations__) == names - set(keywords.NO_KEYWORDS)
    assert set(keywords.NO_KEYWORDS) <= names


def test_python_values_become_command_line_values() -> None:
    given = {"overwrite": True, "quiet": False, "sessions": ["A", "B.*"], "n_procs": 2, "masterinbox": Path("/in")}
    texts = {"overwrite": "yes", "quiet": "no", "sessions": "A,B.*", "n_procs": "2", "masterinbox": "/in"}
    assert keywords.parameter_texts({**given, "mem": None}) == texts


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"archiv": "copy"}, "did you mean archive?"),
        ({"log_file": "x"}, "no parameter 'log_file'"),
        ({"scheduler": "SLURM"}, "no parameter 'scheduler'"),
        ({"nameformat": ["a"]}, "nameformat cannot be a list"),
        ({"mem": {}}, "mem cannot be a dict"),
        ({"sessions": [True]}, "sessions cannot be a list"),
    ],
)
def test_a_wrong_keyword_is_a_type_error(given: dict[str, typing.Any], message: str, study: Study) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        qxbatch.import_packets(study.sessions, **given)


def test_an_item_of_a_list_that_would_become_two_is_a_usage_error(study: Study) -> None:
    with pytest.raises(qxbatch.UsageError, match=r"sessions: an item of .* has a comma"):
        qxbatch.import_packets(study.sessions, sessions=["a,b"])


def test_an_import_returns_the_outcome_of_each_packet(study: Study) -> None:
    study.put("S1", MrSeries().files())
    study.put_bytes("broken.zip", b"PK\x03\x04 no zip")
    result = qxbatch.import_packets(study.sessions, archive="copy", n_procs=1)
    assert (result.status, result.ok) == (qxbatch.ExitStatus.FAILED, False)
    by_packet = {each.packet: each for each in result.sessions}
    assert by_packet["S1.zip"].folder == study.session("S1")
    assert by_packet["broken.zip"].folder is None
    assert [problem.code.value for problem in by_packet["broken.zip"].problems] == ["damaged"]


def test_a_dry_run_writes_nothing(study: Study) -> None:
    study.put("S1", MrSeries().files())
    result = qxbatch.import_packets(str(study.sessions), test=True)
    assert [candidate.verdict.value for candidate in result.found] == ["ready"]
    assert sorted(path.name for path in study.sessions.iterdir()) == ["inbox"]


def test_a_question_needs_a_terminal(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qxbatch.cli.start.has_terminal", lambda: False)
    with pytest.raises(qxbatch.UsageError, match="no terminal"):
        qxbatch.import_packets(study.sessions, check="yes")


def test_the_log_says_how_the_folder_argument_is_interpreted(study: Study, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("qxbatch")
    logger.propagate = True  # a run of the command in this process switches it off
    with caplog.at_level(logging.INFO, "qxbatch"):
        packets.import_packets(study.sessions.parent, check="no")
    assert "is a study folder" in caplog.text


def test_a_session_is_opened(imported: Study) -> None:
    session = qxbatch.open_session(imported.session("S1"))
    assert (session.id, session.state.value) == ("S1", "complete")
    assert [image.number for image in session.images] == [31]


@pytest.mark.parametrize(
    ("below", "message"),
    [(".", "is a folder of sessions"), ("none", "does not exist"), ("inbox", "contains no session")],
)
def test_opening_a_path_that_is_no_session_is_a_usage_error(imported: Study, below: str, message: str) -> None:
    with pytest.raises(qxbatch.UsageError, match=message):
        qxbatch.open_session(imported.sessions / below)


def test_verify_returns_what_is_wrong(imported: Study) -> None:
    assert [each.wrong for each in qxbatch.verify(imported.sessions)] == [()]
    (image,) = (imported.session("S1") / "nii").glob("*.nii.gz")
    image.write_bytes(b"other")
    (verified,) = qxbatch.verify(str(imported.session("S1")), n_procs=1)
    assert any(str(image) in text for text in verified.wrong)
    with pytest.raises(qxbatch.UsageError, match="does not exist"):
        qxbatch.verify(imported.sessions / "none")


def test_damaged_records_of_a_session_raise_value_errors(imported: Study) -> None:
    session = qxbatch.open_session(imported.session("S1"))
    (session.path / "qxbatch" / "summary.json").write_text("{")
    (session.path / "qxbatch" / "ledger.tsv").write_text("no ledger\n")
    with pytest.raises(ValueError, match="cannot be read"):
        _ = session.series
    with pytest.raises(ValueError, match="does not name the ledger's columns"):
        list(session.ledger())


def test_scan_accepts_one_path_or_several(study: Study, tmp_path: Path) -> None:
    packet = study.put("S1", MrSeries(number=4).files())
    (scanned,) = qxbatch.scan(str(packet))
    assert [(series.number, series.kind, series.patient_id) for series in scanned.series] == [(4, "DICOM", "P001")]
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(packet.read_bytes()[:-200])
    assert [bool(each.problems) for each in qxbatch.scan([packet, damaged], n_procs=1)] == [False, True]
    with pytest.raises(qxbatch.UsageError, match="does not exist"):
        qxbatch.scan([tmp_path / "none"])


def test_the_text_of_an_error_includes_its_hint() -> None:
    assert str(qxbatch.UsageError("It is wrong.", "Do this.")) == "It is wrong. Do this."
