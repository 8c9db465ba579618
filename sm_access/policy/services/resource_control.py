"""Which actions resource control policies apply to.

Source: AWS Organizations User Guide, "Resource control policies (RCPs)": "List of AWS services that support RCPs", as
of September 2026, and "Resources and entities not restricted by RCPs". Where a policy would refuse what is taken to be
of another service, the answer says so (`Response.not_modelled`): the list grows.
"""

from __future__ import annotations

CONTROLLED = frozenset(
    (
        "aoss",
        "appconfig",
        "appstream",
        "autoscaling",
        "autoscaling-plans",
        "budgets",
        "clouddirectory",
        "cloudfront",
        "cloudsearch",
        "cloudtrail-data",
        "codeartifact",
        "codebuild",
        "codecommit",
        "codepipeline",
        "cognito-identity",
        "cognito-idp",
        "comprehend",
        "comprehendmedical",
        "compute-optimizer",
        "cost-optimization-hub",
        "dax",
        "dsql",
        "dynamodb",
        "ecr",
        "ecr-public",
        "events",
        "firehose",
        "fis",
        "fms",
        "gamelift",
        "health",
        "inspector-scan",
        "kendra",
        "kinesisvideo",
        "kms",
        "logs",
        "memorydb",
        "networkmonitor",
        "notifications",
        "opensearch",
        "pca-connector-ad",
        "personalize",
        "polly",
        "pricing",
        "resource-groups",
        "rolesanywhere",
        "s3",
        "secretsmanager",
        "servicediscovery",
        "signin",
        "sqs",
        "sts",
        "support",
        "swf",
        "textract",
        "timestream-influxdb",
        "transcribe",
        "transfer",
        "translate",
        "wafv2",
        "workspaces",
        "xray",
    )
)
_SPARED = ("kms:retiregrant",)


def resource_controlled(action: str) -> bool:
    """Whether resource control policies apply to `action`, in lower case."""
    return action.partition(":")[0] in CONTROLLED and action not in _SPARED
