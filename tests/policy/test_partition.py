"""Cells are complete and true: every text falls into one of them, and its example is such a text."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_access.errors import CannotTell
from sm_access.policy import partition as module
from sm_access.policy.context import RequestContext
from sm_access.policy.partition import Run, Shape, overlaps, partition
from sm_access.policy.pattern import Wildcard, parse_template

TEXTS = ["".join(letters) for size in range(6) for letters in itertools.product("ab:c", repeat=size)]
patterns = st.text(alphabet="ab:*?", max_size=5)


def shape(text: str, within: bool = False) -> Shape:
    pattern = parse_template(text, variables=False).resolve(RequestContext({}))
    return Shape.of(text, pattern.within_segments() if within else pattern)


def matches(text: str, candidate: str, within: bool = False) -> bool:
    pattern = parse_template(text, variables=False).resolve(RequestContext({}))
    return (pattern.within_segments() if within else pattern).matches(candidate)


@given(patterns, st.lists(patterns, max_size=4), st.booleans())
@settings(deadline=None, max_examples=100)
def test_every_text_is_in_one_cell_and_every_example_is_true(
    universe: str, listed: list[str], within: bool
) -> None:
    cells = partition(shape(universe, within), [shape(text, within) for text in listed])
    assert len({cell.matched for cell in cells}) == len(cells)

    def matched(candidate: str) -> frozenset[int]:
        return frozenset(n for n, text in enumerate(listed) if matches(text, candidate, within))

    found = {cell.matched for cell in cells}
    for candidate in TEXTS:
        if matches(universe, candidate, within):
            assert matched(candidate) in found
    for cell in cells:
        assert matches(universe, cell.example, within)
        assert matched(cell.example) == cell.matched


@given(patterns, patterns)
@settings(deadline=None, max_examples=200)
def test_two_patterns_overlap_where_a_text_matches_both(left: str, right: str) -> None:
    both = bool({cell for cell in partition(shape(left), [shape(right)]) if cell.matched})
    assert overlaps(shape(left), shape(right)) is both
    assert overlaps(shape(right), shape(left)) is both


def test_runs_stop_where_they_may_not_go() -> None:
    bucket = Shape("bucket", (*"s3:::", Run("/")))
    assert overlaps(bucket, shape("s3:::lake*"))
    assert not overlaps(bucket, shape("s3:::lake/*"))
    assert not overlaps(shape("s3:::lake/*"), bucket)
    assert overlaps(bucket, shape("s3:::la?e"))
    assert overlaps(Shape("a", (Wildcard.ONE,)), bucket) is False
    assert not overlaps(shape("*a*b"), shape("*b*a"))  # many ways, none to the end
    assert [cell.example for cell in partition(bucket, [shape("s3:::*/*")])] == ["s3:::"]


def test_names_of_people_are_shortest_first() -> None:
    cells = partition(
        shape("arn:aws:s3:::*"), [shape("arn:aws:s3:::lake/*"), shape("arn:aws:s3:::lake/raw/*")]
    )
    assert [cell.example for cell in cells] == [
        "arn:aws:s3:::",
        "arn:aws:s3:::lake/",
        "arn:aws:s3:::lake/raw/",
    ]


def test_when_every_letter_is_special_another_is_found() -> None:
    every = [shape(f"*{letter}*") for letter in "xy"] + [shape(character) for character in module._OTHERS]
    cells = partition(shape("?"), every)
    assert frozenset() in {cell.matched for cell in cells}


def test_too_many_ways_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STATES", 10)
    with pytest.raises(CannotTell, match="too many groups"):
        partition(shape("*"), [shape("abcdefghijklmn")])


def test_the_work_is_bounded_by_patterns_and_characters_together(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [shape(f"a/{number}/*") for number in range(50)]
    assert len(partition(shape("a/*"), folders)) == 51
    monkeypatch.setattr(module, "MOST_STEPS", 100)
    with pytest.raises(CannotTell):
        partition(shape("a/*"), folders)
