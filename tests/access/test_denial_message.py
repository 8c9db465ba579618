"""Every documented form of AWS's access-denied messages, and what no text may do to whoever reads it."""

from __future__ import annotations

import time
from dataclasses import fields
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.denial_message import MOST_CHARACTERS, DenialMessage, parse_denial, parse_denials

CORPUS = yaml.safe_load((Path(__file__).parent / "corpus" / "denials.yaml").read_text(encoding="utf-8"))
EMPTY = {field.name: getattr(DenialMessage(), field.name) for field in fields(DenialMessage)}


def told(message: DenialMessage) -> dict[str, Any]:
    """What a message says, without what it does not."""
    values = {field.name: getattr(message, field.name) for field in fields(DenialMessage)}
    return {
        name: value.value if isinstance(value, Enum) else value
        for name, value in values.items()
        if value != EMPTY[name]
    }


@pytest.mark.parametrize("case", CORPUS["messages"], ids=lambda case: case["name"])
def test_every_documented_message_is_read(case: dict[str, Any]) -> None:
    assert set(case) == {"name", "text", "is"}
    (found,) = parse_denials(case["text"])
    assert told(found) == case["is"]


@pytest.mark.parametrize("case", CORPUS["messages"], ids=lambda case: case["name"])
def test_a_message_is_read_within_a_traceback_too(case: dict[str, Any]) -> None:
    before = "Traceback (most recent call last):\n  File 'a.py', line 3\nClientError: "
    text = f"{before}{case['text']}\n\nDone, in 3 s.\n"
    found = parse_denial(text)
    assert found is not None
    assert told(found) == case["is"]


@pytest.mark.parametrize("text", CORPUS["not_denials"])
def test_what_is_no_denial_is_passed_over(text: str) -> None:
    assert parse_denials(text) == ()
    assert parse_denial(text) is None


def test_several_sentences_are_several_denials() -> None:
    cases = CORPUS["messages"][:3]
    found = parse_denials("\n".join(case["text"] for case in cases))
    assert [told(each) for each in found] == [case["is"] for case in cases]


PIECES = st.sampled_from(
    [
        "User: ", "arn:aws:iam::1:user/x", " is not authorized to perform: ", "s3:GetObject", ' on resource: "', '"',
        "arn:aws:s3:::b/", " because no ", "identity-based policy", " allows the s3:GetObject action",
        " with an explicit deny in a ", " transitively through a ", ": arn:", "\n", " ", "\\n", '\\"', "&quot;",
        "Encoded authorization failure message: ", "A" * 50, " on ", "policy", "/",
        "because public ACLs are prevented by the ",
    ]
)  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=40).map("".join)))
def test_no_text_raises(text: str) -> None:
    for found in parse_denials(text):
        assert isinstance(found, DenialMessage)


@pytest.mark.parametrize(
    "piece",
    [
        " ", "\n", "a", '"', "User: arn:aws:iam::1:user/x is not authorized to perform: s3:GetObject ",
        "is not authorized to perform: s3:G on resource: ", "because no identity-based policy ", " on resource: \"",
        "with an explicit deny in a session policy: arn:", "Encoded authorization failure message: ", "policy ", "\\\"",
    ],
)  # fmt: skip
def test_a_long_text_takes_time_in_proportion_to_its_length(piece: str) -> None:
    """Of processor time, which others on the machine do not change; four times the text in the square is sixteen."""

    def seconds(characters: int) -> float:
        text = "is not authorized to perform: s3:GetObject on resource: " + piece * (characters // len(piece))
        times = []
        for _ in range(3):
            started = time.process_time()
            parse_denials(text)
            times.append(time.process_time() - started)
        return min(times)

    quarter, whole = seconds(MOST_CHARACTERS // 4), seconds(MOST_CHARACTERS)
    assert whole < 10 * quarter + 0.05
    assert seconds(MOST_CHARACTERS * 10) < 3 * whole + 0.05  # only the beginning is read
