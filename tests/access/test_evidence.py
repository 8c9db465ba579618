"""What was read becomes the layers of a decision, and the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, named_places, policy_set
from sm_access.policy import UNREADABLE, NamedPolicy, parse_policy

ACCOUNT = "111122223333"
NOW = datetime(2026, 11, 23, 17, tzinfo=timezone.utc)


def policy(*statements: Mapping[str, Any], name: str = "inline", kind: str = "inline") -> NamedPolicy:
    return NamedPolicy(name, parse_policy({"Version": "2012-10-17", "Statement": list(statements)}), kind)


def principal(*statements: Mapping[str, Any], **changes: Any) -> PrincipalEvidence:
    given: dict[str, Any] = {
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker",
        "iam_arn": f"arn:aws:iam::{ACCOUNT}:role/notebooks",
        "account": ACCOUNT,
        "identity": (policy(*statements),) if statements else (),
        "boundary": None,
        "read_at": NOW,
    }
    return PrincipalEvidence(**{**given, **changes})


def bucket(**changes: Any) -> BucketEvidence:
    given: dict[str, Any] = {
        "bucket": "lake",
        "owner_account": ACCOUNT,
        "policy": None,
        "encryption_read": True,
        "kms_key_arn": None,
        "kms_policy": None,
        "region": "eu-central-1",
        "read_at": NOW,
    }
    return BucketEvidence(**{**given, **changes})


def allow(resource: str | list[str], **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "s3:*", "Resource": resource, **more}


def test_the_layers_of_a_call_on_the_bucket_and_of_one_on_its_key() -> None:
    of_bucket, of_key, boundary = (policy(allow("*"), name=name) for name in ("bucket", "key", "boundary"))
    who = principal(allow("*"), boundary=(boundary,))
    where = bucket(policy=(of_bucket,), kms_policy=(of_key,))
    assert policy_set(who, where, of_key=False).resource == (of_bucket,)
    assert policy_set(who, where, of_key=True).resource == (of_key,)
    assert policy_set(who, where, of_key=True).permissions_boundary == (boundary,)
    assert policy_set(who, where, of_key=True).identity == who.identity


def test_what_could_not_be_read_is_unreadable_in_its_layer() -> None:
    layers = policy_set(
        principal(identity=UNREADABLE, boundary=UNREADABLE),
        bucket(policy=UNREADABLE, kms_policy=UNREADABLE),
        of_key=False,
    )
    assert layers.identity is UNREADABLE
    assert layers.permissions_boundary is UNREADABLE
    assert layers.resource is UNREADABLE


@pytest.mark.parametrize(
    ("statement", "places"),
    [
        (allow("arn:aws:s3:::lake"), {"s3://lake"}),
        (allow("arn:aws:s3:::lake/*"), {"s3://lake"}),
        (allow("arn:aws:s3:::lake/raw/*"), {"s3://lake/raw/"}),
        (allow("arn:aws:s3:::lake/raw/x.csv"), {"s3://lake/raw/x.csv"}),
        (allow("arn:aws-cn:s3:::lake/raw/*"), {"s3://lake/raw/"}),
        (allow(["arn:aws:s3:::lake", "arn:aws:s3:::sea/in/*"]), {"s3://lake", "s3://sea/in/"}),
        (allow("*"), set()),
        (allow("arn:aws:s3:::*"), set()),
        (allow("arn:aws:s3:::lake-*/raw/*"), set()),
        (allow("arn:aws:s3:::lake/*/raw/*"), set()),
        (allow("arn:aws:s3:::lake/ra?/*"), set()),
        (allow("arn:aws:s3:::lake/${aws:username}/*"), set()),
        (allow("arn:aws:kms:eu-central-1:111122223333:key/x"), set()),
        ({"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::lake/raw/*"}, set()),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::lake/raw/*"}, set()),
    ],
    ids=lambda value: (
        str(value.get("Resource", value.get("NotResource"))) if isinstance(value, dict) else None
    ),
)
def test_places_are_those_that_allow_statements_name_plainly(
    statement: Mapping[str, Any], places: set[str]
) -> None:
    assert {str(place) for place in named_places(principal(statement))} == places


def test_unreadable_policies_and_none_name_no_place() -> None:
    assert named_places(principal(identity=UNREADABLE)) == frozenset()
    assert named_places(principal()) == frozenset()


def test_a_statement_without_resource_names_no_place() -> None:
    """As in a trust policy that somebody attached by mistake."""
    who = principal(
        identity=(
            NamedPolicy(
                "trust",
                parse_policy(
                    {
                        "Version": "2012-10-17",
                        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
                    }
                ),
                "inline",
            ),
        )
    )
    assert named_places(who) == frozenset()
