"""What AWS says about people and buckets, where the rules of review ask for it: the port `Directory`.

Nothing is raised: what could not be read is None, and names no reviewer. Whether a role may become another is decided
by the engine, from the other's trust policy and the policies of the one (AWS STS API Reference, "AssumeRole").
"""

from __future__ import annotations

from collections.abc import Collection

from botocore.exceptions import ClientError

from sm_access.access.caller import Caller, same_principal
from sm_access.access.distinctions import keys_asked
from sm_access.access.reviewers import Facts
from sm_access.aws.principals import collect_principal
from sm_access.aws.session import Aws, error_code, told
from sm_access.errors import SmAccessError
from sm_access.policy import UNREADABLE, Arn, Decision, PolicySet, Request, authorize


class AwsDirectory:
    """Asks IAM and S3, each question once: an instance is for one piece of work."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._known: dict[tuple[str, str, str], Facts] = {}

    def facts(self, reviewer: Caller, askers: Collection[str], bucket: str, owner_tag: str) -> Facts:
        asked = (reviewer.principal, " ".join(askers), f"{bucket}/{owner_tag}")
        if asked not in self._known:
            reachable = [self._reachable(asker, reviewer) for asker in askers]
            self._known[asked] = Facts(
                groups=self._groups(reviewer),
                owner=self._owner(bucket, owner_tag) if owner_tag else None,
                reachable=True in reachable,
                unread=next((found for found in reachable if isinstance(found, str)), ""),
            )
        return self._known[asked]

    def _groups(self, reviewer: Caller) -> frozenset[str] | None:
        """IAM groups hold users only; a role is in none."""
        principal = Arn.parse(reviewer.principal)
        if not principal.resource.startswith("user/"):
            return frozenset()
        try:
            with told("reading a reviewer's groups"):
                pages = self._aws.client("iam").get_paginator("list_groups_for_user")
                found = pages.paginate(UserName=principal.resource.rpartition("/")[2])
                return frozenset(group["GroupName"] for page in found for group in page["Groups"])
        except SmAccessError:
            return None

    def _owner(self, bucket: str, owner_tag: str) -> str | None:
        try:
            with told(f"reading the tags of {bucket}"):
                try:
                    tags = self._aws.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]
                except ClientError as error:
                    if error_code(error) == "NoSuchTagSet":
                        return ""
                    raise
        except SmAccessError:
            return None
        return next((str(tag["Value"]) for tag in tags if tag["Key"] == owner_tag), "")

    def _reachable(self, asker: str, reviewer: Caller) -> bool | str:
        """Whether one may assume the reviewer's role, in one step; in words what kept that from being told."""
        other = reviewer.principal
        if ":role/" not in other or same_principal(asker, other):
            return False
        try:
            trusting = collect_principal(self._aws, other)
            asking = collect_principal(self._aws, asker)
        except SmAccessError:
            return "the policies of one of the two"
        if trusting.trust is None or trusting.trust is UNREADABLE or trusting.iam_arn is None:
            return f"the trust policy of {other}"
        if asking.iam_arn is None:
            return f"{asker}"
        layers = PolicySet(
            identity=asking.identity, permissions_boundary=asking.boundary, resource=trusting.trust
        )
        who = Arn.parse(asker)
        session = f"arn:{who.partition}:sts::{who.account}:assumed-role/{asker.rpartition('/')[2]}/any"
        request = Request(
            principal=session if ":role/" in asker else asker,
            action="sts:AssumeRole",
            resource=trusting.iam_arn,
            resource_account=trusting.account,
            context={"aws:PrincipalArn": asking.iam_arn},
            unknown=[key for key in keys_asked(layers) if not key.lower().startswith("aws:principala")],
        )
        decision = authorize(layers, request).decision
        if decision is Decision.UNDETERMINED and UNREADABLE in (asking.identity, asking.boundary):
            return f"the policies of {asker}"
        # INVARIANT: what hangs on a condition counts as reachable: external ids, session names, source identities and
        # tags are for the one who assumes the role to choose.
        return decision in (Decision.ALLOW, Decision.UNDETERMINED)
