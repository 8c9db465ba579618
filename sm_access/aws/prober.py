"""Calls against S3 that show what a role can do, with the credentials of this process: the ports `Prober` and
`Observer`.

None of them changes anything. On AWS, CloudTrail records them where it records data events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sm_access.access.observation import Call, Observation
from sm_access.access.ports import Clock
from sm_access.access.probe import Outcome, Probe, ProbeKind, ProbeResult
from sm_access.aws.session import DENIED, Aws, error_code

_ABSENT = frozenset({"NoSuchKey", "404"})
_EMPTY = frozenset({"InvalidRange", "416"})


LONGEST_MESSAGE = 500


def _outcome(code: str) -> Outcome:
    if code in DENIED:
        return Outcome.DENIED
    if code in _ABSENT:
        return Outcome.NOTHING_THERE
    return Outcome.ALLOWED if code in _EMPTY else Outcome.FAILED


class S3Prober:
    """For proofs of grants. Lists at most one key and reads at most one byte. Nothing of what it reads is kept."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def attempt(self, probe: Probe) -> ProbeResult:
        """Make the call. What AWS answers is the result; nothing is raised for it."""
        try:
            return ProbeResult(probe, self._call(probe))
        except ClientError as error:
            return ProbeResult(probe, _outcome(error_code(error)), error_code(error))
        except (BotoCoreError, ResponseParserError) as error:
            return ProbeResult(probe, Outcome.FAILED, type(error).__name__)

    def _call(self, probe: Probe) -> Outcome:
        s3 = self._aws.client("s3")
        key = probe.prefix
        if probe.kind is not ProbeKind.READ_KEY:
            found = s3.list_objects_v2(Bucket=probe.bucket, Prefix=probe.prefix, MaxKeys=1).get(
                "Contents", ()
            )
            if probe.kind is ProbeKind.LIST:
                return Outcome.ALLOWED
            if not found:
                return Outcome.NOTHING_THERE
            key = found[0]["Key"]
        s3.get_object(Bucket=probe.bucket, Key=key, Range="bytes=0-0")["Body"].close()
        return Outcome.ALLOWED


class S3Observer:
    """For questions that the policies leave open. Of what it reads, the name of one key is kept, to be shown."""

    def __init__(self, aws: Aws, clock: Clock) -> None:
        self._aws = aws
        self._clock = clock

    def list(self, bucket: str, prefix: str) -> Observation:
        s3 = self._aws.client("s3")
        return self._made(
            Call.LIST, bucket, prefix, lambda: s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=0)
        )

    def first_key(self, bucket: str, prefix: str) -> str | None:
        s3 = self._aws.client("s3")
        try:
            found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents", ())
        except (ClientError, BotoCoreError, ResponseParserError):
            return None
        return str(found[0]["Key"]) if found else None

    def read(self, bucket: str, key: str) -> Observation:
        s3 = self._aws.client("s3")

        def one_byte() -> None:
            s3.get_object(Bucket=bucket, Key=key, Range="bytes=0-0")["Body"].close()

        return self._made(Call.READ, bucket, key, one_byte)

    def _made(self, call: Call, bucket: str, name: str, make: Callable[[], Any]) -> Observation:
        outcome, detail, message = Outcome.ALLOWED, "", ""
        try:
            make()
        except ClientError as error:
            detail = error_code(error)
            outcome = _outcome(detail)
            if outcome is Outcome.DENIED:
                message = str(error.response.get("Error", {}).get("Message", ""))[:LONGEST_MESSAGE]
        except (BotoCoreError, ResponseParserError) as error:
            outcome, detail = Outcome.FAILED, type(error).__name__
        return Observation(call, bucket, name, outcome, self._clock.now(), detail, message)
