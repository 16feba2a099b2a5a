"""The problem codes and their documentation agree."""

import re
from pathlib import Path

from qxbatch.problems import Code, Problem
from qxbatch.settings.parameters import PARAMETERS

PAGE = Path(__file__).parent.parent / "docs" / "problems.md"


def test_every_code_is_documented() -> None:
    assert re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == sorted(
        (code.value for code in Code),
        key=re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(), re.MULTILINE).index,
    )


def test_the_code_of_each_limit_is_documented() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("### Exceeded limits")[2].partition("\n## ")[0]
    limits = {each.option for each in PARAMETERS if each.name.startswith("max_") or each.name == "timeout"}
    assert limits == set(re.findall(r"--(?:max-\w+|timeout)", section))
    codes = set(re.findall(r"`([a-z][a-z-]+)`", section.replace("`--", "")))
    assert codes <= {code.value for code in Code}
    assert len(codes) > 4


def test_the_text_of_a_problem_has_subject_reason_and_next_step() -> None:
    assert Problem(Code.CHANGED, "/x/P.zip", "changed.", "Run again.").text() == "/x/P.zip: changed. Run again."
