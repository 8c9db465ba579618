"""A call to AWS as somebody's code made it, and what came of it: the evidence behind a denial and a recording.

However it was noticed - through botocore's events, an exception of a library that has no botocore, or the output of
a command - it becomes this one value. Nothing of a payload, a header or a credential is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from sm_access.access.secrets_in_words import without_secrets


class NoticedBy(str, Enum):
    """How a call was noticed, from the surest to the least sure."""

    SDK = "sdk"
    EXCEPTION = "exception"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    service: botocore's name of the service, e.g. "s3"; operation: AWS's, e.g. "GetObject"; "" where not known.
    parameters: what says on which resource it was, by AWS's names (Bucket, Key, Prefix, CopySource, KeyId, RoleArn...);
        never a body, a token or a customer-provided key. EncryptedWith: the KMS key that the answer named.
    keys: of a call on many objects (DeleteObjects), some that stand for all: see `call_parameters`.
    region: where it was sent; None where not known.
    status: HTTP status, None where there was no answer; code, message, request_id: AWS's words, "" where none came.
    at: aware UTC.
    """

    service: str
    operation: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    region: str | None = None
    status: int | None = None
    code: str = ""
    message: str = ""
    request_id: str = ""
    at: datetime | None = None
    noticed_by: NoticedBy = NoticedBy.SDK
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # INVARIANT: however a call was noticed, no token or key that its words held is kept.
        object.__setattr__(self, "message", without_secrets(self.message))
