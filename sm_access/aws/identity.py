"""Who this process is to AWS: the STS caller, the link of the credential chain, and SageMaker's own metadata."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sm_access.access.caller import Caller
from sm_access.access.identity import CredentialSource, Identity
from sm_access.aws.session import Aws, told

#: botocore's provider names (`Credentials.method`), as its `credentials` module defines them.
_SOURCES = {
    "container-role": CredentialSource.CONTAINER,
    "iam-role": CredentialSource.INSTANCE_METADATA,
    "env": CredentialSource.ENVIRONMENT,
    "shared-credentials-file": CredentialSource.FILE,
    "config-file": CredentialSource.FILE,
    "sso": CredentialSource.SSO,
    "login": CredentialSource.SSO,
    "assume-role": CredentialSource.ASSUME_ROLE,
    "assume-role-with-web-identity": CredentialSource.WEB_IDENTITY,
    "custom-process": CredentialSource.PROCESS,
}

#: What SageMaker writes into resource-metadata.json, on notebook instances and in Studio spaces.
_METADATA_KEYS = (
    "ResourceArn",
    "ResourceName",
    "DomainId",
    "UserProfileName",
    "SpaceName",
    "AppType",
    "ExecutionRoleArn",
)


def collect_caller(aws: Aws) -> Caller:
    """`sts:GetCallerIdentity`, which no policy can deny. Raises NoCredentials, ExpiredCredentials, AwsUnreachable."""
    with told("asking AWS who you are"):
        answer = aws.client("sts").get_caller_identity()
    return Caller(arn=answer["Arn"], account=answer["Account"], user_id=answer["UserId"])


def collect_identity(aws: Aws, resource_metadata: Path) -> Identity:
    """The whole picture. One AWS call; the key itself is looked at only for its four-letter kind."""
    caller = collect_caller(aws)
    credentials = aws.session.get_credentials()
    kind = credentials.access_key[:4] if credentials is not None else ""
    expires_at = getattr(credentials, "_expiry_time", None)
    return Identity(
        arn=caller.arn,
        account=caller.account,
        user_id=caller.user_id,
        source=credential_source(aws),
        expires_at=expires_at.astimezone(timezone.utc) if isinstance(expires_at, datetime) else None,
        long_term_key=kind == "AKIA",
        region=aws.region,
        read_at=datetime.now(timezone.utc),
        metadata=read_metadata(resource_metadata),
    )


def credential_source(aws: Aws) -> CredentialSource:
    """Which link of the credential chain answered."""
    credentials = aws.session.get_credentials()
    return _SOURCES.get(getattr(credentials, "method", ""), CredentialSource.OTHER)


def read_metadata(path: Path) -> dict[str, str]:
    """SageMaker's resource metadata; empty where there is none, or where it is not the JSON object it should be."""
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: str(found[key]) for key in _METADATA_KEYS if isinstance(found.get(key), str)}
