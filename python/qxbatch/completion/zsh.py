"""Completion for zsh, by its own `_arguments`."""

from collections.abc import Iterable

from qxbatch.completion.words import ANY, DIR, FILE, IMPORT, Command, Option

HEAD = """\
#compdef qxbatch
# Completion of qxbatch for zsh. Written by `python -m qxbatch.completion.render`.

_qxbatch() {
    local -a parts
"""

TAIL = """\
}

_qxbatch "$@"
"""


def script(commands: Iterable[Command]) -> str:
    """Return the script."""
    listed = list(commands)
    parts = [f"        {_quoted(f'{each.name}:{each.summary}')}" for each in listed if each.name != IMPORT]
    first = [
        "    parts=(",
        *parts,
        "        'help:The help of a part'",
        "        'version:The version'",
        "    )",
        "    if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then",
        "        _describe -t parts part parts",
        "        _files -/",
        "        return",
        "    fi",
    ]
    cases = [line for each in listed if each.name != IMPORT for line in _case(each)]
    whole = next(each for each in listed if each.name == IMPORT)
    return HEAD + "\n".join([*first, "    case $words[2] in", *cases, *_case(whole), "    esac", ""]) + TAIL


def _case(command: Command) -> list[str]:
    """Return the lines of one command; the import is what no other one is."""
    shift = ["        shift words", "        (( CURRENT-- ))"] if command.name != IMPORT else []
    specs = [spec for each in command.options for spec in _option(each)]
    specs += [
        f"{'*' if each.repeated else place}:{each.name}:{_action(each.values)}"
        for place, each in enumerate(command.words, 1)
    ]
    lines = [f"            {_quoted(spec)} \\" for spec in specs]
    lines[-1] = lines[-1].removesuffix(" \\")
    return [f"    {command.name or '*'})", *shift, "        _arguments -s -S \\", *lines, "        ;;"]


def _option(option: Option) -> list[str]:
    """Return the specs of an option, one for each of its names."""
    names = [name for name in (option.short, option.name) if name]
    others = f"({' '.join(names)})"
    meaning = "".join(f"\\{each}" if each in "[]:\\" else each for each in option.meaning.replace("`", ""))
    if not option.values:
        return [f"{others}{name}[{meaning}]" for name in names]
    value = f"value:{_action(option.values)}"
    if option.optional:
        return [f"{others}{option.name}=-[{meaning}]::{value}"]
    return [f"{others}{name}{'=' if name == option.name else '+'}[{meaning}]:{value}" for name in names]


def _action(values: tuple[str, ...]) -> str:
    """Return how zsh completes these values."""
    words = [each for each in values if not each.startswith("@")]
    if DIR in values or FILE in values:
        files = "_files -/" if DIR in values else "_files"
        return f"{{compadd -- {' '.join(words)}; {files}}}" if words else files
    return " " if values == (ANY,) else f"({' '.join(words)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
