"""Amazon S3: actions without a resource of their own, and access points.

Actions without a resource are matched against `arn:aws:s3:::*`, as AWS's own examples grant s3:ListAllMyBuckets
(Amazon S3 User Guide, "Controlling access to a bucket with user policies").

Through an access point, the access point's policy and the bucket behind it must both permit the request
(Amazon S3 User Guide, "Configuring IAM policies for using access points"). Which bucket that is, the ARN does not
say: so a yes stays open on it. Ask again on the bucket, with s3:DataAccessPointArn and s3:DataAccessPointAccount
in the context.

A listing always carries s3:max-keys (IAM User Guide, "IAM JSON policy elements: Condition operators", numeric).

Who a bucket policy is for: other accounts cannot read, put or delete it whatever it says, and the owner's root can
whatever it denies (Amazon S3 API Reference, "PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy").
"""

from __future__ import annotations

from sm_access.policy.arn import Arn
from sm_access.policy.formula import Doubt
from sm_access.policy.services.rules import ServiceRules, Trait, Traits
from sm_access.policy.truth import YES, Truth, possible

EVERY_BUCKET = "arn:aws:s3:::*"
_POINT = "accesspoint/"
_ON_BUCKET_POLICY = ("s3:deletebucketpolicy", "s3:getbucketpolicy", "s3:putbucketpolicy")


def _traits(action: str) -> Traits:
    if action == "s3:listbucket":
        return frozenset((Trait.LISTS,))
    return frozenset((Trait.AT_HOME, Trait.UNLOCKS) if action in _ON_BUCKET_POLICY else ())


def access_point(resource: str) -> Arn | None:
    """The access point that `resource` is, or through which it is an object; None for anything else."""
    if _POINT not in resource:  # most are none, and this is asked of each new one
        return None
    arn = Arn.read(resource)
    if arn is None or arn.service != "s3" or not arn.resource.startswith(_POINT):
        return None
    name = arn.resource.removeprefix(_POINT).partition("/")[0]
    return Arn(arn.partition, arn.service, arn.region, arn.account, _POINT + name)


def _resource_for(resource: str) -> str:
    return EVERY_BUCKET if resource == "*" else resource


def _resource_policy(resource: str) -> str:
    return "the bucket policy" if access_point(resource) is None else "the access point's policy"


def _derived(resource: str) -> dict[str, str]:
    point = access_point(resource)
    if point is None:
        return {}
    return {"s3:DataAccessPointArn": str(point), "s3:DataAccessPointAccount": point.account}


def _beyond(_traits: Traits, resource: str) -> Truth:
    point = access_point(resource)
    if point is None:
        return YES
    behind = f"the bucket behind {point.resource}"
    return possible(Doubt((behind,), ("behind", str(point)), if_so=f"{behind} allows it too"))


RULES = ServiceRules(
    traits=_traits,
    resource_for=_resource_for,
    resource_policy=_resource_policy,
    derived=_derived,
    beyond=_beyond,
    marks=(_POINT,),
)
