"""A hook of mkdocs: links of the site have the titles of pages, and CHANGELOG.md and CONTRIBUTING.md are pages.

In the repository a document is named by its file (`[command-line.md](command-line.md)`, `docs/command-line.md`); on the site
a reader knows it by its title. The documents are CommonMark; two of its forms that Python-Markdown reads in another way are
rewritten: a bar in a table's code, and code in an ordered list.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

BESIDE = {"CHANGELOG.md": "changes.md", "CONTRIBUTING.md": "contributing.md"}
"""Files beside docs/ that are pages, and their names on the site."""
TO_BESIDE = re.compile(rf"\]\(\.\./(?P<name>{'|'.join(map(re.escape, BESIDE))})(?=[)#])")
LINK = re.compile(r"\[(?P<text>[\w-]+\.md)\]\((?P<path>[\w./-]+\.md)(?P<anchor>#[\w-]+)?\)")
NAMED = re.compile(r"(?<![`\w/])docs/(?P<path>[\w./-]+\.md)(?!`)")
CODE = re.compile(r"`[^`]+`")
LIST_CODE = re.compile(r"^ {7}(?=\S)")
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the files beside docs/."""
    for name, page in BESIDE.items():
        text = (Path(config.config_file_path).parent / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: Any) -> str:
    """Give links the titles of their pages, in text and not in code."""
    folder = posixpath.dirname(page.file.src_uri)

    def linked(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(folder, match["path"]))
        return f"[{_title(files, target)}]({match['path']}{match['anchor'] or ''})"

    def named(match: re.Match[str]) -> str:
        if files.get_file_from_path(match["path"]) is None:
            return match[0]
        return f"[{_title(files, match['path'])}]({posixpath.relpath(match['path'], folder or '.')})"

    lines, fenced = [], False
    for line in TO_BESIDE.sub(lambda link: f"]({BESIDE[link['name']]}", markdown).splitlines():
        fenced ^= line.lstrip().startswith("```")
        if fenced:
            lines.append(line)
        elif line.startswith("    "):
            lines.append(LIST_CODE.sub(" " * 8, line))
        else:
            lines.append(_bars(NAMED.sub(named, LINK.sub(linked, line))))
    return "\n".join(lines)


def _bars(line: str) -> str:
    if not line.startswith("|"):
        return line
    return CODE.sub(lambda code: code[0].replace("\\|", "|"), line)


def _title(files: Files, path: str) -> str:
    found = files.get_file_from_path(path)
    title = TITLE.search(found.content_string) if found else None
    return title[1] if title else path
