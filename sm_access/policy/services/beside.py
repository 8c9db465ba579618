"""What decides beside policies and is not modelled: named where it could turn the answer, and only there.

KMS grants may allow and never deny (AWS KMS Developer Guide, "Grants in AWS KMS"). Access control lists may allow
unless Object Ownership is BucketOwnerEnforced (Amazon S3 User Guide, "Controlling ownership of objects and
disabling ACLs for your bucket"); within the owner's account a caller needs policies as well. Where they are in force an
object belongs to the account that wrote it, and no policy of the bucket's account opens it. Block Public Access: see
`public_access.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from sm_access.policy.arn import Arn
from sm_access.policy.decision import Decision
from sm_access.policy.policy_set import PolicySet, PublicAccessBlock
from sm_access.policy.principal import PrincipalKind
from sm_access.policy.request import ResolvedRequest
from sm_access.policy.services.public_access import is_public

_BY_GRANT = frozenset(
    f"kms:{name}".lower()
    for name in (
        "CreateGrant",
        "Decrypt",
        "DeriveSharedSecret",
        "DescribeKey",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "GetPublicKey",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RetireGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    )
)
_BY_LIST = frozenset(
    f"s3:{name}".lower()
    for name in (
        "DeleteObject",
        "DeleteObjectVersion",
        "GetBucketAcl",
        "GetObject",
        "GetObjectAcl",
        "GetObjectVersion",
        "GetObjectVersionAcl",
        "ListBucket",
        "ListBucketMultipartUploads",
        "ListBucketVersions",
        "PutBucketAcl",
        "PutObject",
        "PutObjectAcl",
        "PutObjectVersionAcl",
    )
)
_OF_OBJECT = ("s3:getobject", "s3:getobjectversion", "s3:getobjectacl", "s3:getobjectversionacl")
_PUTS_POLICY = ("s3:putbucketpolicy", "s3:putaccesspointpolicy")
NO_LISTS = "BucketOwnerEnforced"


def beside_policies(decision: Decision, policies: PolicySet, request: ResolvedRequest) -> tuple[str, ...]:
    """What could turn a no into a yes, or a yes into a no; an explicit deny stands whatever is beside it."""
    found: list[str] = []
    if decision in (Decision.IMPLICIT_DENY, Decision.UNDETERMINED):
        found.extend(_could_allow(policies, request))
    if decision in (Decision.ALLOW, Decision.UNDETERMINED):
        found.extend(_could_refuse(policies, request))
    return tuple(found)


def _could_allow(policies: PolicySet, request: ResolvedRequest) -> Iterator[str]:
    action, settings = request.action.lower(), policies.public_access_block
    arn = Arn.read(request.resource)
    if arn is not None and arn.service == "kms" and action in _BY_GRANT:
        if arn.resource.startswith("alias/"):
            yield "the key behind the alias, on whose own ARN KMS authorizes this - ask on that"
        yield "grants of the KMS key, which may allow it"
    if action in _BY_LIST and policies.object_ownership != NO_LISTS and not _is_own(request):
        ignored = isinstance(settings, PublicAccessBlock) and settings.ignore_public_acls
        if not (ignored and request.principal.kind is PrincipalKind.ANONYMOUS):
            yield "access control lists, which may allow it where S3 Object Ownership leaves them in force"


def _could_refuse(policies: PolicySet, request: ResolvedRequest) -> Iterator[str]:
    action, settings = request.action.lower(), policies.public_access_block
    if not action.startswith("s3:"):
        return
    if action in _PUTS_POLICY and (
        not isinstance(settings, PublicAccessBlock) or settings.block_public_policy
    ):
        yield "Block Public Access, which may refuse a policy that is public"
    if action in _OF_OBJECT and policies.object_ownership not in (None, NO_LISTS):
        yield "who wrote the object: another account's is its own here, and opened by an access control list alone"
    outside = not _is_own(request) and request.principal.kind is not PrincipalKind.SERVICE
    if settings is None and outside and policies.resource and is_public(policies.resource).value is not False:
        yield "Block Public Access, which may restrict a public bucket policy to the owner's own account"


def _is_own(request: ResolvedRequest) -> bool:
    return request.principal.account is not None and request.same_account.value is True
