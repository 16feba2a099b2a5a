"""The commands of README, tutorial and how-to pages print the documented output; those that cannot run here are listed."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.build.site_blocks import Command, commands, kinds, missing, untested
from tests.build.site_pages import PAGES, prepare

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"
TIME_LIMIT = 120
KNOWN = {"sh", "bash", "text", "toml", "json", "ini", "python"}
"""`sh` blocks are run, `text` is the output of the block before, `bash` is tested elsewhere; the others show files."""
GUIDES = [
    "../README.md",
    *sorted(
        path.relative_to(DOCS).as_posix()
        for pattern in ("index.md", "tutorial.md", "from-*.md", "how-to/*.md")
        for path in DOCS.glob(pattern)
    ),
]
TESTED_ELSEWHERE = {
    "../README.md": "wheel: scripts/wheel; image: tests/containers; scheduler: tests/cluster",
    "index.md": "wheel: scripts/wheel",
    "tutorial.md": "wheel: scripts/wheel",
    "how-to/scripts.md": "the tests do not require jq; after.py on the same page reads the same file",
    "how-to/nightly.md": "systemd is not tested; its script is run here",
    "how-to/cluster.md": "tests/cluster",
    "how-to/container-hpc.md": "tests/containers/test_sif.py",
}
"""Pages with commands that cannot run here, and where they are tested."""


def run(command: Command, root: Path) -> tuple[int, str]:
    """Run a block in bash; return its exit status and its output with the paths of the page."""
    program = f"PATH={root / 'bin'}:{os.environ['PATH']}"
    text = command.text.replace("/data/", f"{root}/data/")
    done = subprocess.run(
        ["env", program, f"HOME={root / 'home'}", "COLUMNS=10000", "bash", "-euo", "pipefail", "-c", text],
        cwd=root / "home",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=TIME_LIMIT,
        text=True,
    )
    return done.returncode, done.stdout.replace(f"{root}/data", "/data").replace(f"{root}/home", "/home/ana")


@pytest.mark.parametrize("page", sorted(PAGES))
def test_the_commands_of_a_page_print_the_documented_output(page: str, tmp_path: Path) -> None:
    prepare(page, tmp_path)
    blocks = commands(DOCS / page)
    assert blocks
    for command in blocks:
        status, output = run(command, tmp_path)
        assert status == command.status, f"{command.text}\n{output}"
        for expected in command.outputs:
            assert missing(output, expected) == [], f"{command.text}\n{output}"


def test_every_page_with_commands_is_run() -> None:
    assert {page for page in GUIDES if commands(DOCS / page)} == set(PAGES)


@pytest.mark.parametrize("page", GUIDES)
def test_code_blocks_have_a_known_language(page: str) -> None:
    assert kinds(DOCS / page) <= KNOWN


def test_commands_that_are_not_run_here_are_listed() -> None:
    assert {page for page in GUIDES if untested(DOCS / page)} == set(TESTED_ELSEWHERE)


def test_missing_output_is_found() -> None:
    printed = "Found 2 entries in /data\n1 of 2 sessions were written.\n2 entries in 0:07:\n  1 imported, 0.3 s\n"
    assert missing(printed, "Found 2 entries\n...\n2 entries in 0:03:\n  1 imported, 1.5 s") == []
    assert missing(printed, "2 of 2 sessions were written.") == ["2 of 2 sessions were written."]
    assert missing(printed, "1 imported\n...\nFound 2 entries") == ["Found 2 entries"]


def test_a_block_has_its_documented_status_and_output(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- exit status 1 -->\n```sh\nfalse\n```\n```text\nno\n```\nThen\n\n```sh\ntrue\n```\n```bash\nsudo x\n```\n"
    )
    assert commands(page) == [Command("false", 1, ["no"]), Command("true")]
    assert untested(page) == ["sudo x\n"]
