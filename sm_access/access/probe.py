"""Calls against S3 that show what a role can do, and what they came to. None of them changes anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ProbeKind(str, Enum):
    """The call to make.

    LIST: ListObjectsV2 of `bucket` with `prefix`, MaxKeys 1.
    READ_FOUND: the same listing, then GetObject with Range bytes=0-0 of the key it found; NOTHING_THERE if it found
    none, FAILED if the listing was denied: that tells nothing about reading. READ_KEY: GetObject with Range bytes=0-0
    of the key in `prefix`.
    WRITE: UploadPart, empty, of the key in `prefix` into an upload that nobody began. It takes s3:PutObject and nothing
    else (S3 User Guide, "Multipart upload API and permissions"), and whoever has that is told that there is no such
    upload: no endpoint has anything to write to.
    DELETE: decided from the statements of the grant; no call of S3 that tells would be sure to delete nothing.
    """

    LIST = "list"
    READ_FOUND = "read-found"
    READ_KEY = "read-key"
    WRITE = "write"
    DELETE = "delete"


class Outcome(str, Enum):
    """What a probe came to. ALLOWED: a 2xx answer, 416 for an empty object, or no such upload. DENIED: a 403.
    NOTHING_THERE: no object to read (an empty listing, or a 404). FAILED: anything else - it tells
    nothing."""

    ALLOWED = "allowed"
    DENIED = "denied"
    NOTHING_THERE = "nothing-there"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Probe:
    """One call and the outcome that the grant promises. `prefix` is empty to list a whole bucket."""

    kind: ProbeKind
    bucket: str
    prefix: str
    expected: Outcome


DECIDED = "decided"
"""In the place of AWS's error code: nothing was called, our engine decided."""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a probe came to. `detail`: the error code of AWS's answer or the class of the failure, never a
    payload; DECIDED where AWS was not asked."""

    probe: Probe
    outcome: Outcome
    detail: str = ""


class ProofFinding(str, Enum):
    """What a probe says about the grant."""

    HELD = "held"
    NOT_HELD = "not-held"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One probe, what it came to and what that says. `attempts`: how often it was made until it came to that."""

    result: ProbeResult
    finding: ProofFinding
    attempts: int = 1
