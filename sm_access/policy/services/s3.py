"""Amazon S3: actions without a resource of their own are matched against `arn:aws:s3:::*`.

AWS's own examples grant s3:ListAllMyBuckets on that ARN (Amazon S3 User Guide, "Controlling access to a
bucket with user policies"). Access control lists and Block Public Access are not policies and are outside
the engine.
"""

from __future__ import annotations

from sm_access.policy.services.rules import ServiceRules

EVERY_BUCKET = "arn:aws:s3:::*"


def _resource_for(resource: str) -> str:
    return EVERY_BUCKET if resource == "*" else resource


RULES = ServiceRules(resource_policy="the bucket policy", resource_for=_resource_for)
