"""The names of the files of a session are spelled in one module only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from qxbatch.session import layout

PACKAGE = Path(__file__).resolve().parent.parent / "python" / "qxbatch"
OWNER = PACKAGE / "session" / "layout.py"
FILES = (
    layout.SESSION_TXT,
    layout.DICOM_REPORT,
    layout.LEDGER,
    layout.SUMMARY,
    layout.PAGE,
    layout.STUDY_TABLE,
    layout.STUDY_SIDECAR,
    layout.converter_log_name(0).partition("0")[0],
)
FOLDERS = {*layout.SESSION_FOLDERS, layout.PICTURES, layout.LOG, layout.ARCHIVE, layout.REPLACED_FOLDER}
"""Ordinary words, so they count only as part of a path, or several of them in a list."""
JOINING = ("Path", "PurePath", "joinpath", "with_name")


def text_of(node: ast.AST) -> str | None:
    """Return the text of a string constant or an f-string, with `0` for each field; None for other nodes."""
    if isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else "0" for part in node.values)
        return "".join(map(str, parts))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def is_prose(text: str) -> bool:
    """Return whether a text has spaces: messages, help texts and docstrings have some, paths have none."""
    return any(character.isspace() for character in text)


def joined(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that this node joins into a path."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        yield from (node.left, node.right)
    elif isinstance(node, ast.Call):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        yield from node.args if name in JOINING else ()


def is_name(text: str, *, in_path: bool) -> bool:
    """Return whether a text contains the name of a session's file, or of its folder as part of a path."""
    if is_prose(text):
        return False
    parts = text.replace("!", "/").split("/")
    return any(file in text for file in FILES) or ((in_path or len(parts) > 1) and bool(FOLDERS & set(parts)))


def spelled(source: str) -> list[str]:
    """Return the strings of a module that contain a name of the session layout."""
    tree = ast.parse(source)
    in_paths = {id(part) for node in ast.walk(tree) for part in joined(node)}
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    lists = (node.elts for node in ast.walk(tree) if isinstance(node, ast.Tuple | ast.List | ast.Set))
    names = [text for elements in lists for text in folders_among(elements)]
    for node in ast.walk(tree):
        text = None if id(node) in inner else text_of(node)
        if text is not None and is_name(text, in_path=id(node) in in_paths):
            names.append(text)
    return names


def folders_among(elements: list[ast.expr]) -> list[str]:
    """Return the session folders of a list with several of them; `("dicom", "par")` are kinds of files."""
    names = [text for text in map(text_of, elements) if text in FOLDERS]
    return [str(name) for name in names] if len(names) > 1 else []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_only_the_layout_module_spells_names_of_session_files(path: Path) -> None:
    names = spelled(path.read_text(encoding="utf-8"))
    assert (names != []) if path == OWNER else (names == [])


@pytest.mark.parametrize(
    "source",
    [
        'folder / "session.txt"',
        'open("qxbatch/ledger.tsv")',
        'Path("nii")',
        'session / "dicom" / name',
        'f"dicom/{n}.tar.gz"',
        'f"dcm2niix_{n}.log"',
        'at.startswith("inbox/")',
        'for name in ("dicom", "nii"): pass',
        'f"{n}/report.html"',
    ],
)
def test_a_spelled_name_is_found(source: str) -> None:
    assert spelled(source) != []


@pytest.mark.parametrize(
    "source",
    [
        '"""Reads session.txt and nii/ of a session."""',
        'raise ValueError(f"{path}: session.txt is missing")',
        'logging.getLogger("qxbatch")',
        'KINDS = ("dicom", "par", "zip")',
        'row.kind == "dicom"',
    ],
)
def test_messages_and_ordinary_words_are_no_names(source: str) -> None:
    assert spelled(source) == []
