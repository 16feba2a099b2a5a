"""Texts and names are plain English: the files and folders of SEARCHED contain none of the expressions to avoid."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
THIS_FILE = Path(__file__)
SEARCHED = (
    ".ci",
    "bench",
    "containers",
    "docs",
    "python/qxbatch",
    "rust/bench",
    "rust/core",
    "rust/fuzz",
    "rust/py",
    "scripts",
    "tests",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Dockerfile",
    "README.md",
    "Singularity.def",
    "mkdocs.yml",
    "pyproject.toml",
)
"""Folders and files that are searched."""
EXPRESSIONS = {
    r"lies? in|lay in|lying in": "is in",
    r"(?:is|are|was|were) there(?! (?:a|an|any|no)\b)": "exists, is present",
    r"cannot be had|could not be had": "cannot be read",
    r"anew": "again; rebuilt",
    r"held against|holds? \w+ against": "compared with",
    r"parted": "split",
    r"(?:is|are|was|were|be|been|as it) told|told (?:apart|by|of|from)|tells? (?:of|apart)": "reported, recognised, distinguished",
    r"mend(?:s|ed|ing)?": "fix",
    r"go(?:es)? on|going on|went on": "continue",
    r"(?:brought|bring|brings|bringing) (?:\w+ ){0,5}to disk": "sync",
    r"of (?:its|their|his|one's) own": "separate, its own X",
    r"by hand": "manually",
    r"(?:is|are) made anew": "is rebuilt",
    r"stands? (?:in place of|behind|before|in for)": "replaces, follows, precedes",
    r"for want of|of which some": "without, with some",
    r"(?:it|which|that|file|folder|packet|archive|session|header|line|cell) holds(?! (?:\w+ ){0,3}(?:locks?|flock)\b)": "contains",
}
"""Expressions to avoid (regular expressions that match whole words, in any case), and what to write.

A process holds a lock: that is the standard term, and no expression forbids it.
"""
NAMES = {
    "told": "what it is: a summary, messages, recorded values",
    "untold": "undetermined",
    "said": "messages, output",
    "crew": "workers",
    "shelf": "staging_dir, series_dir",
    "spot": "offset, range",
    "bring": "move",
    "parted": "split",
    "shares": "plans",
    "share": "session_plan",
    "hide": "redact, deidentify",
    "conceal": "deidentify",
    "concealed": "deidentified",
    "origin": "source",
    "representation": "vr",
}
"""Names to avoid for functions, classes, parameters and variables of Python and Rust, and what to use."""
ALLOWED = {
    ("python/qxbatch/convert/dcm2niix.py", "origin"): "the attribute of importlib's ModuleSpec",
    ("python/qxbatch/convert/dicm2nii.py", "share"): "a verb: several images share one JSON",
    ("tests/regression/direct.py", "origin"): "the attribute of importlib's ModuleSpec",
    ("rust/core/src/image/grid.rs", "origin"): "the origin of coordinates",
}
"""Exceptions by file and name, each with its reason."""


NAME_WORDS = 4
"""A name with more words, such as that of a test, is read as a sentence: it is searched for EXPRESSIONS, not for NAMES."""


class Finding(NamedTuple):
    """One expression or name to replace."""

    path: str
    line: int
    text: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: `{self.text}`; write: {self.instead}"


def files(entry: str) -> list[Path]:
    """Return the searched files of an entry of SEARCHED, without this file, which lists the expressions."""
    top = ROOT / entry
    if top.is_file():
        return [top]
    suffixes = {".py", ".pyi", ".rs", ".md", ".html", ".toml", ".sh", ""}
    return sorted(path for path in top.rglob("*") if path.suffix in suffixes and path.is_file() and path != THIS_FILE)


def texts(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and text of comments and strings of code, and of all lines of other files."""
    if path.suffix not in (".py", ".pyi", ".rs"):
        yield from enumerate(source.splitlines(), start=1)
    elif path.suffix == ".rs":
        for number, line in enumerate(source.splitlines(), start=1):
            comment = re.search(r"(?<!:)//[/!]?(.*)", line)
            code = line[: comment.start()] if comment else line
            yield from ((number, match[1]) for match in re.finditer(r'"((?:[^"\\]|\\.)*)"', code))
            if comment:
                yield number, comment[1]
    else:
        yield from python_texts(source)


def python_texts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and text of comments and strings, including the constant parts of f-strings."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT or "STRING" in tokenize.tok_name[token.type]:
            yield from enumerate(token.string.splitlines(), start=token.start[0])


def names(path: Path, source: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and name of each definition of a file."""
    if path.suffix == ".rs":
        defined = re.compile(
            r"\b(?:fn|struct|enum|mod|const|static|type|let(?: mut)?)\s+(\w+)|\b([a-z_]\w*): ?[&A-Z\[(]"
        )
        for number, line in enumerate(source.splitlines(), start=1):
            for match in defined.finditer(line.partition("//")[0]):
                yield number, match[1] or match[2]
    elif path.suffix in {".py", ".pyi"}:
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.lineno, node.name
            elif isinstance(node, ast.arg):
                yield node.lineno, node.arg
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.lineno, node.id


def expressions_in(path: str, line: int, text: str) -> list[Finding]:
    """Return the expressions to replace in a text; code in backticks is not searched."""
    text = re.sub(r"`[^`]*`", "`code`", text)
    if len(text.split()) < 2:  # a key or an identifier
        return []
    matches = (
        (re.search(rf"\b(?:{each})(?!\w)", text, re.IGNORECASE), instead) for each, instead in EXPRESSIONS.items()
    )
    return [Finding(path, line, match[0], instead) for match, instead in matches if match]


def findings_in(path: str, source: str) -> list[Finding]:
    """Return the expressions and names to replace in a file."""
    findings = []
    for line, text in texts(Path(path), source):
        findings += expressions_in(path, line, text)
    for line, name in names(Path(path), source):
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_").split("_")
        if len(words) > NAME_WORDS:
            findings += expressions_in(path, line, " ".join(words))
        else:
            avoided = [word for word in words if word in NAMES and (path, word) not in ALLOWED]
            findings += [Finding(path, line, name, NAMES[word]) for word in avoided]
    return findings


@pytest.mark.parametrize("entry", SEARCHED)
def test_texts_and_names_are_plain(entry: str) -> None:
    searched = files(entry)
    assert searched, f"{entry} does not exist"
    findings = [
        finding
        for path in searched
        for finding in findings_in(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]
    assert not findings, "\n".join(map(str, findings))


@pytest.mark.parametrize(
    ("name", "source", "text"),
    [
        ("a.py", "x = 1  # the file lies in staging", "lies in"),
        ("a.py", 'def f():\n    """Return what is told of it."""', "is told"),
        ("a.py", "print(f'{path} is made anew: {reason}')", "anew"),
        ("a.py", "def bring(path): ...", "bring"),
        ("a.py", "def test_a_file_is_held_against_its_ledger(): ...", "held against"),
        ("a.rs", "/// Whether the bytes are there.", "are there"),
        ("a.rs", 'let text = "it goes on";', "goes on"),
        ("a.rs", "struct Crew {", "Crew"),
        ("a.md", "The packet is moved by hand.", "by hand"),
    ],
)
def test_an_expression_to_avoid_is_found(name: str, source: str, text: str) -> None:
    assert [(each.path, each.text) for each in findings_in(name, source)][:1] == [(name, text)]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a.py", "# A lock is held until its run ends; the run holds the lock."),
        ("a.py", '"""Series that share a number."""'),
        ("a.rs", "// Is there a header? The image contains it."),
        ("a.md", "Give `--parted` to `goes on`."),
    ],
)
def test_sound_usage_is_not_forbidden(name: str, source: str) -> None:
    assert findings_in(name, source) == []


def test_each_exception_has_a_reason_and_is_needed() -> None:
    for (path, word), reason in ALLOWED.items():
        assert reason, f"{path}: {word} has no reason"
        assert re.search(word, (ROOT / path).read_text(encoding="utf-8")), f"{path} does not use {word}"
