"""Tables of documents, descriptors of the container image and keywords of `qxbatch.import_packets`, from the table of parameters.

`python -m qxbatch.settings.render` in the repository rewrites them.
"""

from pathlib import Path

from qxbatch.settings.boutiques import descriptor as boutiques_descriptor
from qxbatch.settings.boutiques import json_text
from qxbatch.settings.keywords import module_text as keywords_module_text
from qxbatch.settings.parameter import Parameter, find
from qxbatch.settings.parameters import MOST_USED, PARAMETERS
from qxbatch.settings.xnat import command as xnat_command

BEGIN = "<!-- parameters -->"
END = "<!-- /parameters -->"
"""The lines between which a document contains its table."""
KEYWORDS_FILE = "import_parameters.py"


def short_table() -> str:
    """Return README's table: the parameters used most."""
    rows = ["| parameter | default | meaning |", "|---|---|---|"]
    rows += [
        f"| `{each.option}{_value(each)}` | {_default(each)} | {_cell(each.meaning)} |"
        for each in (find(PARAMETERS, name) for name in MOST_USED)
    ]
    return "\n".join(rows)


def long_table() -> str:
    """Return the tables of docs/parameters.md: parameters of the reference (QuNex `import_dicom`) with every difference, then the
    others.
    """
    shared = [parameter for parameter in PARAMETERS if parameter.reference]
    of_qxbatch = [parameter for parameter in PARAMETERS if not parameter.reference]
    rows = [
        "## Parameters of QuNex's import_dicom",
        "",
        "| parameter | default | here | the reference | deliberate difference |",
    ]
    rows += ["|---|---|---|---|---|"]
    rows += [
        f"| `{each.name}`{_choices(each)} | {_default(each)} | {_cell(each.meaning)} | {_cell(each.reference)} "
        f"| {_cell(each.difference) or 'none'} |"
        for each in shared
    ]
    rows += ["", "## Parameters that only qxbatch has", "", "| parameter | default | meaning |", "|---|---|---|"]
    rows += [f"| `{each.name}`{_choices(each)} | {_default(each)} | {_cell(each.meaning)} |" for each in of_qxbatch]
    return "\n".join(rows)


def _value(parameter: Parameter) -> str:
    if not parameter.takes_value:
        return ""
    return "=" + parameter.metavar.replace("|", "\\|")


def _choices(parameter: Parameter) -> str:
    return f" ({', '.join(parameter.choices)})" if parameter.choices else ""


def _default(parameter: Parameter) -> str:
    return f"`{_cell(parameter.default)}`" if parameter.default else ""


def _cell(text: str) -> str:
    """Return text with escaped bars: in Markdown, a bar ends a cell even between backticks."""
    return text.replace("|", "\\|")


def with_table(text: str, table: str) -> str:
    """Return a document with its table between the markers replaced. Raises ValueError if they are missing."""
    head, begin, after_begin = text.partition(BEGIN)
    _, end, tail = after_begin.partition(END)
    if not (begin and end):
        raise ValueError(f"the document has no {BEGIN} ... {END}")
    return f"{head}{BEGIN}\n{table}\n{END}{tail}"


def documents(repository: Path) -> dict[Path, str]:
    """Return the new text of each document with generated content."""
    tables = {"README.md": short_table(), "docs/parameters.md": long_table()}
    texts = {
        repository / name: with_table((repository / name).read_text(encoding="utf-8"), table)
        for name, table in tables.items()
    }
    texts[Path(__file__).with_name(KEYWORDS_FILE)] = keywords_module_text()
    texts[repository / "containers" / "boutiques.json"] = json_text(boutiques_descriptor())
    texts[repository / "containers" / "command.json"] = json_text(xnat_command())
    return texts


def main() -> None:
    """Rewrite the documents of this module's repository."""
    for path, text in documents(Path(__file__).resolve().parents[3]).items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
