"""Parameters that name files: logfile, config file and password file."""

from pathlib import Path

import pytest

from qxbatch.problems import UsageError
from qxbatch.settings.config import read_config
from qxbatch.settings.logfile import logfile_spec
from qxbatch.settings.passwords import MAX_BYTES, read_passwords
from tests.build.study import Study


def test_the_logfile_parameter_of_the_manual_is_parsed() -> None:
    spec = logfile_spec("path:/studies/myStudy/info/scanning_sessions.csv|packet_name:1|subject_id:2|session_name:3")
    assert str(spec.path) == "/studies/myStudy/info/scanning_sessions.csv"
    assert (spec.packet_name, spec.subject_id, spec.session_name) == (1, 2, 3)


@pytest.mark.parametrize("key", ["session_name", "sessionname", "sessionid", "session_id"])
def test_keys_can_be_short_and_columns_can_be_named(key: str) -> None:
    spec = logfile_spec(f"subjectid:Subject code|packetname:scanning code|{key}:session|path:/a:b.csv")
    assert (spec.packet_name, spec.subject_id, spec.session_name) == ("scanning code", "Subject code", "session")
    assert str(spec.path) == "/a:b.csv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/a.csv", "/a.csv"),
        ("path:/a.csv|packet_name:1", "subject_id"),
        ("path:/a.csv|packet_name:1|subject_id:", "subject_id"),
        ("path:/a.csv|packet_name:0|subject_id:2", "packet_name:0"),
        ("path:/a.csv|packet_name:1|subject_id:2|colour:3", "colour"),
        ("path:/a.csv|packet_name:1|packetname:2|subject_id:2", "twice"),
    ],
)
def test_an_invalid_logfile_parameter_is_a_usage_error(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        logfile_spec(text)


# the config file


def config(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "study.toml"
    path.write_text(text)
    return read_config(str(path))


def test_a_config_file_has_parameter_names_and_toml_values(tmp_path: Path) -> None:
    text = "overwrite = true\nn-procs = 4\nsessions = ['AP.*', 'HQ[,{].{1,3}', 7]\nsettle = 1.5\npattern = '(?P<packet_name>.*)'\n"
    assert config(tmp_path, text) == {
        "overwrite": "yes",
        "n_procs": "4",
        "sessions": "AP.*,HQ[,{].{1,3},7",
        "settle": "1.5",
        "pattern": "(?P<packet_name>.*)",
    }


def test_the_options_of_a_scheduler_are_a_table(tmp_path: Path) -> None:
    text = "[scheduler]\nname = ' SLURM '\ntime = 90\nexclude = 'node[1,2]'\n"
    assert config(tmp_path, text) == {"scheduler": " SLURM ,time=90,exclude=node[1,2]"}


def test_a_flag_of_a_scheduler_is_true(tmp_path: Path) -> None:
    """Slurm refuses `--exclusive=yes`."""
    text = "[scheduler]\nname = 'SLURM'\nexclusive = true\ncontiguous = false\n"
    assert config(tmp_path, text) == {"scheduler": "SLURM,exclusive"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("archve = 'copy'", "archive"),
        ("config = 'other.toml'", "config"),
        ("n_procs = 1\nn-procs = 2", "twice"),
        ("archive = copy", "not TOML"),
        ("archive = ['copy']", "array"),
        ("sessions = [true]", "array"),
        ("sessions = ['a,b']", "has a comma"),
        ("sessions = ['a(', 'b']", "a bracket that is not closed"),
        ("path_map = ['/a=/b,c']", "has a comma"),
        ("participant_label = ['01 02']", "has a comma"),
        ("[archive]\nx = 1", "a table"),
        ("[scheduler]\nname = 'SLURM'\nmail_type = 'END,FAIL'", "has a comma"),
        ("[scheduler]\nname = 'SLURM'\ncomment = '('\nqos = 'x'", "a bracket that is not closed"),
        ("archive = 2024-01-01", "a date or a time"),
        pytest.param(f"n_procs = {'9' * 5000}", "a number that is too large. Write a smaller one.", id="5000 digits"),
        pytest.param(f"n_procs = 0x{'f' * 5000}", "a number that is too large. Write a smaller one.", id="hexadecimal"),
    ],
)
def test_an_invalid_config_file_is_a_usage_error(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as wrong:
        config(tmp_path, text)
    assert message in f"{wrong.value.message} {wrong.value.hint}"
    assert "study.toml" in wrong.value.message


def test_a_config_file_that_is_not_utf_8_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(b"archive = '\xff'")
    with pytest.raises(UsageError, match=r"is not UTF-8\. Save the file"):
        read_config(str(path))


def test_a_missing_config_file_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="/no/such"):
        read_config("/no/such")


@pytest.mark.parametrize("option", ["--config=/dev/zero", "--logfile=path:/dev/zero|packet_name:a|subject_id:b"])
def test_a_file_without_end_is_a_usage_error(study: Study, option: str) -> None:
    study.put_bytes("S1.zip", b"")
    run = study.main(option)
    assert run.status == 64
    assert "/dev/zero cannot be read: has more than" in run.err


def test_each_line_of_the_password_file_is_a_password(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    path.write_bytes(b"\xef\xbb\xbffirst\r\n\r\n two blanks \n\n\xff\xfe raw\n\rback\r\r\nfirst\nlast")
    passwords = read_passwords(str(path))
    assert passwords.path == path
    assert passwords.words == (b"first", b" two blanks ", b"\xff\xfe raw", b"\rback\r", b"last")
    assert "first" not in repr(passwords)
    assert str(path) in repr(passwords)


def test_a_config_file_can_name_the_password_file(tmp_path: Path) -> None:
    assert config(tmp_path, "password-file = 'words'") == {"password_file": "words"}


def test_a_large_file_is_no_password_file(tmp_path: Path) -> None:
    path = tmp_path / "packet.zip"
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(UsageError, match="not a list of passwords"):
        read_passwords(str(path))
