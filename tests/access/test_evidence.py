"""What was read becomes the layers of a decision, and the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from sm_access.access.evidence import (
    BucketEvidence,
    Organization,
    PrincipalEvidence,
    facts,
    is_absent,
    named_places,
    policy_set,
)
from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.access.verdict import judge
from sm_access.policy import UNREADABLE, Decision, NamedPolicy, parse_policy
from sm_access.policy.policy_set import PublicAccessBlock

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


OTHER = "444455556666"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def control(*statements: Mapping[str, Any]) -> tuple[tuple[str, tuple[NamedPolicy, ...]], ...]:
    """One level, as the root has it."""
    return (("r-ab12", (policy(*statements, name="control", kind="service-control"),)),)


def organization(**changes: Any) -> Organization:
    given: dict[str, Any] = {"id": "o-a1b2c3d4e5", "path": "o-a1b2c3d4e5/r-ab12/"}
    return Organization(**{**given, **changes})


class TestTheOrganization:
    def test_its_control_policies_are_layers_of_their_own(self) -> None:
        service, resource = control(EVERYTHING), control({**EVERYTHING, "Principal": "*"})
        who = principal(organization=organization(service_control=service, resource_control=resource))
        layers = policy_set(who, bucket(), of_key=False)
        assert layers.service_control == service
        assert layers.resource_control == resource

    def test_resource_control_policies_are_those_of_the_account_that_owns_the_resource(self) -> None:
        resource = control({**EVERYTHING, "Principal": "*"})
        who = principal(organization=organization(resource_control=resource))
        strange_key = KEY.replace(ACCOUNT, OTHER)
        assert policy_set(who, bucket(owner_account=OTHER), of_key=False).resource_control is None
        assert policy_set(who, bucket(owner_account=None), of_key=False).resource_control is None
        assert policy_set(who, bucket(kms_key_arn=KEY), of_key=True).resource_control == resource
        assert policy_set(who, bucket(kms_key_arn=strange_key), of_key=True).resource_control is None

    def test_what_a_member_account_may_not_read_is_left_out_and_named_by_who_read(self) -> None:
        hidden = organization(service_control=UNREADABLE, resource_control=UNREADABLE)
        for unread in (hidden, UNREADABLE):
            layers = policy_set(principal(organization=unread), bucket(), of_key=False)
            assert layers.service_control is None
            assert layers.resource_control is None

    @pytest.mark.parametrize("layer", ["service_control", "resource_control"])
    def test_a_deny_in_it_decides(self, layer: str) -> None:
        deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
        named = {"Principal": "*"} if layer == "resource_control" else {}
        levels = control({**EVERYTHING, **named}, {**deny, **named})
        who = principal(allow("*"), organization=organization(**{layer: levels}))
        found = judge(who, bucket(), S3Target("lake"), Level.READ, now=NOW)
        assert found.decision is Decision.EXPLICIT_DENY

    def test_what_it_asks_for_and_nobody_knows_makes_no_yes(self) -> None:
        """A key that only a control policy asks for is not forgotten, and so not taken for absent."""
        deny = {
            "Effect": "Deny",
            "Action": "s3:*",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
        }
        who = principal(allow("*"), organization=organization(service_control=control(EVERYTHING, deny)))
        found = judge(who, bucket(), S3Target("lake"), Level.READ, now=NOW)
        assert found.decision is Decision.UNDETERMINED

    def test_a_part_that_it_denies_is_seen(self) -> None:
        deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::lake/raw/hidden/*"}
        who = principal(allow("*"), organization=organization(service_control=control(EVERYTHING, deny)))
        found = judge(who, bucket(), S3Target("lake", "raw/"), Level.READ, now=NOW)
        assert found.exceptions


def only_if(key: str, value: str, operator: str = "StringEquals") -> dict[str, Any]:
    return allow("*", Condition={operator: {key: value}})


class TestFacts:
    """What follows from who asks is known; what may be otherwise stays open."""

    def decide(self, statement: Mapping[str, Any], owner: str | None = ACCOUNT, **who: Any) -> Decision:
        return judge(
            principal(statement, **who),
            bucket(owner_account=owner),
            S3Target("lake"),
            Level.LIST,
            now=NOW,
        ).decision

    @pytest.mark.parametrize(
        ("tags", "decision"),
        [
            ({"team": "vision"}, Decision.ALLOW),
            ({"Team": "vision"}, Decision.ALLOW),
            ({"team": "speech"}, Decision.IMPLICIT_DENY),
            ({}, Decision.IMPLICIT_DENY),
            (None, Decision.UNDETERMINED),
        ],
    )
    def test_tags(self, tags: Mapping[str, str] | None, decision: Decision) -> None:
        assert self.decide(only_if("aws:PrincipalTag/team", "vision"), tags=tags) is decision

    def test_a_tag_in_a_resource(self) -> None:
        own = allow("arn:aws:s3:::${aws:PrincipalTag/bucket}")
        assert self.decide(own, tags={"bucket": "lake"}) is Decision.ALLOW
        assert self.decide(own, tags={}) is Decision.IMPLICIT_DENY
        assert self.decide(own) is Decision.UNDETERMINED

    def test_the_user_id(self) -> None:
        session = only_if("aws:userid", "AROAX:*", "StringLike")
        assert self.decide(session, user_id="AROAX:SageMaker") is Decision.ALLOW
        assert self.decide(session, user_id="AROAY:SageMaker") is Decision.IMPLICIT_DENY
        assert self.decide(session) is Decision.UNDETERMINED

    @pytest.mark.parametrize("side", ["Principal", "Resource"])
    def test_the_organization(self, side: str) -> None:
        ours = only_if(f"aws:{side}OrgID", "o-a1b2c3d4e5")
        assert self.decide(ours, organization=organization()) is Decision.ALLOW
        assert self.decide(ours, organization=organization(id="o-other")) is Decision.IMPLICIT_DENY
        assert self.decide(ours, organization=Organization()) is Decision.IMPLICIT_DENY
        assert self.decide(ours, organization=UNREADABLE) is Decision.UNDETERMINED

    def test_the_path_in_the_organization(self) -> None:
        ours = only_if("aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/*", "ForAnyValue:StringLike")
        assert self.decide(ours, organization=organization()) is Decision.ALLOW
        assert self.decide(ours, organization=organization(path=None)) is Decision.UNDETERMINED

    def test_the_organization_of_anothers_resource_is_its_owners_knowledge(self) -> None:
        who = principal(organization=organization())
        assert "aws:ResourceOrgID" not in facts(who, OTHER)
        assert not is_absent("aws:resourceorgid", who, OTHER)
        assert not is_absent("aws:resourceorgid", principal(organization=Organization()), None)
        assert is_absent("aws:resourceorgid", principal(organization=Organization()), ACCOUNT)

    def test_nothing_else_is_absent(self) -> None:
        who = principal(tags={}, organization=Organization())
        assert not is_absent("aws:sourcevpc", who, ACCOUNT)
        assert not is_absent("aws:requesttag/team", who, ACCOUNT)


def test_what_a_bucket_has_beside_its_policy_is_no_layer_of_its_key() -> None:
    closed = PublicAccessBlock(restrict_public_buckets=True)
    where = bucket(object_ownership="BucketOwnerEnforced", public_access_block=closed)
    of_bucket = policy_set(principal(), where, of_key=False)
    of_key = policy_set(principal(), where, of_key=True)
    assert (of_bucket.object_ownership, of_bucket.public_access_block) == ("BucketOwnerEnforced", closed)
    assert (of_key.object_ownership, of_key.public_access_block) == (None, None)
