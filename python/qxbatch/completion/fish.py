"""Completion for fish."""

from collections.abc import Iterable

from qxbatch.completion.words import DIR, FILE, IMPORT, CommandCompletion, Option

HEAD = """\
# Completion of qxbatch for fish. Written by `python -m qxbatch.completion.render`.

# Whether the command is $argv[1]; without a command it is the import.
function __qxbatch_is
    set -l words (commandline -opc)
    set -l subcommands {subcommands}
    if test (count $words) -gt 1; and contains -- $words[2] $subcommands
        test "$argv[1]" = $words[2]
    else
        test "$argv[1]" = import
    end
end

# Whether $argv[1] words precede the cursor, with qxbatch itself and without those that begin with a dash.
function __qxbatch_place
    set -l words (string match -v -- '-*' (commandline -opc))
    test (count $words) -eq $argv[1]
end

# The folders that complete a word, or the value after its =.
function __qxbatch_folders
    __fish_complete_directories (commandline -ct | string replace -r '^--[^=]*=' '') ''
end

complete -c qxbatch -f
"""


def script(commands: Iterable[CommandCompletion]) -> str:
    """Return the script."""
    all_commands = list(commands)
    subcommands = [command for command in all_commands if command.name != IMPORT]
    lines = [HEAD.replace("{subcommands}", " ".join(command.name for command in subcommands))]
    lines += [
        f"complete -c qxbatch -n '__qxbatch_place 1' -a {command.name} -d {_quoted(command.summary)}"
        for command in subcommands
    ]
    lines += ["complete -c qxbatch -n '__qxbatch_place 1' -a help -d 'The help of a command'"]
    lines += ["complete -c qxbatch -n '__qxbatch_place 1' -a version -d 'The version'"]
    for command in all_commands:
        options = (option for option in command.options if "=" not in option.name)
        lines += ["", *_words(command), *(_option(command, option) for option in options)]
    return "\n".join(lines) + "\n"


def _complete(command: CommandCompletion, more: str = "") -> str:
    """Return the beginning of a `complete` command that applies to this command, and under the condition `more`, if it is given."""
    name = command.name or "import"
    return f"complete -c qxbatch -n {_quoted(f'__qxbatch_is {name}{more}')}"


def _words(command: CommandCompletion) -> list[str]:
    first = 1 if command.name == IMPORT else 2
    lines = []
    for place, word in enumerate(command.words, first):
        more = "" if word.is_repeatable else f"; and __qxbatch_place {place}"
        lines.append(f"{_complete(command, more)} {_values(word.values)}")
    return lines


def _option(command: CommandCompletion, option: Option) -> str:
    names = [f"-l {option.name.removeprefix('--')}"]
    names += [f"-s {option.short.removeprefix('-')}"] if option.short else []
    argument = f" -r {_values(option.values)}" if option.values and not option.has_optional_value else ""
    return f"{_complete(command)} {' '.join(names)}{argument} -d {_quoted(option.meaning.replace('`', ''))}"


def _values(values: tuple[str, ...]) -> str:
    """Return the arguments with which fish completes these values."""
    if FILE in values:
        return "-F"
    # Without -f, fish offers files for the value of an option.
    words = " ".join(value for value in values if not value.startswith("@"))
    return f"-f -a {_quoted(f'(__qxbatch_folders) {words}'.strip() if DIR in values else words)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
