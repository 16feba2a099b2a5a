"""One named unit of an inbox, to be imported alone."""

from qxbatch.discover.candidates import candidates
from qxbatch.discover.units import Unit, units_of
from qxbatch.model import Verdict
from qxbatch.problems import UsageError
from qxbatch.settings.model import Settings


def named_unit(settings: Settings, name: str) -> Unit:
    """Return the unit that is ready for the session of this id.

    Raises UsageError when nothing is, with the verdict of what was found for it.
    """
    found = [each for each in candidates(settings) if each.session is not None and each.session.id == name]
    ready = [each for each in found if each.verdict is Verdict.READY]
    if not ready:
        notes = "; ".join(f"{each.path.name}: {each.verdict}" for each in found) or "nothing was found for it"
        raise UsageError(
            f"Session {name} is not ready to be imported ({notes}).", "List what is ready with --test=yes."
        )
    [unit] = units_of(ready, folder_mode=settings.masterinbox is None)
    return unit
