"""Context keys that AWS sends as lists, however many values they have in one request.

Such a key needs ForAllValues or ForAnyValue and cannot be a policy variable. What AWS makes of it without a set
operator is not said. Source: IAM User Guide, "Single-valued vs. multivalued context keys", "AWS global condition
context keys" and "Policy elements: Variables and tags"; Service Authorization Reference (types "ArrayOf...") for the
services that policies about data are made of. Of other keys the number of values in the request tells.
"""

from __future__ import annotations

_KEYS = frozenset(
    name.lower()
    for name in (
        "aws:CalledVia",
        "aws:PrincipalOrgPaths",
        "aws:PrincipalServiceNamesList",
        "aws:ResourceOrgPaths",
        "aws:SourceOrgPaths",
        "aws:TagKeys",
        "aws:VpceOrgPaths",
        "dynamodb:Attributes",
        "dynamodb:LeadingKeys",
        "kms:EncryptionContextKeys",
        "kms:GrantOperations",
        "kms:ResourceAliases",
        "s3:InventoryAccessibleOptionalFields",
        "s3:RequestObjectTagKeys",
        "sagemaker:ImageArns",
        "sagemaker:InstanceTypes",
        "sagemaker:VpcSecurityGroupIds",
        "sagemaker:VpcSubnets",
        "sts:TransitiveTagKeys",
    )
)


def is_multivalued(key: str) -> bool:
    """Whether AWS sends `key` as a list. Names of keys are not case-sensitive."""
    return key.lower() in _KEYS
