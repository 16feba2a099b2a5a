"""Properties of the image: command, labels, size, and what it must not contain."""

import json
import re
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build.study import Run
from tests.containers.container import LOCKED, USER, Image

REPOSITORY = Path(__file__).resolve().parents[2]
VERSION = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]["version"]
SLIM_BYTES = 220_000_000
START_SECONDS = 0.5
TRIES = 10


def test_without_arguments_the_image_prints_its_usage(image: Image) -> None:
    run = image.run()
    assert run.status == 0, run.text
    assert "Usage" in run.out
    assert run.out == image.run("--help").out


def test_version_and_labels_agree_with_the_source(image: Image) -> None:
    assert image.run("--version").out == f"qxbatch {VERSION}\n"
    labels = image.inspect()["Config"]["Labels"]
    prefix = "org.opencontainers.image."
    assert labels[prefix + "version"] == VERSION
    assert labels[prefix + "licenses"] == "Apache-2.0"
    assert labels[prefix + "base.name"] == "debian:trixie-slim"
    assert labels[prefix + "documentation"] == "docs/containers.md"
    assert labels[prefix + "title"]
    assert labels[prefix + "description"]


def test_command_and_environment_are_as_documented(image: Image) -> None:
    config = image.inspect()["Config"]
    assert config["Entrypoint"] == ["qxbatch"]
    assert config["Cmd"] == ["--help"]
    assert not config.get("User")
    assert not config.get("Healthcheck")
    environment = dict(pair.split("=", 1) for pair in config["Env"])
    assert environment["HOME"] == "/tmp"
    assert {environment[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")} == {"1"}


def test_the_slim_image_is_small(image: Image) -> None:
    if image.inspect()["Config"]["Labels"]["org.opencontainers.image.title"] != "qxbatch":
        pytest.skip("this image is of the target full; only the slim image has a size limit")
    assert image.inspect()["Size"] <= SLIM_BYTES


def test_the_image_starts_fast(image: Image) -> None:
    """The start time of the engine, measured with another program of the image, is subtracted."""
    durations = [
        (
            seconds(lambda: image.run("--version", options=LOCKED)),
            seconds(lambda: image.inside("true", options=LOCKED)),
        )
        for _ in range(TRIES)
    ]
    total, engine = (min(times) for times in zip(*durations, strict=True))
    print(f"{image.name} --version: {total:.3f} s, including {engine:.3f} s for the engine")
    assert total - engine < START_SECONDS


def seconds(act: Callable[[], Run]) -> float:
    before = time.perf_counter()
    run = act()
    assert run.status == 0, run.text
    return time.perf_counter() - before


def test_the_image_contains_no_build_tool(image: Image) -> None:
    tools = "pip pip3 cargo rustc gcc cc ld as make maturin git curl wget"
    tools_found = image.inside("sh", "-c", f"for tool in {tools}; do command -v $tool; done; true")
    assert tools_found.out == ""
    absent = image.inside("python", "-c", "import pip")
    assert absent.status != 0


def test_the_image_contains_no_secret_and_no_registry(image: Image) -> None:
    script = (
        "find /run/secrets /root /var/lib/apt/lists /etc/pip.conf -type f ! -name .bashrc ! -name .profile 2>/dev/null"
    )
    assert image.inside("sh", "-c", script).out == ""
    metadata = json.dumps(image.inspect()["Config"]) + image.call("history", "--no-trunc", image.name).out
    assert not re.search(r"https?://(?!github\.com)", metadata), metadata


def test_an_unknown_user_can_run_the_converters(image: Image) -> None:
    run = image.run("doctor", "--json", options=[*LOCKED, "--user", f"{USER}:{USER}"])
    assert run.status == 0, run.text
    findings = {each["name"]: each for each in json.loads(run.out)["findings"]}
    assert findings["dcm2niix"]["found"]
    assert "site-packages/dcm2niix" in findings["dcm2niix"]["where"]


def test_a_usage_error_keeps_its_status(image: Image) -> None:
    assert image.run("--no-such-option").status == 64
