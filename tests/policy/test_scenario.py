"""A scenario reads what it documents, and says where in the data anything else stands."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sm_access.errors import InvalidInput, InvalidScenario
from sm_access.policy import Decision, PolicySet
from sm_access.policy.scenario import Scenario

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
WRONG = {"Version": "2012-10-17", "Statement": [{"Effect": "Alow", "Action": "s3:*", "Resource": "*"}]}
SCENARIO: dict[str, Any] = {
    "name": "reads the lake",
    "request": {
        "principal": "arn:aws:sts::111122223333:assumed-role/DS/SageMaker",
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::lake/raw/x.csv",
        "resource_account": "111122223333",
        "context": {"aws:SecureTransport": True, "s3:max-keys": 5, "aws:TagKeys": ["a", 1.5]},
        "unknown": ["aws:SourceVpce"],
    },
    "policies": {"identity": [{"name": "inline", "document": ALLOW}], "permissions_boundary": None},
    "expect": "ALLOW",
}


def changed(**changes: Any) -> dict[str, Any]:
    """The scenario with values put at paths written `request__action`; `...` takes one away."""
    data = copy.deepcopy(SCENARIO)
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = data
        for parent in parents:
            place = place[parent]
        if value is ...:
            del place[last]
        else:
            place[last] = value
    return data


def test_reading() -> None:
    scenario = Scenario.from_dict(SCENARIO)
    assert scenario.name == "reads the lake"
    assert scenario.expect is Decision.ALLOW
    assert dict(scenario.request.context) == {
        "aws:SecureTransport": "true",
        "s3:max-keys": "5",
        "aws:TagKeys": ("a", "1.5"),
    }
    assert scenario.request.unknown == ("aws:SourceVpce",)
    assert scenario.policies.permissions_boundary is None
    assert scenario.run().met
    assert scenario == Scenario.from_dict(copy.deepcopy(SCENARIO))


def test_what_may_be_left_out() -> None:
    request = {key: SCENARIO["request"][key] for key in ("principal", "action", "resource")}
    scenario = Scenario.from_dict({"request": request, "policies": {"identity": [ALLOW]}})
    assert scenario.name == "s3:GetObject on arn:aws:s3:::lake/raw/x.csv"
    assert scenario.expect is None
    assert scenario.run().met
    null = {**request, "resource_account": None, "context": None, "unknown": None}
    assert Scenario.from_dict({"request": null, "policies": {}, "expect": None}).expect is None


@pytest.mark.parametrize("expect", [None, *Decision])
@pytest.mark.parametrize(
    ("policies", "decision"),
    [
        ({"identity": [ALLOW]}, Decision.ALLOW),
        ({"identity": []}, Decision.IMPLICIT_DENY),
        (
            {"identity": [{**ALLOW, "Statement": {**ALLOW["Statement"][0], "Effect": "Deny"}}]},
            Decision.EXPLICIT_DENY,
        ),
        ({"identity": "unreadable"}, Decision.UNDETERMINED),
    ],
)
def test_what_is_met(policies: Any, decision: Decision, expect: Decision | None) -> None:
    outcome = Scenario.from_dict(changed(policies=policies, expect=expect.name if expect else None)).run()
    assert outcome.response.decision is decision
    assert outcome.met is (decision is (expect or Decision.ALLOW))
    assert outcome.open is (expect is None and decision is Decision.UNDETERMINED)


@pytest.mark.parametrize(
    ("data", "path", "words"),
    [
        (None, "$", "not null"),
        ([], "$", "not a list"),
        (changed(remark="x"), "$", "'remark' does not belong here"),
        ({1: 2}, "$", "1 does not belong"),
        (changed(request=...), "$", "'request' is missing"),
        (changed(policies=...), "$", "'policies' is missing"),
        (changed(name=7), "$.name", "not a number"),
        (changed(name=""), "$.name", "empty text"),
        (changed(expect="YES"), "$.expect", "EXPLICIT_DENY"),
        (changed(expect="allow"), "$.expect", "ALLOW"),
        (changed(expect=True), "$.expect", "ALLOW"),
        (changed(request=5), "$.request", "not a number"),
        (changed(request__action=...), "$.request", "'action' is missing"),
        (changed(request__action="s3:*"), "$.request.action", "is not an action"),
        (changed(request__action=["s3:GetObject"]), "$.request.action", "not a list"),
        (changed(request__resource=""), "$.request.resource", "empty text"),
        (changed(request__principal="me"), "$.request.principal", "is not a principal"),
        (changed(request__resource_account="lake"), "$.request.resource_account", "12 digits"),
        (changed(request__resource_account=111122223333), "$.request.resource_account", "not a number"),
        (changed(request__context=[1]), "$.request.context", "not a list"),
        (changed(request__context={"a:b": None}), "$.request.context.a:b", "not null"),
        (changed(request__context={"a:b": ["x", {}]}), "$.request.context.a:b[1]", "not an object"),
        (changed(request__context={"": "x"}), "$.request.context", "empty text"),
        (changed(request__unknown="aws:SourceVpce"), "$.request.unknown", "not text"),
        (changed(request__unknown=["a:b", b"x"]), "$.request.unknown[1]", "something else"),
        (changed(policies=[]), "$.policies", "not a list"),
        (changed(policies={"identities": []}), "$.policies.identities", "is not a layer"),
        (changed(policies={"identity": 5}), "$.policies.identity", "not a list"),
        (changed(policies={"identity": "unreadble"}), "$.policies.identity", "not a list"),
        (
            changed(policies={"identity": [ALLOW, {"name": "x", "document": WRONG}]}),
            "$.policies.identity[1].document.Statement[0].Effect",
            "'Allow' or 'Deny'",
        ),
        (changed(policies={"identity": WRONG}), "$.policies.identity.Statement[0].Effect", "'Allow'"),
        (changed(policies={"session": [{}]}), "$.policies.session[0].Statement", "expected a statement"),
        (
            changed(policies={"identity": [{"document": ALLOW, "nme": "x"}]}),
            "$.policies.identity[0]",
            "'nme'",
        ),
        (
            changed(
                policies={"service_control": [{"target": "r", "policies": [ALLOW, {"document": WRONG}]}]}
            ),
            "$.policies.service_control[0].policies[1].document.Statement[0].Effect",
            "'Allow'",
        ),
        (
            changed(policies={"service_control": [{"target": "r", "policies": [ALLOW]}, 7]}),
            "$.policies.service_control[1]",
            "level",
        ),
        (
            changed(policies={"service_control": [{"target": "r", "policies": WRONG}]}),
            "$.policies.service_control[0].Statement[0].Effect",
            "'Allow'",
        ),
        (changed(policies={"service_control": [{"policies": []}]}), "$.policies.service_control[0]", "level"),
        (
            changed(policies={"service_control": [{"target": "r", "policies": 7}]}),
            "$.policies.service_control[0]",
            "",
        ),
    ],
)
def test_what_cannot_be_read(data: object, path: str, words: str) -> None:
    with pytest.raises(InvalidScenario) as caught:
        Scenario.from_dict(data)
    assert caught.value.path == path
    assert words in caught.value.expected
    assert caught.value.exit_code == 2


def test_what_is_wrong_only_together_has_the_path_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def together(data: dict[str, Any]) -> PolicySet:
        if len(data) > 1:
            raise InvalidInput("These do not go together.")
        return PolicySet()

    monkeypatch.setattr(PolicySet, "from_dict", together)
    with pytest.raises(InvalidScenario, match=r"At \$.policies, these do not go together"):
        Scenario.from_dict(SCENARIO)
