"""The name a user may have meant."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like `name`, or an empty string where none is near."""
    from difflib import get_close_matches

    by_folded = {each.casefold(): each for each in known}
    found = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    if found:
        return by_folded[found[0]]
    longer = sorted(each for folded, each in by_folded.items() if folded.startswith(name.casefold()))
    return longer[0] if longer else ""
