"""Completion for bash, also 3.2, without the package bash-completion."""

from collections.abc import Iterable

from qxbatch.completion.words import IMPORT, CommandCompletion, Option

HEAD = """\
# Completion of qxbatch for bash. Written by `python -m qxbatch.completion.render`.
"""

BODY = r"""
# _qxbatch_reply WORD VALUE...: sets COMPREPLY to the completions of a word: values, folders (@dir), files (@file).
_qxbatch_reply() {
    local word=$1 value
    shift
    COMPREPLY=()
    for value in "$@"; do
        case $value in
        @any) ;;
        @dir | @file)
            local action=-d line
            [ "$value" = @dir ] || action=-f
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$action" -- "$word")
            ;;
        "$word"*) COMPREPLY+=("$value") ;;
        esac
    done
}

_qxbatch() {
    local cur=${COMP_WORDS[COMP_CWORD]} before="" option="" command="" place=0 given=" " at=1 word values
    # Bash may split `--option=value` into three words.
    if [ "$cur" = = ]; then
        cur=
        option=${COMP_WORDS[COMP_CWORD - 1]}
    elif [ "$COMP_CWORD" -gt 1 ] && [ "${COMP_WORDS[COMP_CWORD - 1]}" = = ]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $cur == --*=* ]]; then
        option=${cur%%=*}
        before=$option=
        cur=${cur#*=}
    fi
    [ "$COMP_CWORD" -lt 2 ] || command=$(_qxbatch_command "${COMP_WORDS[1]}")
    [ -z "$command" ] || at=2
    # Find the options before the word to complete, the number of words without dashes, and the option whose value the word is.
    while [ "$at" -lt "$COMP_CWORD" ]; do
        word=${COMP_WORDS[at]}
        if [[ $word == -* ]]; then
            word=${word%%=*}
            word=${word//_/-}
            given+="$word "
            values=$(_qxbatch_value "$command $word")
            if [ "${COMP_WORDS[at + 1]}" = = ]; then
                at=$((at + 2))
            elif [ -n "$values" ] && [[ $values != "?"* && ${COMP_WORDS[at]} != *=* ]]; then
                at=$((at + 1))
                [ "$at" -lt "$COMP_CWORD" ] || option=$word
            fi
        else
            place=$((place + 1))
        fi
        at=$((at + 1))
    done
    if [ -n "$option" ]; then
        values=$(_qxbatch_value "$command ${option//_/-}")
        read -r -a values <<<"${values#\?}"
        _qxbatch_reply "$cur" "${values[@]}"
        [ -z "$before" ] || COMPREPLY=("${COMPREPLY[@]/#/$before}")
    elif [[ $cur == -* ]]; then
        COMPREPLY=()
        for word in $(_qxbatch_options "$command"); do
            [[ $word == "$cur"* && $given != *" ${word%=} "* ]] && COMPREPLY+=("$word")
        done
        [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
    else
        read -r -a values <<<"$(_qxbatch_word "$command $place")"
        _qxbatch_reply "$cur" "${values[@]}"
    fi
}

complete -F _qxbatch qxbatch
"""


def script(commands: Iterable[CommandCompletion]) -> str:
    """Return the script."""
    all_commands = list(commands)
    names = [command.name for command in all_commands if command.name != IMPORT]
    functions = [
        _function("command", "the command that the first word names", [(names, '"$1"')]),
        _function(
            "options", "the options of a command", [([command.name], _options(command)) for command in all_commands]
        ),
        _function("value", "the values of an option; ? means: only after =", _values(all_commands)),
        _function("word", "the values of a word without dashes", _words(all_commands, names)),
    ]
    return HEAD + "".join(functions) + BODY


def _function(name: str, meaning: str, rows: Iterable[tuple[list[str], str]]) -> str:
    """Return a shell function that prints a text for its first argument; `rows` are patterns of the argument, and the text."""
    cases = "".join(f"    {' | '.join(map(_pattern, keys))}) echo {text} ;;\n" for keys, text in rows)
    return f"\n# {meaning}\n_qxbatch_{name}() {{\n    case $1 in\n{cases}    esac\n}}\n"


def _pattern(key: str) -> str:
    return f'"{key.removesuffix("*")}"*' if key.endswith("*") else f'"{key}"'


def _options(command: CommandCompletion) -> str:
    names = [
        f"{option.name}{'=' if option.values and not option.has_optional_value else ''}" for option in command.options
    ]
    return f'"{" ".join(names)}"'


def _values(commands: Iterable[CommandCompletion]) -> list[tuple[list[str], str]]:
    """Return (command and option, values); options with equal values share a row."""
    rows: dict[str, list[str]] = {}
    for command in commands:
        for option in command.options:
            if option.values:
                keys = [f"{command.name} {name}" for name in (option.name, option.short) if name]
                rows.setdefault(_quoted_values(option), []).extend(keys)
    return [(keys, text) for text, keys in rows.items()]


def _quoted_values(option: Option) -> str:
    return f'"{"?" if option.has_optional_value else ""}{" ".join(option.values)}"'


def _words(commands: Iterable[CommandCompletion], names: Iterable[str]) -> list[tuple[list[str], str]]:
    """Return (command and place, values). The first word of an import may also be a command, one of `names`."""
    rows = []
    for command in commands:
        for place, word in enumerate(command.words):
            subcommands = [*names, "help", "version"] if command.name == IMPORT and place == 0 else []
            key = f"{command.name} {'*' if word.is_repeatable else place}"
            rows.append(([key], f'"{" ".join([*subcommands, *word.values])}"'))
    return rows
