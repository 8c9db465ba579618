"""Calls against S3 that show what a role can do: the port `Prober`, with the credentials of this process."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sm_access.access.probe import Outcome, Probe, ProbeKind, ProbeResult
from sm_access.aws.session import DENIED, Aws, error_code

_ABSENT = frozenset({"NoSuchKey", "404"})
_EMPTY = frozenset({"InvalidRange", "416"})


class S3Prober:
    """Lists at most one key and reads at most one byte. Nothing of what it reads is kept."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def attempt(self, probe: Probe) -> ProbeResult:
        """Make the call. What AWS answers is the result; nothing is raised for it."""
        try:
            return ProbeResult(probe, self._call(probe))
        except ClientError as error:
            code = error_code(error)
            if code in DENIED:
                return ProbeResult(probe, Outcome.DENIED, code)
            if code in _ABSENT:
                return ProbeResult(probe, Outcome.NOTHING_THERE, code)
            if code in _EMPTY:
                return ProbeResult(probe, Outcome.ALLOWED, code)
            return ProbeResult(probe, Outcome.FAILED, code)
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
