"""What differs is said exactly: against brute force on many resources, and on cases that people meet."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sm_access import catalog
from sm_access.errors import InvalidInput
from sm_access.policy import Decision, PolicySet, Request, authorize
from sm_access.policy.context import RequestContext
from sm_access.policy.difference import Change, Difference, diff
from sm_access.policy.pattern import parse_template

PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"
EMPTY = PolicySet()


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any, **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def identity(*statements: dict[str, Any], **layers: Any) -> PolicySet:
    return PolicySet.from_dict({"identity": [policy(*statements)], **layers})


def between(before: PolicySet, after: PolicySet, *actions: str, **more: Any) -> Difference:
    return diff(
        before, after, principal=PRINCIPAL, actions=actions, **{"shapes": catalog.resource_shapes, **more}
    )


def said(changes: tuple[Change, ...]) -> list[tuple[Any, ...]]:
    return [(change.action, change.within, change.outside) for change in changes]


def test_nothing_differs() -> None:
    same = identity(allow("s3:*", "*"))
    assert not between(same, identity(allow("s3:*", "*")), *catalog.actions("s3"))
    assert between(same, same, "s3:GetObject") == Difference()


def test_a_new_prefix() -> None:
    before = identity(allow("s3:GetObject", "arn:aws:s3:::lake/public/*"))
    after = identity(
        allow(["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::lake/public/*", "arn:aws:s3:::lake/raw/*"])
    )
    found = between(before, after, "s3:GetObject", "s3:ListBucket", "s3:PutObject")
    assert said(found.newly_allowed) == [("s3:GetObject", ("arn:aws:s3:::lake/raw/*",), ())]
    assert found.newly_allowed[0].example == "arn:aws:s3:::lake/raw/"
    assert (found.newly_denied, found.undetermined) == ((), ())
    back = between(after, before, "s3:GetObject")
    assert said(back.newly_denied) == said(found.newly_allowed)


def test_a_new_deny_within() -> None:
    before = identity(allow("s3:GetObject", "arn:aws:s3:::lake/*"))
    after = identity(allow("s3:GetObject", "arn:aws:s3:::lake/*"), deny("s3:*", "arn:aws:s3:::lake/raw/*"))
    found = between(before, after, "s3:GetObject")
    assert said(found.newly_denied) == [("s3:GetObject", ("arn:aws:s3:::lake/raw/*",), ())]
    new = between(EMPTY, after, "s3:GetObject")
    assert said(new.newly_allowed) == [
        ("s3:GetObject", ("arn:aws:s3:::lake/*",), ("arn:aws:s3:::lake/raw/*",))
    ]


def test_all_of_a_shape() -> None:
    found = between(EMPTY, identity(allow("*", "*")), "s3:GetBucketLocation", "s3:ListAllMyBuckets")
    assert said(found.newly_allowed) == [
        ("s3:GetBucketLocation", ("arn:aws:s3:::*",), ()),
        ("s3:ListAllMyBuckets", ("*",), ()),
    ]
    assert found.newly_allowed[0].before is Decision.IMPLICIT_DENY
    assert found.newly_allowed[0].after is Decision.ALLOW


def test_not_resource() -> None:
    after = identity({"Effect": "Allow", "Action": "s3:ListBucket", "NotResource": "arn:aws:s3:::secret"})
    assert said(between(EMPTY, after, "s3:ListBucket").newly_allowed) == [
        ("s3:ListBucket", ("arn:aws:s3:::*",), ("arn:aws:s3:::secret",))
    ]


def test_a_denial_that_becomes_explicit_is_no_change() -> None:
    assert not between(EMPTY, identity(deny("*", "*")), "s3:GetObject")


def test_what_cannot_be_told_is_apart() -> None:
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    allowed = identity(allow("sqs:*", "*", Condition=condition))
    found = between(EMPTY, allowed, "sqs:SendMessage", unknown=["aws:SourceVpce"])
    assert (found.newly_allowed, len(found.undetermined)) == ((), 1)
    assert found.undetermined[0].after is Decision.UNDETERMINED
    assert "vpce-1" in found.undetermined[0].depends_on[0]
    assert not between(allowed, allowed, "s3:GetObject", unknown=["aws:SourceVpce"])
    other = identity(allow("sqs:*", "*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-2"}}))
    assert len(between(allowed, other, "sqs:SendMessage", unknown=["aws:SourceVpce"]).undetermined) == 1


def test_where_a_policy_is_attached_counts() -> None:
    full = allow("*", "*")
    narrow = policy(allow("s3:*", "*"))
    levels = [{"target": "root", "policies": [policy(full)]}]
    narrower = [*levels, {"target": "unit", "policies": [policy(allow("s3:List*", "*"))]}]
    one = identity(full, service_control=levels, resource_control=narrower)
    other = identity(full, service_control=narrower, resource_control=levels)
    assert not between(one, other, "sqs:ListQueues", "s3:ListAllMyBuckets")
    assert between(identity(full), identity(full, session=[narrow]), "sqs:SendMessage").newly_denied
    assert not between(identity(full), identity(full, session=[narrow]), "s3:GetBucketLocation")


def test_every_layer_counts() -> None:
    full = allow("*", "*")
    lake = policy(allow("*", "arn:aws:s3:::lake/*"))
    everyone = policy({**full, "Principal": "*"})
    before = identity(full)
    for layer in ("permissions_boundary", "session"):
        assert between(before, identity(full, **{layer: [lake]}), "s3:GetObject").newly_denied
    levels = [{"target": "root", "policies": [lake]}]
    found = between(before, identity(full, service_control=levels), "sqs:SendMessage")
    assert said(found.newly_denied) == [("sqs:SendMessage", ("arn:aws:sqs:*:*:*",), ())]
    lakes = policy(allow("*", "arn:aws:sqs:*:*:lake*"))
    found = between(before, identity(full, session=[lakes]), "sqs:SendMessage")
    assert said(found.newly_denied) == [
        ("sqs:SendMessage", ("arn:aws:sqs:*:*:*",), ("arn:aws:sqs:*:*:lake*",))
    ]
    assert between(EMPTY, PolicySet.from_dict({"resource": [everyone]}), "s3:GetObject").newly_allowed
    unreadable = PolicySet.from_dict({"identity": "unreadable", "service_control": "unreadable"})
    assert between(EMPTY, unreadable, "s3:GetObject").undetermined


def test_another_account_needs_both_sides() -> None:
    full = identity(allow("*", "*"))
    assert between(EMPTY, full, "s3:GetObject").newly_allowed
    assert not between(EMPTY, full, "s3:GetObject", resource_account="999900001111")


def test_consent_of_a_key_divides() -> None:
    full = identity(allow("kms:*", "*"), resource=[policy(allow("kms:Nothing", "*", Principal="*"))])
    for shapes in (None, lambda action: catalog.resource_shapes(action, account="111122223333")):
        found = between(EMPTY, full, "kms:Decrypt", shapes=shapes)
        assert all(":key/" not in change.example for change in found.newly_allowed)


def test_variables_are_filled_in() -> None:
    after = identity(allow("s3:GetObject", "arn:aws:s3:::lake/${aws:PrincipalTag/team}/*"))
    found = between(EMPTY, after, "s3:GetObject", context={"aws:PrincipalTag/team": "vision"})
    assert found.newly_allowed[0].example == "arn:aws:s3:::lake/vision/"
    assert not between(EMPTY, after, "s3:GetObject")
    assert between(EMPTY, after, "s3:GetObject", unknown=["aws:PrincipalTag/team"]).undetermined


def test_without_the_catalog_any_arn_and_none() -> None:
    found = between(EMPTY, identity(allow("x:Do", "*")), "x:Do", shapes=None)
    assert said(found.newly_allowed) == [("x:Do", ("arn:aws:*:*:*:*",), ()), ("x:Do", ("*",), ())]
    someone = diff(
        EMPTY,
        PolicySet.from_dict({"resource": [policy(allow("x:Do", "*", Principal="*"))]}),
        principal="events.amazonaws.com",
        actions=["x:Do"],
        resource_account="111122223333",
    )
    assert len(someone.newly_allowed) == 2


def test_whose_resources_must_be_said() -> None:
    with pytest.raises(InvalidInput, match="resource_account"):
        diff(EMPTY, EMPTY, principal="anonymous", actions=["s3:GetObject"])
    with pytest.raises(InvalidInput):
        diff(EMPTY, EMPTY, principal="somebody", actions=["s3:GetObject"])
    with pytest.raises(InvalidInput):
        between(EMPTY, EMPTY, "s3:*", shapes=None)


# --- brute force --------------------------------------------------------------------------------------------------

NAMES = ["".join(letters) for size in range(1, 4) for letters in itertools.product("ab/x", repeat=size)]
RESOURCES = [f"arn:aws:s3:::{name}" for name in NAMES] + [f"arn:aws:kms:::key/{name}" for name in ("a", "b")]
PATTERNS = ["*", "a*", "*a", "a/*", "*/a", "?", "a?", "ab", "*b*", "a/b", "${s3:prefix}*"]
CONDITIONS: list[dict[str, Any]] = [{}, {"StringEquals": {"aws:SourceVpce": "v"}}, {"Odd": {"a:b": "c"}}]
ACTIONS = ["s3:GetObject", "s3:PutObject", "kms:Decrypt"]


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    element = draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))
    listed = draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2))
    return {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        "Action": draw(st.sampled_from(["*", "s3:*", "s3:GetObject", "kms:*"])),
        element: [f"arn:aws:s3:::{text}" if text != "*" else text for text in listed],
        "Condition": draw(st.sampled_from(CONDITIONS)),
    }


sets = st.builds(
    lambda own, key: PolicySet.from_dict({"identity": [policy(*own)], "resource": key}),
    st.lists(statements(), max_size=3),
    st.sampled_from([None, [policy(allow("kms:*", "*", Principal={"AWS": "111122223333"}))]]),
)


def _in(change: Change, resource: str, context: RequestContext) -> bool:
    def matches(text: str) -> bool:
        return parse_template(text, variables=True).resolve(context).matches(resource)

    return all(map(matches, change.within)) and not any(map(matches, change.outside))


@given(sets, sets)
@settings(deadline=None, max_examples=60)
def test_as_brute_force_says(before: PolicySet, after: PolicySet) -> None:
    """Every resource is in a change of its kind exactly if its answers differ in that way."""
    asked: dict[str, Any] = {"context": {"s3:prefix": "ab"}}
    found = diff(before, after, principal=PRINCIPAL, actions=ACTIONS, **asked)
    context = RequestContext({"s3:prefix": ("ab",)})
    for action, resource in itertools.product(ACTIONS, RESOURCES):
        request = Request(PRINCIPAL, action, resource, "111122223333", **asked)
        one, other = (authorize(policies, request).decision for policies in (before, after))
        kinds = {
            kind
            for kind in ("newly_allowed", "newly_denied")
            for change in getattr(found, kind)
            if change.action == action and change.within != ("*",) and _in(change, resource, context)
        } | {
            kind
            for kind in ("newly_allowed", "newly_denied")
            for change in getattr(found, kind)
            if change.action == action and change.example.startswith("arn") and _in(change, resource, context)
        }
        expected = set()
        if Decision.UNDETERMINED not in (one, other):
            if one is not Decision.ALLOW and other is Decision.ALLOW:
                expected = {"newly_allowed"}
            if one is Decision.ALLOW and other is not Decision.ALLOW:
                expected = {"newly_denied"}
        assert kinds == expected, (action, resource, one, other, found)
    for change in (*found.newly_allowed, *found.newly_denied, *found.undetermined):
        request = Request(PRINCIPAL, change.action, change.example, "111122223333", **asked)
        assert authorize(before, request).decision is change.before
        assert authorize(after, request).decision is change.after
