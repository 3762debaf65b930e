"""A citation key has one grammar: what is no key is refused, and what is one is read and written alike."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_assets.law.citation_key import PATTERN, CitationKey

PART = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
    lambda text: re.fullmatch(r"[^:\s]+", text) is not None
)
FEW = st.sampled_from(["1", "2", "12", "1a", "-"])


@st.composite
def keys(draw: st.DrawFn, part: st.SearchStrategy[str] = PART) -> CitationKey:
    jurisdiction = draw(st.sampled_from(["DE", "EU", "ZZ"]))
    return CitationKey(jurisdiction, *draw(st.lists(part, min_size=2, max_size=4)))


@given(keys())
def test_a_key_that_is_written_is_read_as_the_same_key(key: CitationKey) -> None:
    assert CitationKey.parse(str(key)) == key
    assert hash(CitationKey.parse(str(key))) == hash(key)


@given(st.text(st.sampled_from("ADEb1 :\n-"), max_size=16))
def test_text_is_a_key_that_is_written_as_it_was_or_is_refused(text: str) -> None:
    try:
        assert str(CitationKey.parse(text)) == text
    except ValueError:
        assert re.fullmatch(PATTERN, text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "DE",
        "DE:betrvg",
        "DE:betrvg:",
        "DE::87",
        "DE:betrvg:87:",
        "DE:betrvg:87::6",
        "DE:betrvg:87:1:6:2",
        "de:betrvg:87",
        "DEU:betrvg:87",
        ":betrvg:87",
        "DE:betrvg:87 1",
        " DE:betrvg:87",
        "DE:betrvg:87\n",
        "§ 87 BetrVG",
    ],
)
def test_what_is_no_key_is_refused_with_the_text_and_the_grammar(text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{text!r} is no citation key")) as refused:
        CitationKey.parse(text)
    assert "write JURISDICTION:law:unit[:paragraph[:point]]" in str(refused.value)


@pytest.mark.parametrize(
    ("outer", "inner", "contains"),
    [
        ("DE:betrvg:87", "DE:betrvg:87", True),
        ("DE:betrvg:87", "DE:betrvg:87:1", True),
        ("DE:betrvg:87", "DE:betrvg:87:1:6", True),
        ("DE:betrvg:87:1", "DE:betrvg:87:1:6", True),
        ("DE:betrvg:111", "DE:betrvg:111:-:5", True),
        ("DE:betrvg:87:1", "DE:betrvg:87:1", True),
        ("DE:betrvg:87:1:6", "DE:betrvg:87:1:6", True),
        ("DE:betrvg:87:1", "DE:betrvg:87", False),
        ("DE:betrvg:87:1:6", "DE:betrvg:87:1", False),
        ("DE:betrvg:87:1:6", "DE:betrvg:87:1:7", False),
        ("DE:betrvg:87:1", "DE:betrvg:87:2:6", False),
        ("DE:betrvg:87:1", "DE:betrvg:87:11", False),
        ("DE:betrvg:8", "DE:betrvg:87:1", False),
        ("DE:kschg:17", "DE:betrvg:17", False),
        ("AT:law:17", "DE:law:17", False),
    ],
)
def test_a_place_contains_itself_and_the_places_within_it(outer: str, inner: str, contains: bool) -> None:
    one, other = CitationKey.parse(outer), CitationKey.parse(inner)
    assert one.contains(other) is contains
    back = other.contains(one)
    assert one.touches(other) is other.touches(one) is (contains or back)


@given(keys(FEW), keys(FEW))
def test_a_place_contains_another_where_its_key_begins_the_other_one(one: CitationKey, other: CitationKey) -> None:
    assert one.contains(other) is f"{other}:".startswith(f"{one}:")
    assert one.touches(other) is (one.contains(other) or other.contains(one))


def test_keys_order_by_their_parts_and_a_place_comes_before_those_within_it() -> None:
    ordered = ["AT:arbvg:96", "DE:betrvg:87", "DE:betrvg:87:1", "DE:betrvg:87:1:6", "DE:betrvg:87:2", "DE:kschg:17"]
    assert [str(key) for key in sorted(CitationKey.parse(text) for text in reversed(ordered))] == ordered
