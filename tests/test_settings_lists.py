"""Lists in the forms that users write."""

import re
import string
from fnmatch import fnmatchcase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qxbatch.settings.lists import expand_braces, regex_of_glob, split_labels, split_list

ITEM = st.text(string.ascii_letters + string.digits + ".*?_-^$", min_size=1)


@given(
    st.lists(
        ITEM
        | st.builds("{}{{1,3}}".format, ITEM)
        | st.builds("{}[,;(]".format, ITEM)
        | st.builds("({},x)".format, ITEM)
    )
)
def test_commas_split_outside_brackets_only(items: list[str]) -> None:
    assert split_list(",".join(items)) == tuple(items)


@given(st.text("ab,[](){}\\ "))
def test_splitting_any_text_loses_only_commas_and_spaces(text: str) -> None:
    kept = "".join(split_list(text))
    assert [c for c in kept if c not in ", "] == [c for c in text if c not in ", "]


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("AP.*,HQ.*", ("AP.*", "HQ.*")),
        (" AP1 ,, AP2 ", ("AP1", "AP2")),
        (r"a\(b,c", (r"a\(b", "c")),
        ("[(],b", ("[(]", "b")),
        ("", ()),
    ],
)
def test_lists_with_spaces_empty_items_and_brackets_are_split(text: str, items: tuple[str, ...]) -> None:
    assert split_list(text) == items


def test_the_prefix_of_labels_is_removed() -> None:
    assert split_labels("sub-01,02 sub-sub-3", "sub-") == ("01", "02", "sub-3")


@example("[]*", "[]a")
@example("[!]*", "[!]a")
@example("[z-a]*", "za")
@example("[]a]", "]")
@example("[^a]", "^")
@example("[+--]", "-")
@example("[--z]", "a")
@given(st.text("ab[]!-*?.^\\&z", max_size=8), st.text("ab[]!-.^\\&z", max_size=5))
def test_the_expression_of_a_glob_matches_the_same_names(glob: str, name: str) -> None:
    assert (re.fullmatch(regex_of_glob(glob), name) is not None) == fnmatchcase(name, glob)


def test_the_expression_of_a_glob_with_a_comma_is_one_item_of_a_list() -> None:
    expression = regex_of_glob("*(a,b)")
    assert split_list(expression) == (expression,)
    assert re.fullmatch(expression, "S(a,b)")


def test_an_empty_item_in_braces_may_be_beside_a_set() -> None:
    assert expand_braces("*{,[1,2]}") == ["*", "*[1,2]"]
    assert regex_of_glob("*{,[12]}") == ".*|.*[12]"
