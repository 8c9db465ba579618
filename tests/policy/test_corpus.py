"""Every case of the corpus: one line of data, one decision. Where a case is about one statement, its Deny is tried too.

The schema is strict: a key that the runner does not know is a mistake, not a comment.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from sm_access.policy import Decision, Layer, PolicySet, Request, Response, authorize

CORPUS = Path(__file__).parent / "corpus"
PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"
OBJECT = "arn:aws:s3:::lake/raw/x.csv"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
REQUEST_KEYS = {"principal", "action", "resource", "resource_account", "context", "unknown"}
CASE_KEYS = {
    "conditions": (
        {"name", "condition", "holds"},
        {"depends_on", "depends_on_as_deny", "version"} | REQUEST_KEYS,
    ),
    "elements": (
        {"name", "statement", "covers"},
        {"depends_on", "depends_on_as_deny", "version"} | REQUEST_KEYS,
    ),
    "principals": ({"name", "principal_element", "names"}, {"depends_on"} | REQUEST_KEYS),
    "layers": ({"name", "policies", "expect"}, {"depends_on", "deciding", "not_modelled"} | REQUEST_KEYS),
}
ALLOWING = {True: Decision.ALLOW, False: Decision.IMPLICIT_DENY, "open": Decision.UNDETERMINED}
DENYING = {True: Decision.EXPLICIT_DENY, False: Decision.ALLOW, "open": Decision.UNDETERMINED}


@cache
def _contents() -> dict[Path, Any]:
    files = sorted(CORPUS.glob("*.yaml"))
    return {file: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}


def _cases(kind: str) -> list[Any]:
    found = []
    for file, content in _contents().items():
        assert set(content) <= {"source", *CASE_KEYS}, f"{file.name}: unknown sections"
        assert content["source"], f"{file.name}: names no source"
        found += [pytest.param(case, id=f"{file.stem}: {case['name']}") for case in content.get(kind, ())]
    return found


def _checked(kind: str, case: dict[str, Any]) -> dict[str, Any]:
    required, optional = CASE_KEYS[kind]
    assert required <= set(case), f"missing {required - set(case)}"
    assert set(case) <= required | optional, f"unknown {set(case) - required - optional}"
    return case


def _request(case: dict[str, Any], **defaults: Any) -> Request:
    given = {key: case[key] for key in REQUEST_KEYS if key in case}
    return Request(
        **{"principal": PRINCIPAL, "action": "s3:GetObject", "resource": OBJECT, **defaults, **given}
    )


def _policy(*statements: dict[str, Any], version: str = "2012-10-17") -> dict[str, Any]:
    return {"Version": version, "Statement": list(statements)}


def _open_as_expected(case: dict[str, Any], response: Response, *, as_deny: bool = False) -> None:
    """`depends_on_as_deny` stands where the Deny does not depend on it in the same words as the Allow."""
    allowing = case.get("depends_on", ())
    expected = tuple(case.get("depends_on_as_deny", allowing) if as_deny else allowing)
    assert response.depends_on == (expected if response.decision is Decision.UNDETERMINED else ())


def _one_statement(case: dict[str, Any], statement: dict[str, Any], outcome: bool | str) -> None:
    """An identity statement as an Allow on its own, and as a Deny beside an Allow of everything."""
    version = case.get("version", "2012-10-17")
    allow = _policy({"Effect": "Allow", **statement}, version=version)
    deny = _policy({"Effect": "Deny", **statement}, version=version)
    request = _request(case)
    allowing = authorize(PolicySet.from_dict({"identity": [allow]}), request)
    assert allowing.decision is ALLOWING[outcome]
    _open_as_expected(case, allowing)
    denying = authorize(PolicySet.from_dict({"identity": [_policy(EVERYTHING), deny]}), request)
    assert denying.decision is DENYING[outcome]
    _open_as_expected(case, denying, as_deny=True)
    if outcome is False:
        (result,) = allowing.layers
        assert [miss.statement.effect for miss in result.misses] == ["Allow"]


@pytest.mark.parametrize("case", _cases("conditions"))
def test_condition(case: dict[str, Any]) -> None:
    case = _checked("conditions", case)
    statement = {"Action": "s3:GetObject", "Resource": "*", "Condition": case["condition"]}
    _one_statement(case, statement, case["holds"])


@pytest.mark.parametrize("case", _cases("elements"))
def test_element(case: dict[str, Any]) -> None:
    case = _checked("elements", case)
    _one_statement(case, case["statement"], case["covers"])


@pytest.mark.parametrize("case", _cases("principals"))
def test_principal(case: dict[str, Any]) -> None:
    case = _checked("principals", case)
    request = _request(case, resource_account="999900001111")
    statement = {"Action": "s3:GetObject", "Resource": "*", **case["principal_element"]}
    everyone = {**EVERYTHING, "Principal": "*"}
    for effect, outcomes, beside in (("Allow", ALLOWING, []), ("Deny", DENYING, [everyone])):
        resource = _policy(*beside, {"Effect": effect, **statement})
        everything = [_policy(EVERYTHING)]
        policies = PolicySet.from_dict(
            {"identity": everything, "session": everything, "resource": [resource]}
        )
        response = authorize(policies, request)
        if effect == "Allow" and "NotPrincipal" in statement:
            assert response.decision in (Decision.IMPLICIT_DENY, Decision.UNDETERMINED)
            continue
        assert response.decision is outcomes[case["names"]]
        _open_as_expected(case, response)


WORDS: dict[str, dict[str, Any]] = {
    "allow": EVERYTHING,
    "deny": {"Effect": "Deny", "Action": "*", "Resource": "*"},
    "nothing": {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"},
    "deny-everyone": {"Effect": "Deny", "Action": "*", "Resource": "*", "Principal": "*"},
    "allow-everyone": {**EVERYTHING, "Principal": "*"},
    "allow-account": {**EVERYTHING, "Principal": {"AWS": "111122223333"}},
    "allow-role": {**EVERYTHING, "Principal": {"AWS": "arn:aws:iam::111122223333:role/ds"}},
    "allow-session": {**EVERYTHING, "Principal": {"AWS": PRINCIPAL}},
    "allow-user": {**EVERYTHING, "Principal": {"AWS": "arn:aws:iam::111122223333:user/ana"}},
}
NAMES_PRINCIPAL = ("resource", "resource_control", "vpc_endpoint")


def _worded(layer: str, words: Any) -> list[dict[str, Any]]:
    """Policies of one statement each, named by a word or written out."""
    policies = []
    for word in words if isinstance(words, list) else [words]:
        if not isinstance(word, str):
            policies.append({"name": f"{layer} statement", "document": _policy(word)})
            continue
        statement = WORDS[word]
        if word == "nothing" and layer in NAMES_PRINCIPAL:
            statement = {**statement, "Principal": "*"}
        policies.append({"name": f"{layer} {word}", "document": _policy(statement)})
    return policies


def _layer(layer: str, words: Any) -> Any:
    if words == "unreadable" or layer in ("public_access_block", "object_ownership"):
        return words
    if layer in ("service_control", "resource_control"):
        return [{"target": f"level {n}", "policies": _worded(layer, level)} for n, level in enumerate(words)]
    return _worded(layer, words)


@pytest.mark.parametrize("case", _cases("layers"))
def test_layers(case: dict[str, Any]) -> None:
    case = _checked("layers", case)
    policies = PolicySet.from_dict({layer: _layer(layer, words) for layer, words in case["policies"].items()})
    response = authorize(policies, _request(case))
    assert response.decision.value == case["expect"]
    _open_as_expected(case, response)
    if "not_modelled" in case:
        assert response.not_modelled == tuple(case["not_modelled"])
    if "deciding" in case:
        assert response.deciding is not None
        assert response.deciding.policy == case["deciding"]
    if response.decision is Decision.EXPLICIT_DENY:
        assert response.deciding is not None
        assert response.deciding.effect == "Deny"
    order = list(Layer)
    assert len({result.layer for result in response.layers}) == len(response.layers) <= len(order)


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert sum(len(_cases(kind)) for kind in CASE_KEYS) >= 900
