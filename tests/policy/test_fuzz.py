"""100,000 documents that something happened to: none brings the engine down, and none is allowed by accident.

Seeded, so that every run tries the same ones; a failure names its seed.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from sm_access.errors import PolicySyntaxError
from sm_access.policy import Decision, NamedPolicy, PolicySet, Request, authorize, lint, parse_policy
from sm_access.policy.conditions.registry import find_operator

CHUNKS = 10
IN_EACH = 10_000
PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"
OBJECT = "arn:aws:s3:::lake/raw/x.csv"
REQUEST = Request(
    PRINCIPAL,
    "s3:GetObject",
    OBJECT,
    "111122223333",
    {"aws:CurrentTime": "2026-11-23T12:00:00Z", "aws:SecureTransport": "true", "aws:SourceIp": "203.0.113.9"},
    ["aws:SourceVpce"],
)
ELEMENTS = {
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
SEEDS: list[dict[str, Any]] = [
    {
        "Version": "2012-10-17",
        "Id": "x",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:List*"],
                "Resource": ["arn:aws:s3:::lake/*", "arn:aws:s3:::lake"],
                "Condition": {
                    "StringEquals": {"aws:PrincipalAccount": ["111122223333"]},
                    "DateLessThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"},
                    "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
                    "Bool": {"aws:SecureTransport": "true"},
                },
            },
            {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::lake/secret/*"},
        ],
    },
    {
        "Statement": {
            "Effect": "Allow",
            "NotAction": "iam:*",
            "Resource": "arn:aws:s3:::lake/${aws:username, 'raw'}/*",
        },
        "Version": "2012-10-17",
    },
    {
        "Statement": {
            "Effect": "Allow",
            "Action": "*",
            "NotResource": "arn:aws:s3:::gold/*",
            "Condition": {
                "ForAllValues:StringLike": {"aws:TagKeys": ["a*"]},
                "NumericLessThanIfExists": {"s3:max-keys": 10},
                "Null": {"aws:SourceVpce": True},
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"},
            },
        }
    },
    {
        "Version": "2008-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ["111122223333", PRINCIPAL], "Service": "s3.amazonaws.com"},
                "Action": "s3:GetObject",
                "Resource": "*",
            },
            {"Effect": "Deny", "NotPrincipal": {"AWS": "*"}, "Action": "*", "Resource": "*"},
        ],
    },
]
JUNK: list[Any] = [
    None,
    True,
    -1,
    10**30,
    1e308,
    float("inf"),
    "",
    " ",
    "*",
    "?",
    "**",
    "Allow",
    "Deny",
    "${",
    "${aws:username",
    "${*}",
    "$${}}",
    "${a, 'b}",
    "arn:",
    "arn:aws:s3:::",
    "::::::",
    "s3:",
    ":GetObject",
    "\x00",
    "\ud800",
    "\u202e",
    "9" * 400,
    "0x1",
    "2026-13-45T99:99:99Z",
    "-0001-01-01",
    "300.1.1.1/33",
    "::1/129",
    "a" * 3000,
    "*" * 200,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": ""},
    {"AWS": None},
    {"StringEquals": None},
    {"StringEquals": {"a:b": None}},
    {"Bogus": {"a:b": "c"}},
    {"ForAllValues:": {"a:b": "c"}},
    {"ForSomeValues:StringLike": {"a:b": "c"}},
]
NAMES = [
    "Statement",
    "effect",
    "Effect ",
    "Actions",
    "Resource",
    "NotResource",
    "",
    "Version",
    "Principal",
    "\u0130d",
    "X" * 50,
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from places(value[key])


def mutated(dice: random.Random, document: Any) -> Any:
    """The document after something happened to one place of it."""
    container, key = dice.choice(list(places(document)))
    what = dice.randrange(7)
    if what == 0:
        container[key] = copy.deepcopy(dice.choice(JUNK))
    elif what == 1:
        del container[key]
    elif what == 2 and isinstance(container, dict):
        container[dice.choice(NAMES)] = container.pop(key)
    elif what == 3:
        container[key] = [container[key]]
    elif what == 4:
        container[key] = {dice.choice(NAMES): container[key]}
    elif what == 5 and isinstance(container, dict):
        container[dice.choice(NAMES)] = copy.deepcopy(dice.choice(JUNK))
    elif isinstance(container[key], str):
        container[key] = torn(dice, container[key])
    return document


def torn(dice: random.Random, text: str) -> str:
    """The text after something happened to one character."""
    place = dice.randrange(len(text) + 1)
    inserted = dice.choice(['"', "{", "[", "*", "?", "$", "${", "}", ",", ":", "\\", "\x00", "\u00e9", "/"])
    return dice.choice(
        (text[:place], text[:place] + inserted + text[place:], text[:place] + text[place + 1 :])
    )


def malformed(seed: int) -> str | Any:
    """One document: as text or decoded, changed in up to four places."""
    dice = random.Random(seed)  # noqa: S311 - the same ones in every run
    document = copy.deepcopy(dice.choice(SEEDS))
    for _ in range(dice.randrange(4)):
        if isinstance(document, (dict, list)) and document:
            document = mutated(dice, document)
    if dice.random() < 0.5:
        return document
    text = json.dumps(document, ensure_ascii=dice.random() < 0.5)
    return torn(dice, text) if dice.random() < 0.8 else text


def well_formed_allow(document: Any) -> bool:
    """Whether any statement could allow: nothing in it but known elements and operators, and the effect."""
    decoded = json.loads(document) if isinstance(document, str) else document
    statements = decoded["Statement"]
    return any(
        set(statement) <= ELEMENTS
        and statement["Effect"] == "Allow"
        and all(find_operator(operator) for operator in statement.get("Condition", {}))
        for statement in (statements if isinstance(statements, list) else [statements])
    )


@pytest.mark.no_cover  # what it reaches is reached by others too, and being watched takes three times as long
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_nothing_falls_over_and_nothing_is_allowed_by_accident(chunk: int) -> None:
    parsed = refused = allowed = 0
    for seed in range(chunk * IN_EACH, (chunk + 1) * IN_EACH):
        document = malformed(seed)
        try:
            policy = NamedPolicy("fuzzed", parse_policy(document))
        except PolicySyntaxError:
            refused += 1
            continue
        parsed += 1
        layer = {"resource": (policy,)} if seed % 2 else {"identity": (policy,)}
        response = authorize(PolicySet(**layer), REQUEST)
        if response.decision is Decision.ALLOW:
            allowed += 1
            assert well_formed_allow(document), seed
    assert min(parsed, refused, allowed) > IN_EACH // 50  # all three are really tried


def test_the_linter_falls_over_nothing_and_blames_all_that_is_refused() -> None:
    for seed in range(5_000):
        document = malformed(seed)
        if not isinstance(document, (str, dict)):
            continue
        found = lint(document)
        try:
            parse_policy(document)
        except PolicySyntaxError:
            assert found, seed
            assert found[0].severity.value == "error", seed


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_an_operator_that_is_not_understood_does_not_vanish_with_its_keys(effect: str) -> None:
    """Found by seed 60218: without keys there was no condition left to be in doubt about."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    odd = {**everything, "Effect": effect, "Condition": {"Bogus": {}}}
    policies = PolicySet.from_dict(
        {"identity": [{"Statement": [*([everything] if effect == "Deny" else []), odd]}]}
    )
    response = authorize(policies, REQUEST)
    assert response.decision is Decision.UNDETERMINED
    assert "'Bogus'" in response.depends_on[0]
