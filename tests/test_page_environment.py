"""Compiled templates are cached for later runs; a cache that cannot be read or written is ignored."""

import shutil
from pathlib import Path

import pytest

from qxbatch.page import environment

PAGE = "page.html"


@pytest.fixture
def templates(tmp_path, monkeypatch):
    """Return a folder with one template that replaces the folder of templates."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / PAGE).write_text("<p>{{ text }}</p>")
    monkeypatch.setattr(environment, "_TEMPLATES", folder)
    environment._environment.cache_clear()
    yield folder
    environment._environment.cache_clear()


def cached(templates: Path) -> list[Path]:
    """Return the compiled templates."""
    return sorted((templates / "__pycache__").glob("*"))


def test_a_compiled_template_is_used_by_the_next_run(templates, monkeypatch):
    environment.compile_templates()
    (compiled,) = cached(templates)
    environment._environment.cache_clear()
    monkeypatch.setattr("jinja2.Environment.compile", None)  # a second compilation would raise

    assert environment.render(PAGE, text="a<b") == "<p>a&lt;b</p>"
    assert cached(templates) == [compiled]


def test_a_changed_template_is_compiled_again(templates):
    environment.compile_templates()
    (templates / PAGE).write_text("<b>{{ text }}</b>")
    environment._environment.cache_clear()

    assert environment.render(PAGE, text="x") == "<b>x</b>"


@pytest.mark.parametrize("content", [b"", b"no bytecode", b"j2"])
def test_a_damaged_cache_is_no_error(templates, content):
    environment.compile_templates()
    (compiled,) = cached(templates)
    compiled.write_bytes(content)
    environment._environment.cache_clear()

    assert environment.render(PAGE, text="x") == "<p>x</p>"


def test_a_truncated_cache_is_no_error(templates):
    environment.compile_templates()
    (compiled,) = cached(templates)
    compiled.write_bytes(compiled.read_bytes()[:-200])
    environment._environment.cache_clear()

    assert environment.render(PAGE, text="x") == "<p>x</p>"


def test_a_cache_folder_that_cannot_be_written_is_no_error(templates):
    (templates / "__pycache__").write_text("a file")

    environment.compile_templates()

    assert environment.render(PAGE, text="x") == "<p>x</p>"
    assert (templates / "__pycache__").read_text() == "a file"


def test_templates_are_not_cached_when_python_writes_no_bytecode(templates, monkeypatch):
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    environment.render(PAGE, text="x")
    assert not cached(templates)

    monkeypatch.setattr("sys.dont_write_bytecode", False)
    environment._environment.cache_clear()
    environment.render(PAGE, text="x")
    assert cached(templates)
    shutil.rmtree(templates / "__pycache__")


@pytest.mark.usefixtures("templates")
def test_control_characters_of_headers_are_escaped():
    page = environment.render(PAGE, text="a\x1b]0;x\x07\x9b\x7f\tb\n")
    assert page == "<p>a\\u001b]0;x\\u0007\\u009b\\u007f\tb\n</p>"
