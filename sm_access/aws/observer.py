"""Calls against S3 that show what it says, where the policies leave a question open: the port `Observer`.

None of them changes anything. CloudTrail records them where it records data events.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sm_access.access.observation import Call, Observation
from sm_access.access.ports import Clock
from sm_access.access.probe import Outcome
from sm_access.aws.deadline import Deadline
from sm_access.aws.session import DENIED, Aws, error_code
from sm_access.errors import AwsUnreachable

_ABSENT = frozenset({"NoSuchKey", "404"})
_EMPTY = frozenset({"InvalidRange", "416"})
LONGEST_MESSAGE = 500


class S3Observer:
    """Of what it reads, the name of one key is kept, to be shown.

    deadline: what has not answered by then shows nothing.
    """

    def __init__(self, aws: Aws, clock: Clock, deadline: Deadline | None = None) -> None:
        self._aws = aws
        self._clock = clock
        self._deadline = deadline or Deadline(aws.timeout_seconds)

    def list(self, bucket: str, prefix: str) -> Observation:
        s3 = self._aws.client("s3")
        return self._made(
            Call.LIST, bucket, prefix, lambda: s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=0)
        )

    def first_key(self, bucket: str, prefix: str) -> str | None:
        s3 = self._aws.client("s3")

        def one() -> Any:
            return s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("Contents", ())

        try:
            found = self._deadline.start(one, "listing one key").result()
        except (ClientError, BotoCoreError, ResponseParserError, AwsUnreachable):
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
            self._deadline.start(make, f"trying {call.value}").result()
        except ClientError as error:
            detail = error_code(error)
            outcome = _outcome(detail)
            if outcome is Outcome.DENIED:
                message = str(error.response.get("Error", {}).get("Message", ""))[:LONGEST_MESSAGE]
        except (BotoCoreError, ResponseParserError, AwsUnreachable) as error:
            outcome, detail = Outcome.FAILED, type(error).__name__
        return Observation(call, bucket, name, outcome, self._clock.now(), detail, message)


def _outcome(code: str) -> Outcome:
    if code in DENIED:
        return Outcome.DENIED
    if code in _ABSENT:
        return Outcome.NOTHING_THERE
    return Outcome.ALLOWED if code in _EMPTY else Outcome.FAILED
