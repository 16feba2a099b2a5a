"""containers/boutiques.json and containers/command.json are valid and have the options of the command line."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qxbatch.cli.request import read
from qxbatch.exits import ExitStatus
from qxbatch.settings.of_cluster import OF_CLUSTER
from qxbatch.settings.parameter import Form
from qxbatch.settings.parameters import PARAMETERS

CONTAINERS = Path(__file__).resolve().parents[2] / "containers"
EXPECTED = {each.option for each in PARAMETERS if each not in OF_CLUSTER} - {"--sessionsfolder", "--masterinbox"}
"""Options of the descriptors: no scheduler is in the image, and the folders are positional arguments."""


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((CONTAINERS / name).read_text(encoding="utf-8"))
    return content


def test_boutiques_offers_every_option() -> None:
    inputs = load("boutiques.json")["inputs"]
    flags = {each["command-line-flag"]: each for each in inputs if "command-line-flag" in each}
    assert set(flags) == EXPECTED
    for parameter in PARAMETERS:
        if parameter.option in flags:
            assert tuple(flags[parameter.option].get("value-choices", ())) == parameter.choices
            assert (flags[parameter.option]["type"] == "Flag") == (parameter.form is Form.SWITCH)
    words = [each["id"] for each in inputs if "command-line-flag" not in each]
    assert words == ["data", "output", "level"]


def test_boutiques_names_every_exit_status() -> None:
    codes = {each["code"] for each in load("boutiques.json")["error-codes"]}
    assert codes == {int(status) for status in ExitStatus if status is not ExitStatus.OK}


def test_xnat_offers_every_option() -> None:
    command = load("command.json")
    inputs = {each.get("command-line-flag") or each["true-value"]: each for each in command["inputs"]}
    assert set(inputs) == EXPECTED
    keys = command["command-line"].split()[4:]
    assert keys == [each["replacement-key"] for each in command["inputs"]]


def test_the_mounts_and_outputs_of_the_xnat_command_exist() -> None:
    command = load("command.json")
    mounts = {each["name"] for each in command["mounts"]}
    outputs = {each["name"] for each in command["outputs"]}
    assert {each["mount"] for each in command["outputs"]} <= mounts
    for wrapper in command["xnat"]:
        wired = [*wrapper["external-inputs"], *wrapper["derived-inputs"]]
        names = {each["name"] for each in wired}
        assert {each["provides-files-for-command-mount"] for each in wrapper["derived-inputs"]} == mounts - {"out"}
        assert {each["derived-from-wrapper-input"] for each in wrapper["derived-inputs"]} <= names
        assert {each["as-a-child-of"] for each in wrapper["output-handlers"]} <= names
        assert {each["accepts-command-output"] for each in wrapper["output-handlers"]} == outputs


def test_the_xnat_call_with_defaults_is_parsed() -> None:
    command = load("command.json")
    line = command["command-line"]
    for each in command["inputs"]:
        value = each.get("default-value")
        option = f"{each['command-line-flag']}{each['command-line-separator']}{value}" if value else ""
        line = line.replace(each["replacement-key"], option)
    program, *words = shlex.split(line)
    request = read(words)
    assert (program, request.level) == ("qxbatch", "participant")
    assert request.values["archive"] == "leave"


def test_the_xnat_command_matches_its_schema() -> None:
    jsonschema = pytest.importorskip(
        "jsonschema", reason="jsonschema is not installed: the schema of command.json is not tested"
    )
    validator = jsonschema.Draft202012Validator(load("command.schema.json"))
    assert [error.message for error in validator.iter_errors(load("command.json"))] == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda command: command.pop("image"),
        lambda command: command["inputs"][0].update({"type": "text"}),
        lambda command: command["mounts"][0].update({"path": "data"}),
        lambda command: command["xnat"][0]["derived-inputs"][0].pop("derived-from-wrapper-input"),
        lambda command: command["xnat"][0]["external-inputs"][0].update({"mounts": "x"}),
    ],
    ids=["no image", "unknown type", "relative path", "derived from nothing", "unknown field"],
)
def test_the_schema_refuses_a_wrong_command(damage: Any) -> None:
    jsonschema = pytest.importorskip(
        "jsonschema", reason="jsonschema is not installed: the schema of command.json is not tested"
    )
    command = load("command.json")
    damage(command)
    assert not jsonschema.Draft202012Validator(load("command.schema.json")).is_valid(command)


def bosh(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run Boutiques in a separate process: it prints, and its import gives warnings."""
    pytest.importorskip("boutiques", reason="boutiques is not installed: boutiques.json is not validated")
    script = "import sys; from boutiques.bosh import bosh; print(bosh(sys.argv[1:]))"
    return subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=False)


def test_boutiques_accepts_the_descriptor() -> None:
    done = bosh("validate", CONTAINERS / "boutiques.json")
    assert done.returncode == 0, done.stdout + done.stderr


def test_boutiques_refuses_an_option_missing_in_its_command_line(tmp_path: Path) -> None:
    descriptor = load("boutiques.json")
    descriptor["command-line"] = descriptor["command-line"].replace("[TOOL]", "")
    (tmp_path / "wrong.json").write_text(json.dumps(descriptor))
    done = bosh("validate", tmp_path / "wrong.json")
    assert done.returncode != 0
    assert "tool" in (done.stdout + done.stderr).casefold()


def test_the_boutiques_call_is_parsed(tmp_path: Path) -> None:
    invocation = {
        each["id"]: ["a", "b"] if each.get("list") else each.get("value-choices", [sample(each)])[0]
        for each in load("boutiques.json")["inputs"]
    }
    (tmp_path / "call.json").write_text(json.dumps(invocation))
    done = bosh("exec", "simulate", CONTAINERS / "boutiques.json", "-i", tmp_path / "call.json")
    assert done.returncode == 0, done.stdout + done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("qxbatch "))
    request = read(shlex.split(line)[1:])
    assert set(request.values) == {each.name for each in PARAMETERS if each not in OF_CLUSTER}
    assert request.values["participant_label"] == "a,b"


def sample(parameter: dict[str, Any]) -> object:
    return {"Number": 3, "Flag": True}.get(parameter["type"], f"some-{parameter['id']}")
