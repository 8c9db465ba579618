"""Each rule fires where it should, on the right path, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sm_access import catalog
from sm_access.errors import InvalidInput, PolicySyntaxError
from sm_access.policy import Finding, PolicyKind, Severity, lint, parse_policy
from sm_access.policy.linter import decoded, kind_of

ROLE = "arn:aws:iam::111122223333:role/ds"


def statement(**changes: Any) -> dict[str, Any]:
    base = {"Sid": "One", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/*"}
    changed = {**base, **changes}
    return {key: value for key, value in changed.items() if value is not ...}


def document(*statements: Any, **changes: Any) -> dict[str, Any]:
    body = {"Version": "2012-10-17", "Statement": list(statements), **changes}
    return {key: value for key, value in body.items() if value is not ...}


def condition(operator: str, key: str, value: Any, **more: Any) -> dict[str, Any]:
    return document(statement(Condition={operator: {key: value}}, **more))


def said(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in found]


AT = "$.Statement[0]"
TRUST = statement(Action="sts:AssumeRole", Resource=..., Principal={"AWS": ROLE})
OPEN = statement(Principal="*")
RCP = statement(Effect="Deny", Principal="*", Action="s3:*")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (document(statement()), "identity"),
        (document(statement(), statement(Sid="Two")), "managed"),
        (document(statement(Sid=...), statement(Sid=...)), "inline-role"),
        ({"Version": "2012-10-17", "Id": "x", "Statement": statement()}, "identity"),
        (document(statement(Resource="*", NotAction="iam:*", Action=..., Effect="Deny")), "identity"),
        (document(statement(Sid="with spaces", Principal="*")), "bucket"),
        (document(statement(Sid="One", Principal="*"), statement(Principal="*")), "bucket"),
        (document(TRUST), "trust"),
        (
            document(
                statement(Resource=..., Principal={"AWS": "111122223333", "Service": "s3.amazonaws.com"})
            ),
            "resource",
        ),
        (
            document(
                statement(Principal={"AWS": ["*", "AROAEXAMPLE"], "Federated": "x", "CanonicalUser": "y"})
            ),
            "bucket",
        ),
        (document(statement(Sid="A b", Action="*", Resource="*")), "service-control"),
        (document(RCP), "resource-control"),
        (condition("StringLike", "s3:prefix", ["raw/*", "${aws:username}"]), "identity"),
        (condition("StringEquals", "s3:prefix", "a${*}b"), "identity"),
        (condition("Bool", "aws:SecureTransport", True), "identity"),
        (condition("Null", "aws:SourceVpce", "false"), "identity"),
        (condition("NumericLessThan", "s3:max-keys", 10), "identity"),
        (condition("DateLessThan", "aws:CurrentTime", "2026-12-01T00:00:00Z"), "identity"),
        (condition("IpAddress", "aws:SourceIp", ["8.8.8.0/24", "2001:4860::/32"]), "identity"),
        (condition("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8"), "identity"),
        (condition("BinaryEquals", "a:b", "QmFzZTY0"), "identity"),
        (condition("ArnLike", "aws:PrincipalArn", ["*", ROLE, "${aws:x}"]), "identity"),
        (condition("ForAllValues:StringEquals", "aws:TagKeys", "team", Effect="Deny"), "identity"),
        (
            document(
                statement(
                    Condition={
                        "ForAllValues:StringEquals": {"aws:TagKeys": "a"},
                        "Null": {"aws:TagKeys": False},
                    }
                )
            ),
            "identity",
        ),
        (
            document(
                statement(
                    Condition={
                        "ForAllValues:StringEquals": {"aws:TagKeys": "a"},
                        "ForAnyValue:StringLike": {"aws:tagkeys": "*"},
                    }
                )
            ),
            "identity",
        ),
    ],
)
def test_what_is_right_is_left_alone(body: dict[str, Any], kind: str) -> None:
    assert lint(body, kind=kind) == ()
    assert lint(json.dumps(body, indent=2), kind=kind) == ()


@pytest.mark.parametrize(
    ("body", "kind", "rule", "path"),
    [
        (document(statement(), Statements=[]), None, "unknown-element", "$.Statements"),
        (document(statement(), Version="2026-11-23"), None, "version", "$.Version"),
        (document(), None, "statement-missing", "$.Statement"),
        (document(Statement=...), None, "statement-missing", "$.Statement"),
        (document(Statement="x"), None, "statement-missing", "$.Statement"),
        (document("x"), None, "statement-type", AT),
        (document(statement(), Id=5), None, "syntax", "$.Id"),
        (document(statement(Actions="s3:*")), None, "unknown-element", f"{AT}.Actions"),
        (document(statement(Sid=5)), None, "type", f"{AT}.Sid"),
        (document(statement(Sid="a b")), None, "sid-characters", f"{AT}.Sid"),
        (document(statement(), statement()), None, "sid-duplicate", "$.Statement[1].Sid"),
        (document(statement(Effect="allow")), None, "effect", f"{AT}.Effect"),
        (document(statement(Effect=...)), None, "effect", f"{AT}.Effect"),
        (document(statement(NotAction="s3:*")), None, "both-elements", AT),
        (document(statement(NotResource="*")), None, "both-elements", AT),
        (document(statement(Action=...)), None, "action-missing", AT),
        (document(statement(Action=5)), None, "type", f"{AT}.Action"),
        (document(statement(Action=["s3:*", 5])), None, "type", f"{AT}.Action[1]"),
        (document(statement(Action="s3 GetObject")), None, "action-format", f"{AT}.Action"),
        (document(statement(Action=["s3:GetObject", "s3"])), None, "action-format", f"{AT}.Action[1]"),
        (document(statement(Resource=...)), None, "resource-missing", AT),
        (document(statement(Resource=..., Principal="*")), "bucket", "resource-missing", AT),
        (document(statement(Resource="lake/*")), None, "arn", f"{AT}.Resource"),
        (document(statement(Resource="arn:aws:s3:lake")), None, "arn", f"{AT}.Resource"),
        (document(statement(Resource="arn:amazon:s3:::lake")), None, "partition", f"{AT}.Resource"),
        (document(statement(Resource="arn:aws:s3:::lake/${aws:x")), None, "variable", f"{AT}.Resource"),
        (document({**TRUST, "Resource": "*"}), "trust", "resource-in-trust", f"{AT}.Resource"),
        (
            document({**TRUST, "NotPrincipal": "*", "Principal": ...} | {"Principal": "*"}),
            "trust",
            "both-elements",
            AT,
        ),
        (document(OPEN), "identity", "principal-in-identity", f"{AT}.Principal"),
        (document(statement()), "bucket", "principal-missing", AT),
        (document(statement(Principal="x")), None, "principal", f"{AT}.Principal"),
        (document(statement(Principal={"Aws": "*"})), None, "principal", f"{AT}.Principal.Aws"),
        (document(statement(Principal={"AWS": "me"})), None, "principal", f"{AT}.Principal.AWS"),
        (document(statement(Principal={"AWS": "arn:aws:s3:::x"})), None, "principal", f"{AT}.Principal.AWS"),
        (document(statement(Principal={"AWS": [5]})), None, "type", f"{AT}.Principal.AWS[0]"),
        (document(statement(Principal={"Service": "s3"})), None, "principal", f"{AT}.Principal.Service"),
        (
            document(statement(Principal={"AWS": f"{ROLE}*"})),
            None,
            "principal-wildcard",
            f"{AT}.Principal.AWS",
        ),
        (document(statement(Condition=[])), None, "type", f"{AT}.Condition"),
        (document(statement(Condition={"Bool": "x"})), None, "type", f"{AT}.Condition.Bool"),
        (condition("StringEqual", "s3:prefix", "x"), None, "operator", f"{AT}.Condition.StringEqual"),
        (condition("NullIfExists", "s3:prefix", "true"), None, "operator", f"{AT}.Condition.NullIfExists"),
        (
            condition("ForAllValues:Null", "s3:prefix", "true"),
            None,
            "operator",
            f"{AT}.Condition.ForAllValues:Null",
        ),
        (
            condition("forallvalues:StringLike", "a:b", "x"),
            None,
            "operator",
            f"{AT}.Condition.forallvalues:StringLike",
        ),
        (condition("StringEquals", "prefix", "x"), None, "key-format", f"{AT}.Condition.StringEquals.prefix"),
        (condition("StringEquals", "a:b", None), None, "type", f"{AT}.Condition.StringEquals.a:b"),
        (condition("StringEquals", "a:b", ["x", {}]), None, "type", f"{AT}.Condition.StringEquals.a:b"),
        (condition("NumericEquals", "a:b", "ten"), None, "value", f"{AT}.Condition.NumericEquals.a:b"),
        (condition("DateLessThan", "a:b", "tomorrow"), None, "value", f"{AT}.Condition.DateLessThan.a:b"),
        (condition("Bool", "a:b", "yes"), None, "value", f"{AT}.Condition.Bool.a:b"),
        (condition("Null", "a:b", "x"), None, "value", f"{AT}.Condition.Null.a:b"),
        (condition("IpAddress", "a:b", "1.2.3.4/99"), None, "value", f"{AT}.Condition.IpAddress.a:b"),
        (condition("BinaryEquals", "a:b", "?"), None, "value", f"{AT}.Condition.BinaryEquals.a:b"),
        (condition("ArnLike", "a:b", "role/x"), None, "value", f"{AT}.Condition.ArnLike.a:b"),
        (
            condition("NumericEquals", "a:b", "${c:d}"),
            None,
            "variable-for-operator",
            f"{AT}.Condition.NumericEquals.a:b",
        ),
        (condition("StringLike", "a:b", "${c:d"), None, "variable", f"{AT}.Condition.StringLike.a:b"),
        (
            document(statement(Condition={"Bool": {"a:b": "true", "A:b": "true"}})),
            None,
            "key-duplicate",
            f"{AT}.Condition.Bool.A:b",
        ),
        (document({**RCP, "Effect": "Allow"}), "resource-control", "resource-control", f"{AT}.Effect"),
        (
            document({**RCP, "Principal": {"AWS": ROLE}}),
            "resource-control",
            "resource-control",
            f"{AT}.Principal",
        ),
        (document({**RCP, "Action": "*"}), "resource-control", "resource-control", f"{AT}.Action"),
        (document(statement(Resource=["arn:aws:s3:::lake/" + "x" * 2100])), "session", "size", "$"),
        (document(statement(Resource="arn:aws:s3:::lake/\u20ac")), None, "characters", "$"),
    ],
)
def test_what_aws_refuses(body: dict[str, Any], kind: str | None, rule: str, path: str) -> None:
    found = lint(body, kind=kind)
    assert (rule, path) in said(found)
    assert found[0].severity is Severity.ERROR
    assert all(finding.message.endswith((".", "?")) for finding in found)


@pytest.mark.parametrize(
    ("body", "kind", "rule", "path"),
    [
        (document(statement(), Version=...), None, "version-missing", "$.Version"),
        (
            document(statement(Resource="arn:aws:s3:::${aws:x}"), Version="2008-10-17"),
            None,
            "variable-in-old-version",
            f"{AT}.Resource",
        ),
        (document(statement(Resource="arn:aws:s3:${aws:x}::lake")), None, "variable-place", f"{AT}.Resource"),
        (
            document(statement(Resource="arn:aws:organizations::*:")),
            None,
            "arn-without-resource",
            f"{AT}.Resource",
        ),
        (document(statement(Action=[])), None, "empty", f"{AT}.Action"),
        (document(statement(Condition={})), None, "empty", f"{AT}.Condition"),
        (document(statement(Condition={"Bool": {}})), None, "empty", f"{AT}.Condition.Bool"),
        (condition("StringEquals", "a:b", []), None, "empty", f"{AT}.Condition.StringEquals.a:b"),
        (document(statement(Principal={})), None, "empty", f"{AT}.Principal"),
        (
            document(statement(Action=..., NotAction="s3:*", Resource="*")),
            None,
            "allow-not-action",
            f"{AT}.NotAction",
        ),
        (document(statement(Resource=..., NotResource="*")), None, "allow-not-resource", f"{AT}.NotResource"),
        (document(statement(NotPrincipal={"AWS": ROLE})), None, "allow-not-principal", f"{AT}.NotPrincipal"),
        (condition("Bool", "a:b", ["true", "false"]), None, "both-booleans", f"{AT}.Condition.Bool.a:b"),
        (condition("Null", "a:b", [True, False]), None, "both-booleans", f"{AT}.Condition.Null.a:b"),
        (
            condition("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
            None,
            "private-source-ip",
            f"{AT}.Condition.IpAddress.aws:SourceIp",
        ),
        (
            condition("StringEquals", "a:b", "x*"),
            None,
            "wildcard-without-like",
            f"{AT}.Condition.StringEquals.a:b",
        ),
        (
            condition("ForAllValues:StringEquals", "aws:TagKeys", "x"),
            None,
            "for-all-values-without-null",
            f"{AT}.Condition.ForAllValues:StringEquals.aws:TagKeys",
        ),
        (
            document(
                statement(
                    Condition={
                        "ForAllValues:StringEquals": {"x:Names": "a"},
                        "StringLikeIfExists": {"x:Names": "a"},
                    }
                )
            ),
            None,
            "for-all-values-without-null",
            f"{AT}.Condition.ForAllValues:StringEquals.x:Names",
        ),
        (
            condition("StringLike", "AWS:tagkeys", "x"),
            None,
            "set-operator-missing",
            f"{AT}.Condition.StringLike.AWS:tagkeys",
        ),
        (
            document(statement(Effect="Deny", NotPrincipal={"AWS": ROLE})),
            "bucket",
            "deny-not-principal",
            f"{AT}.NotPrincipal",
        ),
    ],
)
def test_what_is_legal_and_surely_wrong(body: dict[str, Any], kind: str | None, rule: str, path: str) -> None:
    found = lint(body, kind=kind)
    assert said(found) == [(rule, path)]
    assert found[0].severity is Severity.WARNING
    parse_policy(body)


def test_a_trust_policy_has_no_not_principal() -> None:
    trust = {key: value for key, value in TRUST.items() if key != "Principal"}
    found = lint(document({**trust, "NotPrincipal": {"AWS": ROLE}}), kind="trust")
    assert ("principal-in-trust", f"{AT}.NotPrincipal") in said(found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Expected JSON (line 1"),
        ('{"Statement": 1, "Statement": 2}', "'Statement' stands twice"),
        ("[" * 100_000, "nested"),
        ("[]", "Expected an object"),
        ("5", "Expected an object"),
    ],
)
def test_what_is_no_document(text: str, words: str) -> None:
    (found,) = lint(text)
    assert (found.rule, found.path) == ("json", "$")
    assert words in found.message
    assert catalog.lint(text) == (found,)
    with pytest.raises(PolicySyntaxError):
        decoded([])  # type: ignore[arg-type]


def test_several_findings_at_once_errors_first() -> None:
    found = lint(document(statement(Effect="x", Sid="a b", Condition={}), 5, Version=...))
    assert said(found) == [
        ("sid-characters", f"{AT}.Sid"),
        ("effect", f"{AT}.Effect"),
        ("statement-type", "$.Statement[1]"),
        ("version-missing", "$.Version"),
        ("empty", f"{AT}.Condition"),
    ]


def test_did_you_mean() -> None:
    messages = [f.message for f in lint(document(statement(action="x", Resources="*"), statement=[]))]
    assert "No policy has an element 'statement'. Did you mean Statement?" in messages
    assert "No statement has an element 'action'. Did you mean Action?" in messages
    assert "No statement has an element 'Resources'. Did you mean Resource?" in messages


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (document(statement()), PolicyKind.IDENTITY),
        (document(OPEN), PolicyKind.RESOURCE),
        (document(TRUST), PolicyKind.TRUST),
        (document({**TRUST, "Resource": "*"}), PolicyKind.RESOURCE),
        (document({**TRUST, "Action": ["sts:AssumeRole", "sts:TagSession"]}), PolicyKind.TRUST),
        ({"Statement": 5}, PolicyKind.IDENTITY),
        ({}, PolicyKind.IDENTITY),
    ],
)
def test_the_kind_is_guessed(body: dict[str, Any], kind: PolicyKind) -> None:
    assert kind_of(body) is kind
    assert lint(body) == lint(body, kind=kind) == lint(body, kind=kind.value)


def test_an_unknown_kind_is_said() -> None:
    with pytest.raises(InvalidInput, match="inline-role"):
        lint(document(statement()), kind="polcy")


@pytest.mark.parametrize("kind", list(PolicyKind))
def test_size_is_counted_without_white_space(kind: PolicyKind) -> None:
    def padded(size: int) -> dict[str, Any]:
        body = document(statement(Resource=""))
        body["Statement"][0]["Resource"] = "x" * (size - len(json.dumps(body, separators=(",", ":"))))
        return body

    largest = kind.largest
    if largest is None:
        assert "size" not in [rule for rule, _ in said(lint(padded(1_000_000), kind=kind))]
        return
    assert "size" not in [rule for rule, _ in said(lint(padded(largest), kind=kind))]
    assert "size" not in [rule for rule, _ in said(lint(json.dumps(padded(largest), indent=9), kind=kind))]
    assert "size" in [rule for rule, _ in said(lint(padded(largest + 1), kind=kind))]


def test_nothing_is_refused_that_aws_itself_publishes() -> None:
    """AWS's own managed policies keep no quota; everything else that they write is right by definition."""
    refused = [
        (name, finding)
        for name in catalog.managed_policies()
        for finding in lint(catalog.managed_policy(name), kind="identity")
        if finding.severity is Severity.ERROR and finding.rule != "size"
    ]
    assert refused == []
