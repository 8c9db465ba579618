"""Why a call was refused, as a value: the cause, whose word it is, and what would help.

Pure. AWS's statement always wins over the engine. Where they disagree - AWS denied, and every policy that was read
allows - that is the diagnosis, with what could explain it; it is never hidden behind a guess.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from sm_access.access.caller import Caller
from sm_access.access.denial_message import DenialMessage
from sm_access.access.denied_call import Ask, DeniedCall
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread
from sm_access.access.target import S3Target
from sm_access.access.trouble import Trouble
from sm_access.policy import NearMiss, Response, StatementRef


class Cause(str, Enum):
    """What decided. The values are what programs see."""

    NOT_GRANTED = "no-identity-policy-allows-it"
    IDENTITY_DENY = "identity-policy-denies-it"
    BOUNDARY = "permissions-boundary"
    SESSION_POLICY = "session-policy"
    SERVICE_CONTROL = "service-control-policy"
    RESOURCE_CONTROL = "resource-control-policy"
    ENDPOINT_POLICY = "vpc-endpoint-policy"
    RESOURCE_DENY = "resource-policy-denies-it"
    RESOURCE_SILENT = "no-resource-policy-allows-it"
    OTHER_ACCOUNT = "other-account-does-not-allow-it"
    TRUST = "role-trust-policy"
    KMS_KEY = "kms-key-not-open"
    ENCRYPTION_HEADER = "encryption-header-missing"
    NETWORK = "not-through-the-expected-network"
    BLOCKED_ENCRYPTION = "customer-key-encryption-blocked"
    PUBLIC_ACCESS = "block-public-access"
    OBJECT_LOCK = "object-lock"
    OWNER_MISMATCH = "bucket-has-another-owner"
    MAY_BE_MISSING = "may-not-exist"
    DISAGREEMENT = "policies-read-allow-it"
    UNEXPLAINED = "no-reason-given"
    EXPIRED = Trouble.EXPIRED.value
    NO_CREDENTIALS = Trouble.NO_CREDENTIALS.value
    UNKNOWN_CREDENTIALS = Trouble.UNKNOWN_CREDENTIALS.value
    SIGNATURE = Trouble.SIGNATURE.value
    CLOCK = Trouble.CLOCK.value
    WRONG_REGION = Trouble.WRONG_REGION.value
    NO_BUCKET = Trouble.NO_BUCKET.value
    KEY_STATE = Trouble.KEY_STATE.value
    ACCOUNT = Trouble.ACCOUNT.value
    UNREACHABLE = Trouble.UNREACHABLE.value
    BAD_REQUEST = Trouble.BAD_REQUEST.value


class Basis(str, Enum):
    """Whose word the cause is."""

    AWS = "aws"
    ENGINE = "engine"
    GUESS = "guess"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was found out around a call; None or empty where it was not, which is never taken for "none".

    caller: who this process is. credentials_expired: whether the session is past its end, None where it is not known.
    principal: the policies of who was refused. bucket: what the bucket adds.
    decoded: what an encoded message says, where it might be decoded.
    unread: what could not be read, beyond what the evidence itself names.
    """

    now: datetime
    caller: Caller | None = None
    credentials_expired: bool | None = None
    principal: PrincipalEvidence | None = None
    bucket: BucketEvidence | None = None
    decoded: DenialMessage | None = None
    unread: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One explanation.

    principal: the ARN that was refused, or ''. policy: who denies, by name or ARN, where known.
    statement: which statement denies, by the engine. nearest: the Allow that came nearest.
    helps: whether a grant to the role would be enough; None where that cannot be told.
    then: what would still refuse after a grant, where one would not be enough.
    ask: the request that could be made; None where none can help or none can be named. region: the right one.
    header: the context keys of an upload that would pass. look: what may be listed to see whether the key is there.
    may_be_missing: S3 answers 403 for a key that is not there to who may not list.
    disagrees: the engine allows what AWS denied. depends_on: what the engine could not know.
    """

    cause: Cause
    basis: Basis
    denied: DeniedCall
    principal: str = ""
    explicit: bool | None = None
    policy: str = ""
    statement: StatementRef | None = None
    nearest: NearMiss | None = None
    helps: bool | None = None
    then: Cause | None = None
    ask: Ask | None = None
    region: str = ""
    header: Mapping[str, str] | None = None
    look: S3Target | None = None
    may_be_missing: bool = False
    disagrees: bool = False
    depends_on: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    read_at: datetime | None = None
    response: Response | None = None

    def asking(self, ask: Ask | None) -> Diagnosis:
        """The same, with another request."""
        return replace(self, ask=ask)
