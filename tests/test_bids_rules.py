"""The rule file is read, or refused with file, line and name before anything is written."""

import contextlib
import re
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qxbatch.bids.decide.texts import toml_value
from qxbatch.bids.images.facts import ImageFacts
from qxbatch.bids.model import ExportImage
from qxbatch.bids.rules.match_keys import KEYS
from qxbatch.bids.rules.matching import first_match
from qxbatch.bids.rules.rule_file import parse_rules, read_rules
from qxbatch.bids.rules.rule_reader import OPTIONS
from qxbatch.bids.schema.names import load_schema
from qxbatch.bids.schema.target import TargetError, read_target
from qxbatch.exits import ExitStatus
from qxbatch.model import SeriesKind, State
from qxbatch.problems import UsageError
from qxbatch.session.folder import SessionFolder
from qxbatch.session.summary_parts import ImageSummary, SeriesSummary
from tests.build.bids import Scan, names, plan, rules
from tests.conftest import REPOSITORY

RULE = '[[rule]]\nmatch = {{ {match} }}\nas = "{target}"\n'
BOLD = "func/task-rest_bold"
SERIES = SeriesSummary(50, SeriesKind.DICOM, 1, 1, {"SeriesDescription": "a", "SeriesNumber": 5}, State.CONVERTED, "x")
IMAGE = ImageSummary(51, 50, 1, 1, "a", {}, (4, 4, 4), ())


def refusal(tmp_path, text):
    with pytest.raises(UsageError) as caught:
        rules(tmp_path, text)
    assert caught.value.status is ExitStatus.USAGE
    return caught.value.message.removeprefix(f"{tmp_path}/"), caught.value.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[[rules]]\n", "rules.toml:1: the key 'rules' is not known.", "Did you mean rule?"),
        ('[[rule]]\nmach = { name = "a" }\n', "rules.toml:2: the key 'mach' is not known.", "Did you mean match?"),
        ('[[rule]]\nas = "anat/T1w"\n', "rules.toml:1: a rule needs a table match.", 'match = { name = "rest*" }'),
        ('[[rule]]\nmatch = { name = "a" }\n', "rules.toml:1: the rule has neither as nor ignore.", "ignore ="),
        (
            '[[rule]]\nmatch = { name = "a" }\nas = "anat/T1w"\nignore = "x"\n',
            "rules.toml:1: the rule has both as and ignore.",
            "",
        ),
        ('[[rule]]\nmatch = { nam = "a" }\n', "rules.toml:2: the key 'nam' is not known.", "Did you mean name?"),
        (
            '[[rule]]\nmatch = { EchoTme = 3 }\nas = "anat/T1w"\n',
            "rules.toml:2: the key 'EchoTme' is not known.",
            "Did you mean EchoTime?",
        ),
        (
            '[[rule]]\nmatch = { kind = "phas" }\nas = "anat/T1w"\n',
            "rules.toml:2: kind = 'phas' cannot be read.",
            "Write one of magnitude, phase",
        ),
        (
            '[[rule]]\nmatch = { volumes = "many" }\nas = "anat/T1w"\n',
            "rules.toml:2: volumes = 'many' cannot be read.",
            '">=100"',
        ),
        (
            '[[rule]]\nmatch = { name_regex = "(" }\nas = "anat/T1w"\n',
            "rules.toml:2: name_regex = '(' cannot be read.",
            "regular expression",
        ),
        (
            '[[rule]]\nmatch = { name = "a" }\nas = "anat/T1w"\nrepeat = "first"\n',
            "rules.toml:4: 'first' is not known.",
            "last, all, longest, complete",
        ),
        (
            '[[rule]]\nmatch = { name = "a" }\nas = "fmap/epi"\nserves = { by = ["shims"] }\n',
            "rules.toml:4: 'shims' is not known.",
            "shim, geometry, nearest-time",
        ),
        (
            '[[rule]]\nmatch = { name = "a" }\nas = "perf/asl"\nset = { LabelingDuratoin = 1.8 }\n',
            "rules.toml:4: the key 'LabelingDuratoin' is not known.",
            "Did you mean LabelingDuration?",
        ),
        (
            '[[rule]]\nmatch = { name = "a" }\nas = "perf/asl"\ncontext = ["lable"]\n',
            "rules.toml:4: 'lable' is not known.",
            "control, label",
        ),
        ('[[rule]]\nmatch = { name = "a" }\nignore = 3\n', "rules.toml:3: ignore = 3 cannot be read.", '"localizer"'),
        ('[[rule]]\nmatch = { name = "a" }\nignore = ""\n', "rules.toml:3: ignore = '' cannot be read.", '"localizer"'),
        (
            '[[rule]]\nmatch = { name = "a" }\nas = ""\n',
            "rules.toml:3: as = '' cannot be read.",
            '"func/task-rest_bold"',
        ),
        ('[[rule]]\nmatch = { name = "a" }\nas = 3\n', "rules.toml:3: as = 3 cannot be read.", '"func/task-rest_bold"'),
        ("# nothing\n", "rules.toml:1: there is no rule.", "[[rule]]"),
        (
            '[[rule]]\nas = "anat/T1w"\nas = "anat/T2w"\n',
            "rules.toml:3: this is not TOML: a key exists twice in one table.",
            "Leave one",
        ),
        ("[[rule]]\nmatch = {\n", "rules.toml:2: this is not TOML", "in quotes"),
        (
            '[session.S1]\n"seven" = { ignore = "x" }\n',
            "rules.toml:2: the key 'seven' is not a series number.",
            '"7"',
        ),
        ('[session.S1]\n"7" = { match = {} }\n', "rules.toml:2: the key 'match' is not known.", ""),
        ('[session.S1]\nsubject = "0-1"\n', "rules.toml:2: subject = '0-1' cannot be read.", "letters and digits"),
        ('[session.S1]\nsubject = ""\n', "rules.toml:2: subject = '' cannot be read.", "letters and digits"),
        (
            '[[rule]]\nmatch = { name = ["a", 3] }\nas = "anat/T1w"\n',
            "rules.toml:2: name = ['a', 3] cannot be read.",
            "a list of texts",
        ),
        (
            '[[rule]]\nmatch = { name = "a[z-a]" }\nas = "anat/T1w"\n',
            "rules.toml:2: name = 'a[z-a]' cannot be read.",
            "a glob (bad character range z-a",
        ),
        (
            '[labels]\npattern = "{subject}[z-a]"\n',
            "rules.toml:2: pattern = '{subject}[z-a]' cannot be read.",
            "a glob",
        ),
        (
            '[[rule]]\nmatch = { name = "a" }\nas = "anat/T1w"\nrepeat = 3\n',
            "rules.toml:4: 3 is not known.",
            "Write one of: last, all",
        ),
        (
            '[[rule]]\nmatch = { name = "a" }\nas = "func/task-{task}_bold.nii.gz"\n',
            "rules.toml:3: func/task-{task}_bold.nii.gz has the extension .nii.gz.",
            "Write func/task-{task}_bold.",
        ),
        ('[labels]\nsubjects = { a = "" }\n', "rules.toml:2: a = '' cannot be read.", "a label of letters and digits"),
        ("[labels]\nsubjects = 3\n", "rules.toml:2: subjects is not a table.", 'Write [labels."subjects"]'),
        ('[labels]\nsubject = "{sub}"\n', "rules.toml:2: {sub} is not known.", "{subject}"),
        ('[labels]\npattern = "*"\n', "rules.toml:2: pattern has no {subject}.", "{subject}_{session}"),
        ("[dataset]\nName = 1979-05-27\n", "rules.toml:2: Name = 1979-05-27 cannot be read.", "a text"),
        (
            '[dataset]\nAuthors = "me"\n',
            "rules.toml:2: Authors = 'me' cannot be read.",
            "a list in which each item is a text",
        ),
        (
            "[dataset]\nDatasetLinks = { a = nan }\n",
            "rules.toml:2: DatasetLinks = {'a': nan} cannot be read.",
            "a table",
        ),
        ('[dataset]\nname = "x"\n', "rules.toml:2: the key 'name' is not known.", "Did you mean Name?"),
    ],
)
def test_an_unknown_key_or_value_is_named_with_its_line(tmp_path, text, message, hint):
    needs_rule = text.startswith(("[labels]", "[dataset]"))
    error = refusal(tmp_path, text + ('[[rule]]\nmatch = { name = "a" }\nas = "anat/T1w"\n' if needs_rule else ""))
    assert error[0].startswith(message)
    assert hint in error[1]


@pytest.mark.parametrize(
    ("target", "message", "hint"),
    [
        ("bold", "'bold' is not a data type and a name.", "func/task-rest_bold"),
        ("fnc/task-rest_bold", "the data type 'fnc' is not known.", "Did you mean func?"),
        ("func/task-rest_bld", "the suffix 'bld' is not known.", "Did you mean bold?"),
        ("anat/task-rest_bold", "the suffix 'bold' does not belong to the data type anat.", "It belongs to func."),
        ("func/tsk-rest_bold", "the entity 'tsk' is not known.", "Did you mean task?"),
        ("anat/dir-AP_T1w", "anat/T1w cannot have the entity dir.", "It can have:"),
        ("func/dir-AP_bold", "func/bold needs the entity task.", "Write task-<label>."),
        ("func/task-n_back_bold", "'back' is not an entity with a label.", "task-rest"),
        ("func/task-n.back_bold", "task-n.back is not valid.", "letters and digits"),
        ("func/task-a_task-b_bold", "the entity task is given twice.", "one of them"),
        ("func/task-a_run-x_bold", "run-x is not valid.", "a number"),
        ("func/task-a_part-magn_bold", "part-magn is not valid.", "Did you mean mag?"),
        ("anat/sub-01_T1w", "sub- is given by the session.", "[labels]"),
        ("fmap/dir-{pe}_epi", "{pe} is not captured by any key of match.", "dir"),
        ("func/task-{name_bold", "'func/task-{name_bold' has an unmatched brace.", "dir-{dir}"),
        ("anat/{name}", "data type and suffix cannot be in braces.", "each suffix"),
        ("anat/acq-{name}!_T1w", "acq-{name}! is not valid.", "letters, digits and names in braces"),
        ("func/task-{task}.y_bold", "task-{task}.y is not valid.", "letters, digits and names in braces"),
        ("func/task-{task}-b_bold", "task-{task}-b is not valid.", "letters, digits and names in braces"),
    ],
)
def test_an_invalid_target_is_refused(tmp_path, target, message, hint):
    error = refusal(tmp_path, RULE.format(match='name = "a"', target=target))
    assert error[0] == f"rules.toml:3: {message}"
    assert hint in error[1]


@pytest.mark.parametrize(
    "target",
    [
        *("anat/T1w", "anat/T2w", "anat/FLAIR", "anat/MP2RAGE", "anat/UNIT1", "anat/MEGRE", "anat/VFA", BOLD),
        "func/task-a{name}b{number}_bold",
        *("func/task-{name}_sbref", "dwi/dir-AP_dwi", "perf/asl", "perf/m0scan", "fmap/dir-PA_epi", "fmap/phasediff"),
        *(
            "fmap/magnitude1",
            "fmap/phase1",
            "fmap/fieldmap",
            "func/task-a{name}b{number}_bold",
            "anat/acq-a_rec-norm_run-1_echo-2_part-phase_T2starw",
        ),
    ],
)
def test_a_valid_target_is_accepted(tmp_path, target):
    (rule,) = rules(tmp_path, RULE.format(match='name = "a"', target=target)).rules
    assert rule.target == target


def test_entities_are_sorted_in_bids_order(tmp_path):
    text = RULE.format(match='name = "a"', target="func/dir-AP_acq-x_task-rest_bold")
    assert names(plan(tmp_path, text, Scan(1, "a"))) == {11: "func/task-rest_acq-x_dir-AP_bold"}


def test_a_missing_schema_is_reported_with_the_command_that_installs_it(tmp_path, monkeypatch):
    from qxbatch.bids.schema import names as schema

    schema.load_schema.cache_clear()
    monkeypatch.setitem(sys.modules, "bidsschematools.schema", None)
    with pytest.raises(UsageError) as caught:
        rules(tmp_path, RULE.format(match='name = "a"', target="anat/T1w"))
    assert caught.value.status is ExitStatus.UNAVAILABLE
    assert "pip install 'qxbatch[bids]'" in caught.value.hint


def test_a_missing_rule_file_is_named_with_the_option_that_proposes_one(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml: cannot be read") as caught:
        read_rules(tmp_path / "none.toml")
    assert "--init=FILE" in caught.value.hint


DOCUMENT = (REPOSITORY / "docs" / "bids.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("key", [*KEYS, *OPTIONS, "not"])
def test_every_key_is_documented(key):
    assert f"`{key}`" in DOCUMENT


def test_the_documented_rule_file_is_valid(tmp_path):
    example = DOCUMENT.partition("```toml\n")[2].partition("```")[0]
    rule_file = rules(tmp_path, example)
    assert len(rule_file.rules) == example.count("[[rule]]") > 3
    assert rule_file.session_tables["S012"].subject == "12"
    assert rule_file.description_fields == {"Name": "Working memory"}


def test_a_rule_of_a_session_accepts_the_options_of_a_rule(tmp_path):
    text = '[session.S01]\n"3" = { as = "perf/asl", set = { M0Type = "Absent" }, context = ["control", "label"] }\n'
    (rule,) = rules(tmp_path, text).session_tables["S01"].rules
    assert (rule.sidecar_fields, rule.context, rule.line) == ({"M0Type": "Absent"}, ("control", "label"), 2)


def test_serves_has_defaults(tmp_path):
    text = RULE.format(match='name = "a"', target="fmap/epi") + 'serves = { write = ["IntendedFor"] }\n'
    (rule,) = rules(tmp_path, text).rules
    assert rule.field_map_options == (("shim", "geometry", "nearest-time"), ("IntendedFor",))


@given(number=st.floats(allow_nan=False))
def test_a_number_is_written_without_loss(number):
    assert tomllib.loads(f"key = {toml_value(number)}") == {"key": number}


WORDS = st.sampled_from(
    ["", "rest", "{dir}", "{x", "[", "*", "(", "30±1", ">=1", "1-0", "func/task-a_bold", "not", "\u2028"]
)
NUMBERS = st.one_of(
    st.integers(-(10**20), 10**20), st.just(10**400), st.floats(allow_nan=True, width=32), st.booleans()
)
VALUES = st.recursive(
    st.one_of(WORDS, NUMBERS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "kind", "by", "EchoTime", "x", "not"]), inner, max_size=2),
    ),
    max_leaves=6,
)
KEY_NAMES = st.sampled_from([*KEYS, "not", "EchoTime", "MTState", "ImageType", *OPTIONS])


@settings(max_examples=300)
@given(key=KEY_NAMES, value=VALUES)
def test_any_value_is_read_or_refused_with_its_line(key, value):
    assignment = f"{key} = {toml_value(value)}"
    text = (
        f'[[rule]]\nmatch = {{ name = "a" }}\n{assignment}\n'
        + ('as = "anat/T1w"\n' if key not in ("as", "ignore") else "")
        if key in OPTIONS
        else f'[[rule]]\nmatch = {{ {assignment} }}\nas = "anat/T1w"\n'
    )
    try:
        rule_file = parse_rules(text)
    except UsageError as error:
        assert re.match(r"rules\.toml:[1-4]: ", error.message)  # noqa: PT017 - most values are valid
        return
    assert [rule.line for rule in rule_file.rules] == [1]
    facts = ImageFacts(ExportImage(SessionFolder(Path("S01")), SERIES, IMAGE, {"EchoTime": 0.03, "ImageType": ["M"]}))
    first_match(rule_file.rules, facts)


@settings(max_examples=300)
@given(text=st.text(alphabet="abT1w/_-{}.:0+\u00e9 ", max_size=24))
def test_any_target_is_read_or_refused(text):
    with contextlib.suppress(TargetError):
        target = read_target(text, load_schema())
        assert read_target(f"{target.datatype}/{target.path('1', '').partition('_')[2]}", load_schema()) == target


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('EchoTime = "30"', "a number above 0"),
        ("EchoTime = nan", "a number above 0"),
        ("EchoTime = -1", "a number above 0"),
        ("EchoTime = true", "a number above 0"),
        ("EchoTime = 1979-05-27", "a number above 0"),
        ('SliceTiming = ["a"]', "a list in which each item is a number of at least 0"),
        ("BackgroundSuppression = 1", "true or false"),
        ('M0Type = "Seperate"', "one of: Separate"),
        ('ArterialSpinLabelingType = "pcasl"', "one of: CASL"),
    ],
)
def test_an_invalid_value_of_a_field_is_refused_with_the_valid_ones(tmp_path, value, expected):
    message, hint = refusal(tmp_path, RULE.format(match='name = "a"', target=BOLD) + f"set = {{ {value} }}\n")
    assert message.startswith(f"rules.toml:4: {value.partition(' ')[0]} = ")
    assert expected in hint


@pytest.mark.parametrize(
    "value",
    [
        "EchoTime = 0.03",
        "EchoTime = [0.01, 0.02]",
        "BackgroundSuppression = true",
        'M0Type = "Separate"',
        "SliceTiming = [0, 1]",
    ],
)
def test_a_valid_value_of_a_field_is_accepted(tmp_path, value):
    rule_file = rules(tmp_path, RULE.format(match='name = "a"', target=BOLD) + f"set = {{ {value} }}\n")
    assert list(rule_file.rules[0].sidecar_fields) == [value.partition(" ")[0]]
