"""Proposes another value of --sessions for items that match nothing."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from qxbatch.discover.filters import matches_glob
from qxbatch.settings.command import as_glob, as_regex
from qxbatch.settings.lists import regex_of_glob, split_list
from qxbatch.visible import shell_word

_WRONG_SEPARATORS = re.compile(r"[\s;|]+")
"""Separators that people write instead of commas."""


class Matcher(Protocol):
    """Compares items of --sessions with names."""

    no_match_text: str
    """What the message says about items that match nothing."""

    def matches(self, item: str) -> bool:
        """Return whether an item matches a name."""

    def corrections(self, item: str) -> Iterable[str]:
        """Yield possible corrections of an item, the likeliest first. A correction may be several items, separated by commas."""


def corrected_sessions(items: Sequence[str], matcher: Matcher) -> list[str]:
    """Return one sentence with the proposed value; no sentence if all items match, or if none is close to a name."""
    right = {item: item if matcher.matches(item) else _likely_value(item, matcher) for item in items}
    wrong = [item for item in items if right[item] not in ("", item)]
    if not wrong:
        return []
    value = ",".join(right[item] or item for item in items)
    return [f"--sessions={shell_word(','.join(wrong))} {matcher.no_match_text}. Write: --sessions={shell_word(value)}"]


def _likely_value(item: str, matcher: Matcher) -> str:
    """Return the likely correction of an item, which may be several items, separated by commas; empty if no name is close."""
    words = [word for word in _WRONG_SEPARATORS.split(item) if word]
    if len(words) > 1:
        right = [word if matcher.matches(word) else _likely_value(word, matcher) for word in words]
        if any(right):
            return ",".join(better or word for better, word in zip(right, words, strict=True))
    return next((value for value in matcher.corrections(item) if _all_match(value, matcher)), "")


def _all_match(value: str, matcher: Matcher) -> bool:
    """Return whether a value has items and each of them matches a name."""
    items = split_list(value)
    return bool(items) and all(map(matcher.matches, items))


class Expressions:
    """Inbox mode: items are regular expressions, which match the whole name of a packet or id of a session."""

    no_match_text = "matches no whole packet name or session id; it is a regular expression"

    def __init__(self, names: Sequence[str], packet_name: Callable[[str], str]) -> None:
        self._names = names
        self._packet_name = packet_name
        """Returns the packet name that --pattern finds in a file name; empty if it finds none."""

    def matches(self, item: str) -> bool:
        """Return whether an expression matches a name."""
        try:
            return any(re.fullmatch(item, name) for name in self._names)
        except re.error:
            return False

    def corrections(self, item: str) -> Iterable[str]:
        """Yield expressions for an item that is a glob, a file name, a name in another case, or a part of a name."""
        if any(wildcard in item for wildcard in "*?"):
            yield regex_of_glob(item)
            yield f"(?i:{regex_of_glob(item)})"
            return
        packet = self._packet_name(item)
        yield as_regex(packet)
        likely = (item.casefold(), packet.casefold())
        same_names = dict.fromkeys(as_regex(name) for name in self._names if name.casefold() in likely)
        yield ",".join(same_names)
        yield from (f"{item}.*", f".*{item}.*")
        yield from (f"(?i:{item}.*)", f"(?i:.*{item}.*)")


class Globs:
    """Folder mode: items are globs, which match the name of a session folder."""

    no_match_text = "matches no session folder; with --masterinbox=none it is a glob"

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def matches(self, item: str) -> bool:
        """Return whether a glob matches a name."""
        return any(matches_glob(name, [item]) for name in self._names)

    def corrections(self, item: str) -> Iterable[str]:
        """Yield globs for an item that is a path, a regular expression, a name in another case, or the beginning of a name."""
        yield item.rstrip("/").rpartition("/")[2]
        yield item.replace(".*", "*")
        same_names = [as_glob(name) for name in self._names if name.casefold() == item.casefold()]
        yield from same_names[:1]
        yield f"{item}*"
