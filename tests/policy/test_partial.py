"""What an open answer depends on: as few words as say it, and none that make no difference."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import settings
from hypothesis import strategies as st

from sm_access.policy import Decision, PolicySet, Request, Response, authorize
from sm_access.policy.completions import TooManyWays, ways_of
from sm_access.policy.dependency import described
from sm_access.policy.formula import (
    Compound,
    Doubt,
    KeyTest,
    Literal,
    Relation,
    conjoin,
    disjoin,
    facts,
    given,
    opposite,
)
from sm_access.policy.partial import dependencies, settled, simplified
from sm_access.policy.pattern import Pattern
from sm_access.policy.truth import NO, YES, Truth, either_way, negation, possible, undecided

PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"
UNKNOWN = ("aws:SourceVpce", "aws:SourceIp", "aws:PrincipalTag/*", "aws:TagKeys", "x:*", "aws:userid")


def _allow(**condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}


def _deny(**condition: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}


def _ask(*statements: dict[str, Any], **layers: Any) -> Response:
    identity = [{"Version": "2012-10-17", "Statement": list(statements)}]
    policies = PolicySet.from_dict({"identity": identity, **layers})
    return authorize(policies, Request(PRINCIPAL, "s3:GetObject", "arn:aws:s3:::lake/raw/x", unknown=UNKNOWN))


VPCE = "aws:SourceVpce"
NOT_READ = "which could not be read"
DENIES = "the bucket policy, which could not be read, denies it"
UNCLOSED = "the policy variable in '${aws:userid', which is never closed"
WITHOUT = "whether ForAnyValue:StringEqualsIfExists holds without aws:TagKeys"
SOUNDS = "the condition operator 'Sounds', which is not understood"
NESTED = " or ".join(f"(x:{c} is true and what hangs on {SOUNDS})" for c in "cdefg")


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            [_allow(StringEquals={VPCE: ["vpce-1", "vpce-2"]})],
            ["allowed if aws:SourceVpce is vpce-1 or vpce-2"],
        ),
        (
            [_allow(StringEquals={VPCE: "vpce-1"}), _allow(StringEquals={VPCE: "vpce-2"})],
            ["allowed if aws:SourceVpce is vpce-1 or vpce-2"],
        ),
        (
            [
                _allow(
                    IpAddress={"aws:SourceIp": "10.0.0.0/8"}, StringEquals={"aws:PrincipalTag/team": "vision"}
                )
            ],
            ["allowed if aws:SourceIp is in 10.0.0.0/8 and aws:PrincipalTag/team is vision"],
        ),
        (
            [_allow(StringLike={VPCE: "vpce-*"}), _allow(Bool={"x:flag": "true"})],
            ["allowed if aws:SourceVpce is like vpce-*", "allowed if x:flag is true"],
        ),
        (
            [_allow(), _deny(StringEquals={VPCE: ["a", "b", "c", "d", "e", "f", "g"]})],
            ["allowed if aws:SourceVpce is not any of a, b, c, d, e or 2 more"],
        ),
        (
            [_allow(StringEquals={VPCE: ["a", "b"]}), _deny(StringEquals={VPCE: "a"})],
            ["allowed if aws:SourceVpce is b"],
        ),
        (
            [_allow(StringEquals={VPCE: "a"}), _deny(StringEquals={VPCE: "b"})],
            ["allowed if aws:SourceVpce is a"],
        ),
        (
            [
                _allow(
                    **{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}}
                )
            ],
            ["allowed if every value of aws:TagKeys is a and the request carries aws:TagKeys"],
        ),
        (
            [_allow(**{"ForAnyValue:StringEquals": {"aws:TagKeys": ["a", "b"]}})],
            ["allowed if a value of aws:TagKeys is a or b"],
        ),
        (
            [_allow(**{"ForAllValues:StringNotEquals": {"aws:TagKeys": ["a", "b"]}})],
            ["allowed if no value of aws:TagKeys is a or b"],
        ),
        (
            [_allow(**{"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}})],
            [
                f"allowed if aws:TagKeys has no value, depending on {WITHOUT}",
                "allowed if a value of aws:TagKeys is a",
            ],
        ),
        (
            [_allow(), _deny(**{"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": "a"}})],
            [
                "allowed if aws:TagKeys has a value and no value of aws:TagKeys is a",
                f"allowed if no value of aws:TagKeys is a, depending on {WITHOUT}",
            ],
        ),
        ([_allow(StringEquals={VPCE: ""})], ["allowed if aws:SourceVpce is ''"]),
        (
            [_allow(), _deny(StringEquals={VPCE: "a"}, Bool={"x:flag": "true"})],
            ["allowed if aws:SourceVpce is not a", "allowed if x:flag is not true"],
        ),
        (
            [_allow(Bool={"x:a": "true"}), _deny(StringEquals={VPCE: "a"}, Bool={"x:b": "true"})],
            ["allowed if x:a is true and (aws:SourceVpce is not a or x:b is not true)"],
        ),
        (
            [_allow(Bool={"x:a": "true"}), _deny(StringEquals={VPCE: "a"}, Sounds={"x:b": "true"})],
            [
                "allowed if aws:SourceVpce is not a and x:a is true",
                f"allowed if x:a is true, depending on {SOUNDS}",
            ],
        ),
        (
            [
                *(_allow(Bool={f"x:{c}": "true"}, Sounds={"x:b": c}) for c in "cdefg"),
                _deny(Bool={"x:a": "true"}),
            ],
            [f"allowed if ({NESTED}) and x:a is not true"],
        ),
        (
            [_allow(StringEquals={VPCE: ["${aws:userid", "a"]})],
            [
                "allowed if aws:SourceVpce is a",
                f"allowed if the request carries {VPCE}, depending on {UNCLOSED}",
            ],
        ),
        (
            [_allow(StringNotEquals={VPCE: ["${aws:userid}"]})],
            [
                "allowed if the request carries no aws:SourceVpce",
                "allowed depending on aws:SourceVpce and aws:userid",
            ],
        ),
        (
            [_allow(**{"ForAllValues:StringEquals": {"aws:TagKeys": ["${aws:userid}"]}})],
            ["allowed if aws:TagKeys has no value", "allowed depending on aws:TagKeys"],
        ),
        (
            [_allow(StringNotEquals={VPCE: "${s3:prefix}"})],
            [
                "allowed if the request carries no aws:SourceVpce",
                "allowed depending on the policy variable ${s3:prefix}, which this request does not carry",
            ],
        ),
        (
            [_allow(NumericLessThan={"x:n": "many"})],
            [
                "allowed if the request carries x:n, depending on the value 'many', which is not a number",
            ],
        ),
        (
            [_allow(StringLike={VPCE: c}) for c in ("a*", "b*", "c*", "d*", "e*", "f*", "g*")],
            ["allowed if aws:SourceVpce is like a*, b*, c*, d*, e* or 2 more"],
        ),
        (
            [_allow(Bool={f"x:{c}": "true"}) for c in "abcdefg"],
            [*(f"allowed if x:{c} is true" for c in "abcde"), "and 2 more"],
        ),
        (
            [_allow(Bool={f"x:{c}": "true" for c in "abcdefgh"})],
            [f"allowed if {' and '.join(f'x:{c} is true' for c in 'abcdef')} and 2 more"],
        ),
    ],
)
def test_in_words(statements: list[dict[str, Any]], words: list[str]) -> None:
    response = _ask(*statements)
    assert response.decision is Decision.UNDETERMINED
    assert list(response.depends_on) == words


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([_allow(StringEquals={VPCE: "a"}), _allow(StringNotEquals={VPCE: "a"})], Decision.ALLOW),
        (
            [_allow(), _deny(StringEquals={VPCE: "a"}), _deny(StringNotEquals={VPCE: "a"})],
            Decision.EXPLICIT_DENY,
        ),
        ([_allow(StringEquals={VPCE: "a"}), _deny(StringLike={VPCE: "a*"})], Decision.IMPLICIT_DENY),
        ([_allow(StringEquals={VPCE: "a"}, StringNotEquals={VPCE: "a"})], Decision.IMPLICIT_DENY),
        (
            [_allow(NumericLessThan={"x:n": "7"}), _deny(NumericLessThanEquals={"x:n": "7"})],
            Decision.IMPLICIT_DENY,
        ),
        (
            [
                _allow(DateLessThan={"x:d": "2026-01-01"}),
                _allow(DateGreaterThanEquals={"x:d": "2025-01-01"}),
                _allow(Null={"x:d": "true"}),
            ],
            Decision.ALLOW,
        ),
        (
            [
                _allow(IpAddress={"aws:SourceIp": "10.1.0.0/16"}),
                _deny(IpAddress={"aws:SourceIp": ["10.0.0.0/8", "::/0"]}),
            ],
            Decision.IMPLICIT_DENY,
        ),
        (
            [
                _allow(IpAddress={"aws:SourceIp": "2001:db8:1::/48"}),
                _deny(IpAddress={"aws:SourceIp": "2001:db8::/32"}),
            ],
            Decision.IMPLICIT_DENY,
        ),
        (
            [_allow(Bool={"x:f": "true"}), _allow(Bool={"x:f": "false"}), _allow(Null={"x:f": "true"})],
            Decision.ALLOW,
        ),
        ([_allow(BinaryEquals={"x:b": "QQ=="}, Null={"x:b": "true"})], Decision.IMPLICIT_DENY),
        ([_allow(StringLike={VPCE: "ab*"}), _deny(StringLike={VPCE: "a*"})], Decision.IMPLICIT_DENY),
        ([_allow(StringLike={VPCE: "a*"}, Null={VPCE: "true"})], Decision.IMPLICIT_DENY),
        ([_allow(StringLike={VPCE: "*"}), _allow(Null={VPCE: "true"})], Decision.ALLOW),
        ([_allow(StringLike={VPCE: "a*"}), _deny(StringNotLike={VPCE: "b*"})], Decision.IMPLICIT_DENY),
        ([_allow(Null={VPCE: ["true", "false"]})], Decision.ALLOW),
        ([_allow(StringEquals={VPCE: "${s3:prefix}"})], Decision.IMPLICIT_DENY),
    ],
)
def test_what_settles_itself(statements: list[dict[str, Any]], expected: Decision) -> None:
    response = _ask(*statements)
    assert response.decision is expected
    assert response.depends_on == ()
    assert (response.deciding is None) == (expected is Decision.IMPLICIT_DENY)


@pytest.mark.parametrize(
    "statements",
    [
        # a value between two ranges, a key of two types, another case, a pattern that another only may contain
        [_allow(NumericLessThan={"x:n": "7"}), _deny(NumericLessThan={"x:n": "6"})],
        [_allow(NumericLessThan={"x:n": "7"}), _deny(StringLike={"x:n": "*"})],
        [_allow(StringEqualsIgnoreCase={VPCE: "a"}), _deny(StringEquals={VPCE: "a"})],
        [_allow(StringLike={VPCE: "*ab"}), _deny(StringLike={VPCE: "*b"})],
        [_allow(BinaryEquals={"x:b": "QQ=="}), _deny(BinaryEquals={"x:b": "Qg=="})],
        [_allow(IpAddress={"aws:SourceIp": "10.0.0.0/8"}), _deny(IpAddress={"aws:SourceIp": "10.1.0.0/16"})],
        [_allow(**{"ForAnyValue:StringEquals": {VPCE: "a"}}), _deny(StringEquals={VPCE: "b"})],
        # more than is gone through
        [_allow(StringLike={VPCE: f"*{c}*"}) for c in "abcdefgh"],
        [_allow(**{"ForAnyValue:StringLike": {VPCE: [f"*{c}*" for c in "abc"]}})],
    ],
)
def test_what_stays_open(statements: list[dict[str, Any]]) -> None:
    assert _ask(*statements).decision is Decision.UNDETERMINED


def test_a_bucket_policy_that_may_deny() -> None:
    response = _ask(_allow(), resource="unreadable")
    assert response.depends_on == ("allowed unless the bucket policy, which could not be read, denies it",)


def test_what_allows_is_not_said_to_deny() -> None:
    response = _ask(
        _allow(StringEquals={VPCE: "a"}), permissions_boundary="unreadable", resource="unreadable"
    )
    assert response.depends_on == (
        f"allowed if the bucket policy, {NOT_READ}, allows it, unless the permissions boundary, {NOT_READ}, denies it",
        f"allowed if {VPCE} is a and the permissions boundary, {NOT_READ}, allows it, unless {DENIES}",
    )


def _test(
    name: str, operator: str = "StringEquals", value: str = "a", relation: Relation = Relation.ONE
) -> KeyTest:
    return KeyTest(name, relation, operator, (Pattern(tuple(value)),), name)


A, B, C = (Literal(_test(name)) for name in "abc")


def test_expressions_are_simplified_as_they_are_built() -> None:
    assert conjoin(()) is True
    assert disjoin(()) is False
    assert conjoin((A, True, A)) == A
    assert disjoin((A, opposite(A))) is True
    assert conjoin((A, opposite(A))) is False
    assert conjoin((A, disjoin((A, B)))) == A
    assert conjoin((A, conjoin((B, C)))) == Compound(True, (A, B, C))
    assert opposite(conjoin((A, B))) == disjoin((opposite(A), opposite(B)))
    assert opposite(True) is False
    assert given(conjoin((A, B)), {A.fact: True}) == B
    assert given(True, {}) is True
    assert list(facts(conjoin((A, disjoin((B, C)))))) == [A.fact, B.fact, C.fact]
    assert described(True) == ()
    assert simplified(True) is True


def test_too_many_ways_stay_open() -> None:
    many = [_test("k", "StringLike", "x") for _ in range(1)]
    loose = [KeyTest("k", Relation.SOME, "StringEqualsIgnoreCase", (Pattern((c,)),), "k") for c in "abcd"]
    with pytest.raises(TooManyWays):
        ways_of(loose)
    assert ways_of(many)
    wide = conjoin(disjoin((Literal(_test(f"k{n}")), Literal(_test(f"l{n}")))) for n in range(20))
    assert settled(disjoin((wide, opposite(wide)))) is None
    assert dependencies(wide)


def test_truths_carry_their_expression() -> None:
    assert YES.expression is True
    doubt = undecided("x")
    assert settled(Truth(None, ("x",)).expression) is None
    assert negation(doubt).expression == opposite(doubt.expression)
    assert either_way(doubt, YES, NO).expression == doubt.expression
    assert either_way(possible(A.fact), NO, NO) == NO
    refused = Literal(Doubt(("x",), 1, unless="x denies it"), positive=False)
    assert described(conjoin((A, disjoin((B, refused))))) == (
        "allowed if a is a and (b is a or not that x denies it)",
    )
    inner = disjoin((Literal(_test("b", value="b")), B))
    assert described(Compound(True, (A, inner))) == ("allowed if a is a and b is b or a",)  # type: ignore[arg-type]
    assert described(Literal(Doubt(("x",), 1), positive=False)) == ("allowed depending on x",)


VALUES = [None, "a", "b", "ab", "abc", "ax", "a*", "ab*", "z"]
CONDITIONS: list[dict[str, Any]] = [
    {operator: {key: values}}
    for key in ("x:1", "x:2")
    for operator in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIfExists")
    for values in (["a"], ["a", "b"], ["a*"], ["ab*", "b"])
] + [{"Null": {"x:1": flag}} for flag in ("true", "false")]


@any_of(
    st.lists(st.tuples(st.booleans(), st.sampled_from(CONDITIONS), st.sampled_from(CONDITIONS)), max_size=4)
)
@settings(deadline=None, max_examples=200)
def test_the_answer_is_what_all_completions_say(drawn: list[tuple[bool, Any, Any]]) -> None:
    """Exactly: UNDETERMINED where two differ, else what they agree on. VALUES has one of every kind."""
    statements = []
    for allow, first, second in drawn:
        (operator, keys), *more = (*first.items(), *second.items())
        condition = {operator: dict(keys)}
        for name, others in more:
            condition.setdefault(name, {}).update(others)
        statements.append((_allow if allow else _deny)(**condition))
    policies = PolicySet.from_dict({"identity": [{"Version": "2012-10-17", "Statement": statements}]})
    ask = Request(PRINCIPAL, "s3:GetObject", "arn:aws:s3:::lake/raw/x", unknown=("x:1", "x:2"))
    allowed = set()
    for one, two in itertools.product(VALUES, VALUES):
        context = {key: value for key, value in (("x:1", one), ("x:2", two)) if value is not None}
        known = Request(ask.principal, ask.action, ask.resource, context=context)
        allowed.add(authorize(policies, known).decision is Decision.ALLOW)
    decision = authorize(policies, ask).decision
    assert (decision is Decision.UNDETERMINED) == (len(allowed) == 2)
    assert decision is Decision.UNDETERMINED or (decision is Decision.ALLOW) in allowed
