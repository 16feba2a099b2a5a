"""PAR headers of the public sets read by nibabel, and references that differ."""

from pathlib import Path

import pytest

from tests.regression.acquisition import Compared
from tests.regression.references import par_readings, unexplained


@pytest.mark.data
def test_every_par_of_the_sets_has_the_facts_that_nibabel_reads(data: Path) -> None:
    pars = sorted(path for path in data.rglob("*") if path.suffix.lower() == ".par")
    found = [one for par in pars for one in par_readings(par)]
    assert len(pars) > 15
    assert unexplained(iter(found)) == []
    assert sum(one.agrees for one in found) == len(found) - 1


def test_a_difference_without_a_known_cause_is_reported() -> None:
    good = Compared("epiRT GD33", "tr_ms", 2000.0, 2000.0)
    known = Compared("epiRT GD33", "tr_ms", 2000.0, 2033.0)
    unknown = Compared("T1w", "tr_ms", 2000.0, 2033.0)
    assert unexplained(iter([good, known, unknown])) == [unknown]
