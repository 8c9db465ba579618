from __future__ import annotations

import json
from typing import Any

import pytest
from doubles import KEY, SCIENTIST, START, STEWARD, approve, desk, submit

from sm_access.access import Event, Outcome, Probe, ProbeKind, ProbeResult, judge
from sm_access.access.canonical import canonical_json
from sm_access.access.event_codec import KINDS, decode_event, encode_event, kind_of
from sm_access.access.events import Applied, Collected, NotProvable, Proven, Rejected, Revoked, Withdrawn
from sm_access.errors import LedgerUnavailable

AT = desk()
STEPS = judge(
    [ProbeResult(Probe(ProbeKind.LIST, "lake", "raw/", Outcome.ALLOWED), Outcome.DENIED, "AccessDenied")]
).steps
EVENTS: tuple[Event, ...] = (
    *approve(AT, submit(AT, key=KEY)).events,
    Rejected(START, STEWARD, "größer als nötig\n\U0001f600"),
    Withdrawn(START, SCIENTIST),
    Applied(START),
    Proven(START, STEPS),
    NotProvable(START, ()),
    Revoked(START, SCIENTIST, "released"),
    Collected(START),
)
BODY = encode_event(EVENTS[0])
APPROVAL = encode_event(EVENTS[1])
PROOF = encode_event(EVENTS[5])


@pytest.mark.parametrize("event", EVENTS, ids=kind_of)
def test_there_and_back(event: Event) -> None:
    stored = json.loads(canonical_json(encode_event(event)))
    assert decode_event(kind_of(event), stored) == event


def test_every_kind_is_tried_here() -> None:
    assert {kind_of(event) for event in EVENTS} == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("extended", BODY),
        ("submitted", []),
        ("submitted", {**BODY, "status": "approved"}),
        ("submitted", {name: value for name, value in BODY.items() if name != "level"}),
        ("submitted", {**BODY, "level": "admin"}),
        ("submitted", {**BODY, "at": "yesterday"}),
        ("submitted", {**BODY, "at": 1}),
        ("submitted", {**BODY, "reason": None}),
        ("submitted", {**BODY, "region": 1}),
        ("submitted", {**BODY, "duration": 1.5}),
        ("submitted", {**BODY, "duration": True}),
        ("submitted", {**BODY, "duration": 0}),
        ("submitted", {**BODY, "duration": 10**12}),
        ("submitted", {**BODY, "target": {"bucket": "lake", "path": "*"}}),
        ("submitted", {**BODY, "target": "s3://lake"}),
        ("submitted", {**BODY, "requester": {**BODY["requester"], "account": "999988887777"}}),
        ("submitted", {**BODY, "requester": {**BODY["requester"], "admin": True}}),
        ("approved", {**APPROVAL, "statements": ["x"]}),
        ("approved", {**APPROVAL, "statements": {}}),
        ("proven", {**PROOF, "steps": [{}]}),
        ("proven", {**PROOF, "steps": [{**PROOF["steps"][0], "finding": "fine"}]}),
    ],
)
def test_what_is_not_exactly_an_event_is_not_read_as_one(kind: str, body: Any) -> None:
    with pytest.raises(LedgerUnavailable, match=kind) as refused:
        decode_event(kind, body)
    assert "sm-access" in refused.value.remedy
