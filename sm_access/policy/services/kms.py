"""AWS KMS: without the key policy's consent no identity policy helps.

The key policy consents by naming the principal, its role, or its account - the last only hands the choice
over to that account's identity policies. Source: AWS KMS Developer Guide, "Key policies in AWS KMS" and
"Default key policy". Grants (kms:CreateGrant) are a third way in that policies do not show: `beside.py` names them.

An alias is no key: operations on the key are authorized on the key's ARN, however the request names it, and never
on the alias's; which alias was used or exists is in kms:RequestAlias and kms:ResourceAliases ("Using aliases to
control access to KMS keys").

Across accounts only some operations work, whatever both sides allow ("Allowing users in other accounts to use a KMS
key", and the column "Cross-account use" of "AWS KMS permissions").
"""

from __future__ import annotations

from sm_access.policy.arn import Arn
from sm_access.policy.formula import Doubt
from sm_access.policy.services.rules import ServiceRules, Trait, Traits
from sm_access.policy.truth import YES, Truth, possible


def _consent_required(resource: str) -> bool:
    arn = Arn.read(resource)
    return arn is not None and arn.service == "kms" and arn.resource.startswith("key/")


_ON_ALIASES = ("kms:createalias", "kms:deletealias", "kms:updatealias")
_ACROSS_ACCOUNTS = frozenset(
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
        "GetKeyRotationStatus",
        "GetPublicKey",
        "ListGrants",
        "ReEncryptFrom",
        "ReEncryptTo",
        "RetireGrant",
        "RevokeGrant",
        "Sign",
        "Verify",
        "VerifyMac",
    )
)


def _traits(action: str) -> Traits:
    found = set() if action in _ACROSS_ACCOUNTS else {Trait.AT_HOME}
    return frozenset(found | {Trait.ON_ALIAS} if action in _ON_ALIASES else found)


def _beyond(traits: Traits, resource: str) -> Truth:
    arn = Arn.read(resource)
    if arn is None or not arn.resource.startswith("alias/") or Trait.ON_ALIAS in traits:
        return YES
    behind = f"the key behind {arn.resource}"
    return possible(Doubt((behind,), ("behind", resource), if_so=f"{behind} allows it"))


RULES = ServiceRules(
    traits=_traits,
    resource_policy=lambda _resource: "the key policy",
    consent_required=_consent_required,
    beyond=_beyond,
    marks=(":key/", ":alias/"),
)
