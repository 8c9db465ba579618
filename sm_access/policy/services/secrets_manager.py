"""AWS Secrets Manager: across accounts only some operations work, whatever both sides allow.

Source: AWS Secrets Manager User Guide, "Access AWS Secrets Manager secrets from a different account".
"""

from __future__ import annotations

from sm_access.policy.services.rules import ServiceRules, Trait, Traits

_ACROSS_ACCOUNTS = frozenset(
    f"secretsmanager:{name}".lower()
    for name in (
        "CancelRotateSecret",
        "DeleteResourcePolicy",
        "DeleteSecret",
        "DescribeSecret",
        "GetRandomPassword",
        "GetResourcePolicy",
        "GetSecretValue",
        "ListSecretVersionIds",
        "PutResourcePolicy",
        "PutSecretValue",
        "RemoveRegionsFromReplication",
        "ReplicateSecretToRegions",
        "RestoreSecret",
        "RotateSecret",
        "StopReplicationToReplica",
        "TagResource",
        "UntagResource",
        "UpdateSecret",
        "UpdateSecretVersionStage",
        "ValidateResourcePolicy",
    )
)


def _traits(action: str) -> Traits:
    return frozenset(() if action in _ACROSS_ACCOUNTS else (Trait.AT_HOME,))


RULES = ServiceRules(traits=_traits)
