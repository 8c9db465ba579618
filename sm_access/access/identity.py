"""Who a process is to AWS, and where that comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum


class CredentialSource(str, Enum):
    """Which link of the SDK's credential chain answered (botocore's provider methods, grouped)."""

    CONTAINER = "container"
    INSTANCE_METADATA = "instance-metadata"
    ENVIRONMENT = "environment"
    FILE = "file"
    SSO = "sso"
    ASSUME_ROLE = "assume-role"
    WEB_IDENTITY = "web-identity"
    PROCESS = "process"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Identity:
    """What `sts:GetCallerIdentity`, the credential chain and SageMaker's metadata say about this process.

    arn, account, user_id: as STS returns them.
    source: the link of the credential chain; `expires_at`: aware UTC, None where the credentials carry no end.
    long_term_key: the key in use is an IAM user's long-term access key (`AKIA...`); the key itself is not kept.
    metadata: SageMaker's resource metadata (strings), empty outside SageMaker.
    read_at: aware UTC.
    """

    arn: str
    account: str
    user_id: str
    source: CredentialSource
    expires_at: datetime | None
    long_term_key: bool
    region: str | None
    read_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)
