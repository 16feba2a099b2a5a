"""Suggests the name that a user may have meant."""

from collections.abc import Iterable


def nearest_name(name: str, names: Iterable[str]) -> str:
    """Return the most similar of `names`, if it is similar enough; case is ignored.

    Else return the alphabetically first one that begins with `name`, or an empty string.
    """
    from difflib import get_close_matches

    by_folded = {candidate.casefold(): candidate for candidate in names}
    matches = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    if matches:
        return by_folded[matches[0]]
    longer = sorted(candidate for folded, candidate in by_folded.items() if folded.startswith(name.casefold()))
    return longer[0] if longer else ""
