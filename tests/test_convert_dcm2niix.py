"""How dcm2niix is called."""

import pytest

from qxbatch.convert.dcm2niix import allocator


@pytest.mark.parametrize(
    ("theirs", "given"),
    [
        ("", "glibc.malloc.hugetlb=1"),
        ("glibc.rtld.nns=2", "glibc.rtld.nns=2:glibc.malloc.hugetlb=1"),
        ("glibc.malloc.hugetlb=2", "glibc.malloc.hugetlb=2"),
    ],
)
def test_what_the_user_has_set_of_glibc_stays(theirs: str, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", theirs)
    assert allocator()["GLIBC_TUNABLES"] == given
