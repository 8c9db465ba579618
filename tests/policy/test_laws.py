"""Laws that hold for all policies: what a Deny, a boundary, an order and an unknown can do, and what they cannot."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sm_access.policy import UNREADABLE, Decision, PolicySet, Request, authorize

PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"
ACTIONS = ["*", "s3:*", "s3:GetObject", "s3:Put*", "kms:Decrypt"]
RESOURCES = [
    "*",
    "arn:aws:s3:::lake/*",
    "arn:aws:s3:::lake/${aws:PrincipalTag/team}/*",
    "arn:aws:s3:::gold/*",
]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"StringEquals": {"aws:PrincipalTag/team": "raw"}},
    {"StringNotEquals": {"aws:PrincipalTag/team": "raw"}},
    {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-1"}},
    {"Null": {"aws:SourceVpce": "true"}},
    {"ForAllValues:StringLike": {"aws:TagKeys": ["t*"]}},
    {"ForAnyValue:StringNotLike": {"aws:TagKeys": ["t*"]}},
    {"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}},
    {"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}},
    {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
    {"StringLike": {"aws:PrincipalTag/team": "r*"}, "Null": {"aws:TagKeys": "false"}},
    {"NumericLessThan": {"s3:max-keys": 10}},
    {"Bogus": {"s3:max-keys": 10}},
]
PRINCIPALS: list[Any] = [
    "*",
    {"AWS": "111122223333"},
    {"AWS": "arn:aws:iam::111122223333:role/ds"},
    {"AWS": PRINCIPAL},
    {"AWS": "444455556666"},
]
# Keys a completion may set: every combination of these values, an absent key being one of them.
OPEN_KEYS: dict[str, list[Any]] = {
    "aws:PrincipalTag/team": [None, "raw", "gold", "r2", "x"],
    "aws:SourceVpce": [None, "vpce-1", "vpce-2", "vpce-3"],
    "aws:TagKeys": [
        None,
        [],
        ["team"],
        ["t2"],
        ["owner"],
        ["team", "owner"],
        ["team", "t2"],
        ["t2", "owner"],
        ["team", "t2", "owner"],
    ],
}


@st.composite
def statements(draw: st.DrawFn, principal: bool = False) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(
            st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2)
        ),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(
            st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=2)
        ),
        "Condition": draw(st.sampled_from(CONDITIONS)),
    }
    if principal:
        statement["Principal"] = draw(st.sampled_from(PRINCIPALS))
    return statement


def documents(principal: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda listed: {"Version": "2012-10-17", "Statement": listed},
        st.lists(statements(principal), max_size=3),
    )


def layered() -> st.SearchStrategy[dict[str, Any]]:
    optional = st.none() | st.lists(documents(), max_size=2)
    return st.fixed_dictionaries(
        {
            "identity": st.lists(documents(), max_size=2),
            "permissions_boundary": optional,
            "session": optional,
            "resource": st.none() | st.lists(documents(principal=True), max_size=2),
        }
    )


requests = st.builds(
    Request,
    st.just(PRINCIPAL),
    st.sampled_from(["s3:GetObject", "s3:PutObject"]),
    st.sampled_from(["arn:aws:s3:::lake/raw/x", "arn:aws:s3:::gold/x"]),
    st.sampled_from(["111122223333", "444455556666"]),
    st.sampled_from([{}, {"aws:PrincipalTag/team": "raw"}, {"aws:TagKeys": ["team"], "s3:max-keys": "5"}]),
    st.lists(st.sampled_from(sorted(OPEN_KEYS)), unique=True, max_size=2),
)
DENY_ALL = {"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
ALLOW_ALL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def _allowed(layers: dict[str, Any], request: Request) -> bool:
    return authorize(PolicySet.from_dict(layers), request).decision is Decision.ALLOW


@given(layered(), requests, statements())
@settings(deadline=None, max_examples=60)
def test_adding_a_deny_never_widens(
    layers: dict[str, Any], request: Request, statement: dict[str, Any]
) -> None:
    narrower = {**layers, "identity": [*layers["identity"], {"Statement": {**statement, "Effect": "Deny"}}]}
    assert not (_allowed(narrower, request) and not _allowed(layers, request))


@given(layered(), requests)
@settings(deadline=None, max_examples=60)
def test_a_deny_of_everything_is_final(layers: dict[str, Any], request: Request) -> None:
    denied = {**layers, "identity": [*layers["identity"], DENY_ALL]}
    assert authorize(PolicySet.from_dict(denied), request).decision is Decision.EXPLICIT_DENY


@given(layered(), requests, st.lists(documents(), max_size=2))
@settings(deadline=None, max_examples=60)
def test_boundary_and_session_policy_never_grant(
    layers: dict[str, Any], request: Request, added: list[dict[str, Any]]
) -> None:
    for layer in ("permissions_boundary", "session"):
        without = {**layers, layer: None}
        assert not (_allowed({**layers, layer: added}, request) and not _allowed(without, request))


@given(layered(), requests, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_order_does_not_matter(layers: dict[str, Any], request: Request, random: Any) -> None:
    shuffled = {
        layer: None
        if policies is None
        else random.sample(
            [{**p, "Statement": random.sample(p["Statement"], len(p["Statement"]))} for p in policies],
            len(policies),
        )
        for layer, policies in layers.items()
    }
    one, other = (authorize(PolicySet.from_dict(form), request) for form in (layers, shuffled))
    assert one.decision is other.decision
    assert set(one.depends_on) == set(other.depends_on)


def _completions(request: Request) -> list[Request]:
    """Every way in which the unknown keys may turn out."""
    completed = []
    for values in itertools.product(*(OPEN_KEYS[key] for key in request.unknown)):
        context = {k: v for k, v in request.context.items() if k not in request.unknown}
        context |= {key: v for key, v in zip(request.unknown, values, strict=True) if v is not None}
        completed.append(
            Request(request.principal, request.action, request.resource, request.resource_account, context)
        )
    return completed


@given(layered(), requests)
@settings(deadline=None, max_examples=200)
def test_what_is_unknown_is_never_guessed(layers: dict[str, Any], request: Request) -> None:
    """ALLOW only if every completion allows; a denial only if none does. An UNDETERMINED completion is on nobody's
    side: it comes from the operator that is not understood."""
    policies = PolicySet.from_dict(layers)
    decision = authorize(policies, request).decision
    completed = {authorize(policies, other).decision for other in _completions(request)}
    if decision is Decision.ALLOW:
        assert completed == {Decision.ALLOW}
    elif decision is not Decision.UNDETERMINED:
        assert Decision.ALLOW not in completed
    if decision is Decision.EXPLICIT_DENY:
        assert completed == {Decision.EXPLICIT_DENY}


def conditional() -> st.SearchStrategy[dict[str, Any]]:
    """A few statements about everything: what their conditions together leave open is all that matters."""
    effects = st.sampled_from(["Allow", "Allow", "Deny"])
    listed = st.lists(
        st.builds(
            lambda effect, condition: {
                "Effect": effect,
                "Action": "*",
                "Resource": "*",
                "Condition": condition,
            },
            effects,
            st.sampled_from([found for found in CONDITIONS if "Bogus" not in found]),
        ),
        min_size=2,
        max_size=4,
    )
    return st.fixed_dictionaries({"identity": st.builds(lambda found: [{"Statement": found}], listed)})


open_requests = st.builds(
    Request,
    st.just(PRINCIPAL),
    st.just("s3:GetObject"),
    st.just("arn:aws:s3:::lake/raw/x"),
    unknown=st.just(tuple(OPEN_KEYS)),
)


@given(layered() | conditional(), requests | open_requests)
@settings(deadline=None, max_examples=400)
def test_undetermined_only_if_two_completions_differ(layers: dict[str, Any], request: Request) -> None:
    """Or if one of them is itself not understood. The values in OPEN_KEYS are all that the conditions tell apart."""
    policies = PolicySet.from_dict(layers)
    if authorize(policies, request).decision is Decision.UNDETERMINED:
        completed = {authorize(policies, other).decision for other in _completions(request)}
        assert Decision.UNDETERMINED in completed or (len(completed) > 1 and Decision.ALLOW in completed)


@given(layered(), requests)
@settings(deadline=None, max_examples=60)
def test_undetermined_is_never_for_nothing(layers: dict[str, Any], request: Request) -> None:
    response = authorize(PolicySet.from_dict(layers), request)
    assert bool(response.depends_on) == (response.decision is Decision.UNDETERMINED)
    for words in response.depends_on:
        assert any(reason in words for reason in (*request.unknown, "Bogus", "does not carry"))


@given(layered(), requests, st.sampled_from(["identity", "permissions_boundary", "session", "resource"]))
@settings(deadline=None, max_examples=60)
def test_an_unreadable_layer_is_never_taken_for_empty(
    layers: dict[str, Any], request: Request, layer: str
) -> None:
    """Whatever the layer may hold, the answer without it agrees or is UNDETERMINED."""
    unreadable = authorize(PolicySet.from_dict({**layers, layer: UNREADABLE}), request).decision
    principal = {"Principal": "*"} if layer == "resource" else {}
    for content in ([ALLOW_ALL], [ALLOW_ALL, DENY_ALL], [], layers[layer] or []):
        filled = [
            {"Statement": {**policy["Statement"], **principal}} if policy in (ALLOW_ALL, DENY_ALL) else policy
            for policy in content
        ]
        known = authorize(PolicySet.from_dict({**layers, layer: filled}), request).decision
        if unreadable is Decision.ALLOW:
            assert known is Decision.ALLOW
        elif unreadable is not Decision.UNDETERMINED:
            assert known is not Decision.ALLOW


@given(layered(), requests)
@settings(deadline=None, max_examples=60)
def test_same_question_same_answer(layers: dict[str, Any], request: Request) -> None:
    assert authorize(PolicySet.from_dict(layers), request) == authorize(PolicySet.from_dict(layers), request)
