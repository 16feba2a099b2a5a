"""Comments, docstrings and pages name only functions, constants and modules that exist."""

import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
SOURCES = sorted(
    path
    for folder, pattern in (("python/qxbatch", "*.py"), ("rust", "*.rs"))
    for path in (REPOSITORY / folder).rglob(pattern)
    if "target" not in path.parts
)
FOREIGN = frozenset(
    (
        "JANE_DOE",
        "PS_0013",
        "RENAME_NOREPLACE",
        "custom_entities",
        "fMRI_rest_AP_run1_SBRef",
        "run_2",
        "subject_id_session_name",
        "tmp_dcm2bids",
    )
)
"""Names of other programs, of the kernel and of packets."""
_QUOTED = re.compile(r"`([^`\n]+)`")
_IDENTIFIER = re.compile(r"(?<![\w<\-/$.])_?[A-Za-z]+(?:_[A-Za-z0-9]+)+(?![\w>\-])")


def parts_of_python(source: str) -> Iterator[tuple[bool, str]]:
    """Yield the tokens of a module that have text, each with whether it is a comment or docstring."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        is_docstring = token.type == tokenize.STRING and token.string.startswith(('"""', 'r"""'))
        if is_docstring or token.type == tokenize.COMMENT:
            yield True, token.string
        elif token.type in (tokenize.NAME, tokenize.STRING):
            yield False, token.string


def parts_of_rust(source: str) -> Iterator[tuple[bool, str]]:
    """Yield the code and the comment of each line, each with whether it is a comment."""
    for line in source.splitlines():
        code, _, comment = line.partition("//")
        yield False, code
        yield True, comment


def parts_of(path: Path) -> Iterator[tuple[bool, str]]:
    source = path.read_text(encoding="utf-8")
    return parts_of_python(source) if path.suffix == ".py" else parts_of_rust(source)


@cache
def words_of_code() -> frozenset[str]:
    """Return all words of the code, of tests and of scripts, and the names of modules."""
    others = [path for folder in ("tests", "scripts", "bench") for path in (REPOSITORY / folder).rglob("*")]
    texts = [text for path in SOURCES for is_comment, text in parts_of(path) if not is_comment]
    texts += [
        path.read_text(encoding="utf-8") for path in others if path.suffix in (".py", ".sh", "") and path.is_file()
    ]
    return frozenset((*re.findall(r"\w+", "\n".join(texts)), *(path.stem for path in (*SOURCES, *others))))


def unknown_names(texts: Iterator[str]) -> set[str]:
    quoted = (quoted for text in texts for quoted in _QUOTED.findall(text))
    names = {name for text in quoted for name in _IDENTIFIER.findall(text)}
    return names - words_of_code() - FOREIGN


@pytest.mark.parametrize("folder", ["python", "rust"])
def test_comments_and_docstrings_name_what_exists(folder: str) -> None:
    paths = [path for path in SOURCES if path.is_relative_to(REPOSITORY / folder)]
    found = {
        path.relative_to(REPOSITORY).as_posix(): names
        for path in paths
        if (names := unknown_names(text for is_comment, text in parts_of(path) if is_comment))
    }
    assert found == {}


def test_pages_name_what_exists() -> None:
    found = {path.name: names for path in PAGES if (names := unknown_names(iter([path.read_text(encoding="utf-8")])))}
    assert found == {}


def test_a_name_that_does_not_exist_is_found() -> None:
    name = "no_such" + "_name"
    assert unknown_names(iter([f"see `{name}()` and `words_of_code`"])) == {name}
