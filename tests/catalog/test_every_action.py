"""The fast engine with the catalog's actions."""

from __future__ import annotations

import subprocess
import sys

from sm_access import catalog
from sm_access.catalog.compiled import every_action
from sm_access.policy import Decision, PolicySet

PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/ds/SageMaker"


def test_every_action_is_there_once() -> None:
    found = every_action()
    assert len(found) == len(set(found)) == len(catalog.matching("*"))


def test_allowed_actions_are_those_of_the_catalog() -> None:
    statement = {"Effect": "Allow", "Action": ["s3:Get*", "sqs:*"], "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "sqs:*Message*", "Resource": "*"}
    policies = PolicySet.from_dict({"identity": [{"Statement": [statement, deny]}]})
    bound = catalog.compile_policies(policies, principal=PRINCIPAL)
    expected = sorted(catalog.matching("s3:Get*")) + sorted(
        set(catalog.matching("sqs:*")) - set(catalog.matching("sqs:*Message*"))
    )
    assert bound.allowed_actions("arn:aws:s3:::lake/x") == tuple(expected)
    assert bound.decide("sqs:SendMessage", "*") is Decision.EXPLICIT_DENY


def test_importing_the_catalog_reads_nothing() -> None:
    code = "from sm_access.catalog import archive; print(archive._archive.cache_info().misses)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "0"
