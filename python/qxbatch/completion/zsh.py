"""Completion for zsh, with its function `_arguments`."""

from collections.abc import Iterable

from qxbatch.completion.words import ANY, DIR, FILE, IMPORT, CommandCompletion, Option

HEAD = """\
#compdef qxbatch
# Completion of qxbatch for zsh. Written by `python -m qxbatch.completion.render`.

_qxbatch() {
    local -a subcommands
"""

TAIL = """\
}

_qxbatch "$@"
"""


def script(commands: Iterable[CommandCompletion]) -> str:
    """Return the script."""
    all_commands = list(commands)
    subcommands = [
        f"        {_quoted(f'{command.name}:{command.summary}')}" for command in all_commands if command.name != IMPORT
    ]
    first_word = [
        "    subcommands=(",
        *subcommands,
        "        'help:The help of a command'",
        "        'version:The version'",
        "    )",
        "    if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then",
        "        _describe -t subcommands command subcommands",
        "        _files -/",
        "        return",
        "    fi",
    ]
    cases = [line for command in all_commands if command.name != IMPORT for line in _case(command)]
    import_command = next(command for command in all_commands if command.name == IMPORT)
    return (
        HEAD + "\n".join([*first_word, "    case $words[2] in", *cases, *_case(import_command), "    esac", ""]) + TAIL
    )


def _case(command: CommandCompletion) -> list[str]:
    """Return the lines of one command in the `case` statement; those of the import are its default, `*`."""
    drop_command = ["        shift words", "        (( CURRENT-- ))"] if command.name != IMPORT else []
    specs = [spec for option in command.options for spec in _option(option)]
    specs += [
        f"{'*' if word.is_repeatable else place}:{word.name}:{_action(word.values)}"
        for place, word in enumerate(command.words, 1)
    ]
    lines = [f"            {_quoted(spec)} \\" for spec in specs]
    lines[-1] = lines[-1].removesuffix(" \\")
    return [f"    {command.name or '*'})", *drop_command, "        _arguments -s -S \\", *lines, "        ;;"]


def _option(option: Option) -> list[str]:
    """Return the specs of an option, one for each of its names; if its value is optional, only one for its long name."""
    names = [name for name in (option.short, option.name) if name]
    exclusive = f"({' '.join(names)})"
    meaning = "".join(
        f"\\{character}" if character in "[]:\\" else character for character in option.meaning.replace("`", "")
    )
    if not option.values:
        return [f"{exclusive}{name}[{meaning}]" for name in names]
    value = f"value:{_action(option.values)}"
    if option.has_optional_value:
        return [f"{exclusive}{option.name}=-[{meaning}]::{value}"]
    return [f"{exclusive}{name}{'=' if name == option.name else '+'}[{meaning}]:{value}" for name in names]


def _action(values: tuple[str, ...]) -> str:
    """Return the action with which zsh completes these values."""
    words = [value for value in values if not value.startswith("@")]
    if DIR in values or FILE in values:
        files = "_files -/" if DIR in values else "_files"
        return f"{{compadd -- {' '.join(words)}; {files}}}" if words else files
    return " " if values == (ANY,) else f"({' '.join(words)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
