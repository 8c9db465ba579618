from __future__ import annotations

import json
from typing import Any

import pytest
from doubles import KEY, SCIENTIST, START, STEWARD, WEEK, approve, desk, submit

from sm_access.access import (
    Event,
    Extra,
    Level,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    ProofFinding,
    S3Target,
    judge,
)
from sm_access.access.canonical import canonical_json
from sm_access.access.event_codec import KINDS, decode_event, encode_event, kind_of
from sm_access.access.events import (
    Applied,
    AutoApproved,
    Collected,
    Endorsed,
    EndProbed,
    GlassBroken,
    Narrowed,
    NotProvable,
    Proven,
    Rejected,
    Released,
    Revoked,
    Withdrawn,
)
from sm_access.errors import LedgerUnavailable

AT = desk()
RAW = S3Target("lake", "raw/")
STEPS = judge(
    [ProbeResult(Probe(ProbeKind.LIST, "lake", "raw/", Outcome.ALLOWED), Outcome.DENIED, "AccessDenied")]
).steps
EVENTS: tuple[Event, ...] = (
    *approve(AT, submit(AT, key=KEY)).events,
    Narrowed(START, STEWARD, RAW, Level.LIST, WEEK, (Extra.VERSIONS,), "less", "0" * 64),
    Endorsed(START, STEWARD, "0" * 64),
    AutoApproved(START, STEWARD, "public data", "0" * 64, START, ({"Sid": "x"},), "0" * 64),
    GlassBroken(START, SCIENTIST, "fire", "0" * 64, START, (), "0" * 64),
    Released(START, SCIENTIST),
    Rejected(START, STEWARD, "größer als nötig\n\U0001f600"),
    Withdrawn(START, SCIENTIST),
    Applied(START),
    Proven(START, STEPS),
    NotProvable(START, ()),
    EndProbed(START, ProofFinding.NOT_HELD, STEPS),
    Revoked(START, SCIENTIST, "released"),
    Collected(START),
)
BODY = encode_event(EVENTS[0])
APPROVAL = encode_event(EVENTS[1])
PROOF = encode_event(next(event for event in EVENTS if isinstance(event, Proven)))
NARROWING = encode_event(EVENTS[2])


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
        ("narrowed", {**NARROWING, "extras": ["acls"]}),
        ("narrowed", {**NARROWING, "extras": ["tags", "versions"]}),
        ("narrowed", {**NARROWING, "extras": ["tags", "tags"]}),
        ("approved", {**APPROVAL, "statements": ["x"]}),
        ("approved", {**APPROVAL, "statements": {}}),
        ("proven", {**PROOF, "steps": [{}]}),
        ("proven", {**PROOF, "steps": [{**PROOF["steps"][0], "attempts": 0}]}),
        ("proven", {**PROOF, "steps": [{**PROOF["steps"][0], "attempts": True}]}),
        ("end-probed", {**PROOF, "finding": "over"}),
        ("proven", {**PROOF, "steps": [{**PROOF["steps"][0], "finding": "fine"}]}),
    ],
)
def test_what_is_not_exactly_an_event_is_not_read_as_one(kind: str, body: Any) -> None:
    with pytest.raises(LedgerUnavailable, match=kind) as refused:
        decode_event(kind, body)
    assert "sm-access" in refused.value.remedy
