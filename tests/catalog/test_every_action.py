"""The fast engine with the catalog's actions."""

from __future__ import annotations

import subprocess
import sys

from sm_access import catalog
from sm_access.catalog import every_action
from sm_access.policy import Decision, PolicySet, compile_policies

PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"


def test_every_action_is_there_once() -> None:
    found = every_action()
    assert len(found) == len(set(found)) == len(catalog.matching("*"))


def test_allowed_actions_are_those_of_the_catalog() -> None:
    statement = {"Effect": "Allow", "Action": ["s3:Get*", "sqs:*"], "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "sqs:*Message*", "Resource": "*"}
    policies = PolicySet.from_dict({"identity": [{"Statement": [statement, deny]}]})
    bound = compile_policies(policies, principal=PRINCIPAL)
    expected = sorted(catalog.matching("s3:Get*")) + sorted(
        set(catalog.matching("sqs:*")) - set(catalog.matching("sqs:*Message*"))
    )
    assert bound.allowed_actions("arn:aws:s3:::lake/x") == tuple(expected)
    assert bound.decide("sqs:SendMessage", "*") is Decision.EXPLICIT_DENY


def _printed(code: str) -> str:
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return found.stdout.strip()


def test_importing_the_catalog_reads_nothing() -> None:
    assert (
        _printed("from sm_access.catalog import archive; print(archive._archive.cache_info().misses)") == "0"
    )


def test_the_engine_asks_for_the_catalog_only_when_all_actions_are_wanted() -> None:
    code = """
import sys
from sm_access.policy import PolicySet, compile_policies
bound = compile_policies(PolicySet(), principal="arn:aws:iam::111122223333:role/ds")
bound.decide("s3:GetObject", "arn:aws:s3:::lake/x")
print("sm_access.catalog" in sys.modules, bound.allowed_actions("*"), "sm_access.catalog" in sys.modules)
"""
    assert _printed(code) == "False () True"


def test_actions_may_be_chosen() -> None:
    everything = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    bound = compile_policies(
        PolicySet.from_dict({"identity": [everything]}), principal=PRINCIPAL, actions=["s3:GetObject"]
    )
    assert bound.allowed_actions("arn:aws:s3:::lake/x") == ("s3:GetObject",)
