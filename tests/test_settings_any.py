"""Any value of any parameter gives settings or a usage error, never a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from qxbatch.problems import UsageError
from qxbatch.settings.config import read_config
from qxbatch.settings.model import Settings
from qxbatch.settings.parameters import PARAMETERS
from qxbatch.settings.parse import parse

SHARED = hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
NAMES = [parameter.name for parameter in PARAMETERS]
WORDS = [choice for parameter in PARAMETERS for choice in parameter.choices]
TEXT = st.sampled_from(["none", "all", "~", "~nobody-has-this-name", "\0", "9" * 30, "1e9", *WORDS]) | st.text(
    max_size=20
)


@SHARED
@given(given=st.dictionaries(st.sampled_from(NAMES), TEXT, max_size=3), bids_app=st.booleans())
@example(given={"work_dir": "~nobody-has-this-name"}, bids_app=False)
@example(given={"logfile": "path:~nobody-has-this-name|packet_name:1|subject_id:2"}, bids_app=False)
@example(given={"sessionsfolder": "~nobody-has-this-name"}, bids_app=False)
@example(given={"nameformat": "(?P<subject_id>x{99999999999})"}, bids_app=False)
@example(given={"logfile": "path:x|packet_name:²|subject_id:2"}, bids_app=False)
def test_any_text_gives_settings_or_a_usage_error(tmp_path: Path, given: dict[str, str], bids_app: bool) -> None:
    try:
        parsed = parse({"sessionsfolder": str(tmp_path), **given}, bids_app=bids_app)
    except UsageError as wrong:
        error = wrong
    else:
        assert isinstance(parsed.settings, Settings)
        return
    assert error.message
    assert error.hint


@SHARED
@given(data=st.binary(max_size=60) | st.text("abc=[]{}'\"\n#.1_-", max_size=60).map(str.encode))
def test_any_config_file_gives_parameters_or_a_usage_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(data)
    try:
        given = read_config(str(path))
    except UsageError:
        return
    assert set(given) <= set(NAMES)


PATHS = [each.name for each in PARAMETERS if each.metavar in ("DIR", "FILE") and each.name != "config"]
"""Parameters whose value is a path; `config` is read before the others are parsed."""


@pytest.mark.parametrize("name", PATHS)
def test_the_error_names_an_unknown_home_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="~nobody-has-this-name"):
        parse({"sessionsfolder": str(tmp_path), name: "~nobody-has-this-name/x"})
