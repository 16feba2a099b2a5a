"""The environment in which dcm2niix is called."""

import pytest

from qxbatch.convert.dcm2niix import ALLOCATOR, allocator_settings


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        ("", "glibc.malloc.hugetlb=1"),
        ("glibc.rtld.nns=2", "glibc.rtld.nns=2:glibc.malloc.hugetlb=1"),
        ("glibc.malloc.hugetlb=2", "glibc.malloc.hugetlb=2"),
    ],
)
def test_glibc_tunables_of_the_user_are_kept(current: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", current)
    assert allocator_settings()["GLIBC_TUNABLES"] == expected


def test_malloc_variables_of_the_user_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MALLOC_TOP_PAD_", "1")
    assert allocator_settings() == {**allocator_settings(), **ALLOCATOR, "MALLOC_TOP_PAD_": "1"}
