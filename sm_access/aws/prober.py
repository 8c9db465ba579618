"""Calls against S3 that show what a role can do: the port `Prober`, with the credentials of this process."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sm_access.access.probe import Outcome, Probe, ProbeKind, ProbeResult
from sm_access.aws.session import DENIED, Aws, error_code

_ABSENT = frozenset({"NoSuchKey", "404"})
_EMPTY = frozenset({"InvalidRange", "416"})
_NO_UPLOAD = "NoSuchUpload"

NEVER_BEGUN = "sm-access-probe-that-nobody-began"
"""No upload has this id: S3 makes its own, and they are longer."""


class S3Prober:
    """Lists at most one key, reads at most one byte, and writes nothing. Nothing of what it reads is kept."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def attempt(self, probe: Probe) -> ProbeResult:
        """Make the call. What AWS answers is the result; nothing is raised for it."""
        try:
            return ProbeResult(probe, self._call(probe))
        except ClientError as error:
            code = error_code(error)
            if code in DENIED:
                unasked = probe.kind is ProbeKind.READ_FOUND and error.operation_name != "GetObject"
                return ProbeResult(probe, Outcome.FAILED if unasked else Outcome.DENIED, code)
            if code == _NO_UPLOAD and probe.kind is ProbeKind.WRITE:
                return ProbeResult(probe, Outcome.ALLOWED, code)
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
        if probe.kind is ProbeKind.DELETE:
            raise ValueError("a deletion is decided, never tried")
        if probe.kind is ProbeKind.WRITE:
            s3.upload_part(Bucket=probe.bucket, Key=key, UploadId=NEVER_BEGUN, PartNumber=1, Body=b"")
            return Outcome.FAILED  # An endpoint that has an upload of this id is none that we know.
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
