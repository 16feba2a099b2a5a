"""Compiled templates are kept for later runs, and a cache that cannot be read or written changes nothing."""

import shutil
from pathlib import Path

import pytest

from qxbatch.page import environment

PAGE = "page.html"


@pytest.fixture
def templates(tmp_path, monkeypatch):
    """Return a folder with one template, as the folder of the pages."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / PAGE).write_text("<p>{{ text }}</p>")
    monkeypatch.setattr(environment, "_TEMPLATES", folder)
    environment._environment.cache_clear()
    yield folder
    environment._environment.cache_clear()


def kept(templates: Path) -> list[Path]:
    """Return the compiled templates."""
    return sorted((templates / "__pycache__").glob("*"))


def test_a_compiled_template_is_used_by_the_next_run(templates, monkeypatch):
    environment.compile_templates()
    (compiled,) = kept(templates)
    environment._environment.cache_clear()
    monkeypatch.setattr("jinja2.Environment.compile", None)  # nothing is compiled a second time

    assert environment.render(PAGE, text="a<b") == "<p>a&lt;b</p>"
    assert kept(templates) == [compiled]


def test_a_changed_template_is_compiled_anew(templates):
    environment.compile_templates()
    (templates / PAGE).write_text("<b>{{ text }}</b>")
    environment._environment.cache_clear()

    assert environment.render(PAGE, text="x") == "<b>x</b>"


@pytest.mark.parametrize("content", [b"", b"no bytecode", b"j2"])
def test_a_damaged_cache_is_no_error(templates, content):
    environment.compile_templates()
    (compiled,) = kept(templates)
    compiled.write_bytes(content)
    environment._environment.cache_clear()

    assert environment.render(PAGE, text="x") == "<p>x</p>"


def test_a_damaged_end_of_the_cache_is_no_error(templates):
    environment.compile_templates()
    (compiled,) = kept(templates)
    compiled.write_bytes(compiled.read_bytes()[:-200])
    environment._environment.cache_clear()

    assert environment.render(PAGE, text="x") == "<p>x</p>"


def test_a_place_that_cannot_be_written_is_no_error(templates):
    (templates / "__pycache__").write_text("a file")

    environment.compile_templates()

    assert environment.render(PAGE, text="x") == "<p>x</p>"
    assert (templates / "__pycache__").read_text() == "a file"


def test_python_that_keeps_no_bytecode_keeps_no_templates(templates, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    environment.render(PAGE, text="x")
    assert not kept(templates)

    monkeypatch.setattr("sys.dont_write_bytecode", False)
    environment._environment.cache_clear()
    environment.render(PAGE, text="x")
    assert kept(templates)
    shutil.rmtree(templates / "__pycache__")
