"""The compiled engine says what the plain one says: on the corpus, on generated policies, in any order, in no room."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

import pytest
import test_corpus
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sm_access.errors import InvalidInput
from sm_access.policy import Decision, PolicySet, Request, Response, authorize, compile_policies, compiled
from sm_access.policy.context import RequestContext
from sm_access.policy.pattern import parse_template
from sm_access.policy.pattern_index import PatternIndex
from sm_access.policy.services import is_ordinary, service_rules
from sm_access.policy.truth import YES

SESSION = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"
ROLE = "arn:aws:iam::111122223333:role/ds"
ACTIONS = (
    "s3:GetObject",
    "S3:getobject",
    "s3:PutObject",
    "kms:Decrypt",
    "kms:RetireGrant",
    "kms:UpdateAlias",
    "kms:EnableKey",
    "s3:PutBucketPolicy",
    "sts:AssumeRole",
    "sagemaker:CreateModel",
    "iam:PassRole",
)
RESOURCES = (
    "arn:aws:s3:::lake/raw/x",
    "arn:aws:s3:::lake/gold/x",
    "arn:aws:s3:::lake",
    "arn:aws:s3:eu-west-1:111122223333:accesspoint/p/object/raw/x",
    "arn:aws:s3:eu-west-1:111122223333:accesspoint/q/object/raw/x",
    "arn:aws:kms:eu-west-1:111122223333:key/k",
    "arn:aws:kms:eu-west-1:444455556666:key/k",
    "arn:aws:kms:eu-west-1:111122223333:alias/a",
    "arn:aws:iam::111122223333:role/other",
    "arn:aws:s3:::",
    "*",
    "x",
)
ACTION_PATTERNS = [
    "*",
    "s3:*",
    "s3:Get*",
    "S3:GetObject",
    "s3:Put*",
    "*:*",
    "kms:*",
    "?ms:Decrypt",
    "sts:AssumeRole",
]
RESOURCE_PATTERNS = [
    "*",
    "arn:aws:s3:::lake/*",
    "arn:aws:s3:::lake/raw/x",
    "arn:aws:s3:::*raw*",
    "arn:aws:s3:::l?ke/*/x",
    "arn:aws:*:::lake*",
    "arn:*x",
    "arn:aws:s3:::lake/${aws:PrincipalTag/team}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team}",
    "arn:aws:s3:::lake/${aws:PrincipalTag/none, 'gold'}/*",
    "arn:aws:s3:::lake/${aws:ResourceAccount}/*",
    "arn:aws:s3:::lake/${broken",
    "arn:aws:${aws:PrincipalTag/team}:::lake",
    "arn:aws:kms:*:111122223333:key/*",
    "arn:aws:iam::*:role/other",
]
CONDITIONS: list[dict[str, Any]] = [
    {},
    {},
    {},
    {"StringEquals": {"aws:PrincipalTag/team": "raw"}},
    {"StringNotEquals": {"aws:PrincipalTag/team": "raw"}},
    {"StringEquals": {"aws:ResourceAccount": "111122223333"}},
    {"StringNotEquals": {"aws:ResourceAccount": "111122223333"}},
    {"StringLike": {"s3:DataAccessPointArn": "*/p"}},
    {"Null": {"s3:DataAccessPointArn": "true"}},
    {"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}},
    {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/service-role/*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:role/ds", ROLE]}},
    {"Bogus": {"s3:max-keys": 10}},
]
PRINCIPALS: list[dict[str, Any]] = [
    {"Principal": "*"},
    {"Principal": {"AWS": "111122223333"}},
    {"Principal": {"AWS": ROLE}},
    {"Principal": {"AWS": SESSION}},
    {"Principal": {"AWS": [ROLE, "*"]}},
    {"Principal": {"AWS": ["444455556666", "111122223333"]}},
    {"Principal": {"Federated": "example.com"}},
    {"Principal": {"Service": "s3.amazonaws.com"}},
    {"NotPrincipal": {"AWS": ROLE}},
    {"NotPrincipal": {"AWS": ["111122223333", ROLE, SESSION]}},
    {},
]
ASKERS = (
    SESSION,
    SESSION,
    SESSION,
    ROLE,
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/linked",
    "arn:aws:iam::111122223333:user/ana",
    "arn:aws:iam::444455556666:user/bo",
    "arn:aws:sts::111122223333:federated-user/ana",
    "s3.amazonaws.com",
    "anonymous",
)


def _lists(values: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), max_size=2) | st.just(["*"])


@st.composite
def statements(draw: st.DrawFn, names_principal: bool) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": draw(st.sampled_from(["Allow", "Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "Action", "NotAction"])): draw(_lists(ACTION_PATTERNS)),
        "Condition": draw(st.sampled_from(CONDITIONS)),
    }
    element = draw(st.sampled_from(["Resource"] * 6 + ["NotResource", "NotResource", None]))
    if element:
        statement[element] = draw(_lists(RESOURCE_PATTERNS))
    if draw(st.integers(0, 9)) == 0:
        statement["Odd"] = "?"
    if names_principal is not (draw(st.integers(0, 19)) == 0):
        statement |= draw(st.sampled_from(PRINCIPALS))
    return statement


def documents(names_principal: bool = False) -> st.SearchStrategy[list[Any]]:
    document = st.builds(
        lambda listed: {"Version": "2012-10-17", "Statement": listed},
        st.lists(statements(names_principal), max_size=3),
    )
    return st.lists(document, max_size=2)


def levels(names_principal: bool) -> st.SearchStrategy[list[Any]]:
    level = st.builds(lambda found: {"target": "t", "policies": found}, documents(names_principal))
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    if names_principal:
        everything["Principal"] = "*"
    whole = st.just({"target": "r", "policies": [{"Version": "2012-10-17", "Statement": everything}]})
    return st.lists(level | whole, max_size=2)


def _perhaps(layer: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.none() | layer | layer | st.just("unreadable")


policy_sets = st.fixed_dictionaries(
    {
        "identity": documents() | documents() | st.just("unreadable"),
        "permissions_boundary": _perhaps(documents()),
        "session": _perhaps(documents()),
        "resource": _perhaps(documents(names_principal=True)),
        "service_control": _perhaps(levels(names_principal=False)),
        "resource_control": _perhaps(levels(names_principal=True)),
        "vpc_endpoint": _perhaps(documents(names_principal=True)),
        "public_access_block": st.sampled_from(
            [None, "unreadable", {"RestrictPublicBuckets": True}, {"RestrictPublicBuckets": False}]
        ),
    }
)
circumstances = st.fixed_dictionaries(
    {
        "principal": st.sampled_from(ASKERS),
        "resource_account": st.sampled_from([None, None, "111122223333", "444455556666"]),
        "context": st.sampled_from(
            [
                {},
                {"aws:PrincipalTag/team": "raw"},
                {"aws:PrincipalTag/team": ["raw", "gold"]},
                {"aws:SourceVpce": "vpce-1"},
            ]
        ),
        "unknown": st.lists(
            st.sampled_from(["aws:PrincipalTag/team", "aws:SourceVpce", "aws:ResourceAccount"]),
            unique=True,
            max_size=2,
        ),
    }
)


def _plain(policies: PolicySet, asked: dict[str, Any], action: str, resource: str) -> Response:
    return authorize(policies, Request(action=action, resource=resource, **asked))


@given(policy_sets, circumstances, st.integers(0, 2**32))
@settings(deadline=None, max_examples=150)
def test_compiled_is_plain(layers: dict[str, Any], asked: dict[str, Any], seed: int) -> None:
    """One Bound is asked many things, in any order: what it keeps of one question is right for the next."""
    random = Random(seed)  # noqa: S311 - an order, not a secret
    policies = PolicySet.from_dict(layers)
    bound = compile_policies(policies, **asked, actions=ACTIONS)
    questions = random.sample(list(itertools.product(ACTIONS, RESOURCES)), 14)
    batches = random.sample(RESOURCES, 2)  # one at once before, one after
    before = bound.allowed_actions(batches[0])
    for action, resource in questions:
        plain = _plain(policies, asked, action, resource)
        if random.random() < 0.5:
            assert bound.deciding(action, resource) == plain.deciding
        assert bound.decide(action, resource) is plain.decision, (action, resource)
        assert bound.deciding(action, resource) == plain.deciding
    for resource, found in zip(batches, (before, bound.allowed_actions(batches[1])), strict=True):
        assert found == tuple(a for a in ACTIONS if bound.decide(a, resource) is Decision.ALLOW)


def _both(policies: PolicySet, request: Request) -> Response:
    """The plain answer, once the compiled engine has given the same."""
    plain = authorize(policies, request)
    bound = compile_policies(
        policies,
        principal=request.principal,
        resource_account=request.resource_account,
        context=request.context,
        unknown=request.unknown,
        actions=lambda: [request.action],
    )
    assert bound.decide(request.action, request.resource) is plain.decision
    assert bound.deciding(request.action, request.resource) == plain.deciding
    assert bound.authorize(request.action, request.resource) == plain
    assert bool(bound.allowed_actions(request.resource)) is plain.allowed
    return plain


CORPUS = {
    "conditions": test_corpus.test_condition,
    "elements": test_corpus.test_element,
    "principals": test_corpus.test_principal,
    "layers": test_corpus.test_layers,
}


def test_every_kind_of_case_in_the_corpus_is_asked() -> None:
    assert set(CORPUS) == set(test_corpus.CASE_KEYS)


@pytest.mark.parametrize(
    ("kind", "case"),
    [
        pytest.param(kind, *case.values, id=str(case.id))
        for kind in CORPUS
        for case in test_corpus._cases(kind)
    ],
)
def test_the_corpus(monkeypatch: pytest.MonkeyPatch, kind: str, case: dict[str, Any]) -> None:
    monkeypatch.setattr(test_corpus, "authorize", _both)
    CORPUS[kind](case)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("a*b*a", "aba", True),
        ("a*b*a", "aa", False),
        ("a*b*a", "ab", False),
        ("a*ab*ba", "aaba", False),
        ("a*?a", "aba", True),
        ("a*?", "a", False),
        ("a*\0*a", "ab\0a", True),
        ("a*\0*a", "aba", False),
    ],
)
def test_the_index_finds_pieces_in_their_order(pattern: str, text: str, matches: bool) -> None:
    read = parse_template(pattern, variables=False).resolve(RequestContext({}))
    assert read.matches(text) is matches
    assert PatternIndex({read: 4}).match(text) == 4 * matches


texts = st.text(alphabet="aab:\0", max_size=8)
wild = st.text(alphabet="aab:\0***", max_size=7) | st.text(alphabet="ab*?", max_size=6)


@given(st.lists(wild, max_size=12), texts)
@example(["a*b*a", "a*a*", "a*b", "a*?", "aba*ba"], "aba")
@example(["a*b*a", "a*ba*b", "*\0*a"], "abab\0xa")
@settings(deadline=None, max_examples=400)
def test_the_index_finds_the_patterns_that_match(listed: list[str], text: str) -> None:
    patterns = {
        parse_template(pattern, variables=False).resolve(RequestContext({})): 1 << at
        for at, pattern in enumerate(listed)
    }
    patterns |= {pattern.within_segments(): bit << len(listed) for pattern, bit in patterns.items()}
    index = PatternIndex(patterns)
    assert index.match(text) == sum({bit for pattern, bit in patterns.items() if pattern.matches(text)})
    together = index.match_all_under("a:")
    if together is not None:
        assert index.match(f"a:{text}x") == together


POLICIES = {
    "identity": [
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::lake/*"},
                {
                    "Sid": "Own",
                    "Effect": "Allow",
                    "Action": "s3:*",
                    "Resource": "arn:aws:s3:::home/${aws:PrincipalTag/team}/*",
                },
                {"Sid": "No", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::lake/hr/*"},
            ],
        }
    ]
}


def test_an_unknown_variable_is_answered_for_each_text() -> None:
    asked = {"principal": SESSION, "unknown": ("aws:PrincipalTag/team",)}
    bound = compile_policies(PolicySet.from_dict(POLICIES), **asked, actions=["s3:GetObject", "s3:PutObject"])
    assert bound.deciding("s3:GetObject", "arn:aws:s3:::home/a/x") is None
    for resource in ("arn:aws:s3:::home/a/x", "arn:aws:s3:::home/b/x"):
        assert bound.decide("s3:GetObject", resource) is Decision.UNDETERMINED
        assert bound.allowed_actions(resource) == ()
    assert "is b" in bound.authorize("s3:GetObject", "arn:aws:s3:::home/b/x").depends_on[0]


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
UNLIKE: dict[str, tuple[list[Any], str, tuple[str, ...], list[Decision]]] = {
    "what the variable would have to be": (
        [
            {
                "Effect": "Allow",
                "Action": "*",
                "Resource": "arn:aws:s3:::home/${aws:PrincipalTag/team}/*",
                "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}},
            }
        ],
        "s3:GetObject",
        ("arn:aws:s3:::home/a/x", "arn:aws:s3:::home/b/x"),
        [Decision.UNDETERMINED, Decision.IMPLICIT_DENY],
    ),
    "a key that follows from the resource": (
        [
            EVERYTHING,
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringLike": {"s3:DataAccessPointArn": "*/p"}},
            },
        ],
        "s3:GetObject",
        tuple(f"arn:aws:s3:eu-west-1:111122223333:accesspoint/{name}/object/x" for name in "pq"),
        [Decision.EXPLICIT_DENY, Decision.UNDETERMINED],
    ),
    "which of them is a key": (
        [EVERYTHING],
        "kms:UpdateAlias",
        tuple(f"arn:aws:kms:eu-west-1:111122223333:{name}" for name in ("key/k", "alias/k")),
        [Decision.UNDETERMINED, Decision.ALLOW],
    ),
    "whether the resource's policy must consent": (
        [EVERYTHING],
        "kms:CreateAlias",
        tuple(f"arn:aws:kms:eu-west-1:111122223333:{name}" for name in ("key/k", "alias/k")),
        [Decision.UNDETERMINED, Decision.ALLOW],
    ),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("name", UNLIKE)
def test_resources_that_the_same_statements_match_may_differ(name: str, turned: bool) -> None:
    listed, action, resources, decisions = UNLIKE[name]
    policies = PolicySet.from_dict({"identity": [{"Version": "2012-10-17", "Statement": listed}]})
    bound = compile_policies(policies, principal=SESSION, unknown=["aws:PrincipalTag/team"])
    pairs = list(zip(resources, decisions, strict=True))
    for resource, decision in reversed(pairs) if turned else pairs:
        assert bound.decide(action, resource) is decision


@pytest.mark.parametrize("turned", [False, True])
def test_actions_that_the_same_statements_match_may_differ(turned: bool) -> None:
    """Of an alias itself, of the key behind it, and what other accounts cannot do: whichever is asked first."""
    alias, key = (f"arn:aws:kms:eu-west-1:444455556666:{name}" for name in ("alias/k", "key/k"))
    everyone = {**EVERYTHING, "Principal": "*"}
    policies = PolicySet.from_dict(
        {"identity": [{"Statement": EVERYTHING}], "resource": [{"Statement": everyone}]}
    )
    asked = [("kms:UpdateAlias", alias), ("kms:Decrypt", alias), ("kms:Decrypt", key), ("kms:EnableKey", key)]
    bound = compile_policies(policies, principal=SESSION, actions=[action for action, _ in asked])
    for action, resource in reversed(asked) if turned else asked:
        plain = authorize(policies, Request(SESSION, action, resource))
        assert bound.decide(action, resource) is plain.decision, action
    assert bound.allowed_actions(key) == ("kms:Decrypt", "kms:Decrypt")


ORDINARY = [
    resource for resource in (*RESOURCES, "arn:aws:sns:eu-west-1:111122223333:t") if is_ordinary(resource)
]


@pytest.mark.parametrize("resource", ORDINARY)
@pytest.mark.parametrize("action", ACTIONS)
def test_no_service_treats_an_ordinary_resource_other_than_most_do(action: str, resource: str) -> None:
    rules = service_rules(action)
    assert rules.resource_for(resource) == resource
    assert not rules.consent_required(resource)
    assert rules.derived(resource) == {}
    assert rules.beyond(rules.traits(action.lower()), resource) == YES


def test_what_is_not_ordinary_is_so_for_a_reason() -> None:
    assert set(RESOURCES) - set(ORDINARY) == {
        resource for resource in RESOURCES if "accesspoint/" in resource or ":key/" in resource
    } | {"arn:aws:kms:eu-west-1:111122223333:alias/a", "arn:aws:iam::111122223333:role/other", "*"}


def test_the_statement_that_names_the_principal_most_closely_decides() -> None:
    named = [
        {**EVERYTHING, "Sid": sid, "Principal": {"AWS": principals}}
        for sid, principals in (
            ("account", "111122223333"),
            ("role", ROLE),
            ("session", SESSION),
            ("all", [ROLE, "*"]),
        )
    ]
    for left in range(4, 0, -1):
        policies = PolicySet.from_dict(
            {"identity": [{"Statement": EVERYTHING}], "resource": [{"Statement": named[:left]}]}
        )
        denied = [{**statement, "Effect": "Deny"} for statement in named[:left]]
        denials = PolicySet.from_dict({"identity": [], "resource": [{"Statement": denied}]})
        alone = PolicySet.from_dict({"identity": [], "resource": [{"Statement": named[:left]}]})
        for found in (policies, denials, alone):
            plain = authorize(found, Request(SESSION, "s3:GetObject", RESOURCES[0]))
            assert (
                compile_policies(found, principal=SESSION).deciding("s3:GetObject", RESOURCES[0])
                == plain.deciding
            )
        assert plain.deciding is None or plain.deciding.sid == named[left - 1]["Sid"]


def test_what_decides() -> None:
    bound = compile_policies(PolicySet.from_dict(POLICIES), principal=SESSION)
    found = [bound.deciding("s3:GetObject", f"arn:aws:s3:::lake/{key}") for key in ("raw/x", "hr/x")] + [
        bound.deciding("s3:PutObject", "arn:aws:s3:::lake/raw/x")
    ]
    assert [reference and reference.sid for reference in found] == ["Read", "No", None]


@pytest.mark.parametrize(
    ("action", "resource"), [("s3:Get*", "*"), ("s3", "*"), ("s3:GetObject", "")], ids=str
)
def test_what_is_no_request_is_refused_as_ever(action: str, resource: str) -> None:
    bound = compile_policies(PolicySet.from_dict(POLICIES), principal=SESSION)
    for _ in range(2):
        with pytest.raises(InvalidInput):
            bound.decide(action, resource)
        with pytest.raises(InvalidInput):
            bound.deciding(action, resource)


def test_no_principal_is_refused_at_once() -> None:
    with pytest.raises(InvalidInput, match="not a principal"):
        compile_policies(PolicySet(), principal="nobody in particular")


def test_no_actions_are_not_every_action() -> None:
    bound = compile_policies(PolicySet.from_dict(POLICIES), principal=SESSION, actions=())
    with pytest.raises(InvalidInput, match="Which actions there are"):
        bound.allowed_actions("arn:aws:s3:::lake/raw/x")


def test_actions_are_listed_once_and_late() -> None:
    calls = []

    def listed() -> list[str]:
        calls.append(1)
        return ["ec2:RunInstances", "ec2:StopInstances", "s3:GetBucketAcl", "s3:GetObject", "s3:PutObject"]

    bound = compile_policies(PolicySet.from_dict(POLICIES), principal=SESSION, actions=listed)
    assert not calls
    for key in ("raw/x", "raw/y", "hr/x", "raw/x"):
        found = bound.allowed_actions(f"arn:aws:s3:::lake/{key}")
        assert found == (() if key == "hr/x" else ("s3:GetBucketAcl", "s3:GetObject"))
    assert len(calls) == 1


LIMITS = ("MOST_TEXTS", "MOST_KINDS", "MOST_BINDINGS", "MOST_OWN_TABLES")


def _held(thing: Any, seen: set[int]) -> list[int]:
    """The sizes of all dicts that hang on `thing`."""
    if id(thing) in seen or isinstance(thing, (str, int, type)):
        return []
    seen.add(id(thing))
    sizes = [len(thing)] if isinstance(thing, dict) else []
    inner: list[Any] = list(thing.values()) if isinstance(thing, dict) else []
    inner.extend(getattr(thing, name) for name in getattr(type(thing), "__slots__", ()))
    return sizes + [size for item in inner for size in _held(item, seen)]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_long_life_needs_no_more_room(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    for limit in LIMITS:
        monkeypatch.setattr(compiled, limit, most)
    monkeypatch.setattr(compiled, "LONGEST_TEXT", 40)
    policies = PolicySet.from_dict(
        {
            **POLICIES,
            "resource_control": [
                {
                    "target": "r",
                    "policies": [
                        {
                            "Statement": {
                                "Effect": "Allow",
                                "Principal": "*",
                                "Action": "*",
                                "Resource": "*",
                                "Condition": {"StringLike": {"aws:ResourceAccount": "1*"}},
                            }
                        }
                    ],
                }
            ],
        }
    )
    asked: dict[str, Any] = {"principal": SESSION, "unknown": ["aws:PrincipalTag/team"]}
    bound = compile_policies(policies, **asked, actions=ACTIONS)
    resources = [
        *(f"arn:aws:s3:::home/{number}/x" for number in range(6)),
        *(f"arn:aws:kms:eu-west-1:{account}:key/k" for account in range(111122223330, 111122223336)),
        *RESOURCES,
        "arn:aws:s3:::lake/" + "long/" * 20,
    ]
    for action in (*ACTIONS, "s3:" + "Get" * 20):
        for resource in resources:
            plain = _plain(policies, asked, action, resource)
            assert bound.decide(action, resource) is plain.decision
            assert bound.deciding(action, resource) == plain.deciding
    for resource in resources:
        expected = tuple(a for a in ACTIONS if bound.decide(a, resource) is Decision.ALLOW)
        assert bound.allowed_actions(resource) == expected
    assert max(_held(bound, set())) <= max(
        most, 8
    )  # what grows with policies and services alone: regimes, beginnings
