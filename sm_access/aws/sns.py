"""Telling people through an Amazon SNS topic."""

from __future__ import annotations

from sm_access.aws.session import Aws, told
from sm_access.errors import SmAccessError
from sm_access.policy import Arn

LONGEST_SUBJECT = 100
"""Characters of a subject, which has to be ASCII (Amazon SNS API Reference, "Publish")."""


class SnsTopic:
    """Publishes to one topic; `send` as `notify.notifiers.Channel` has it."""

    def __init__(self, aws: Aws, arn: str) -> None:
        self._aws = aws
        self._arn = arn

    def send(self, title: str, text: str) -> str:
        subject = title.encode("ascii", "replace").decode()[:LONGEST_SUBJECT]
        try:
            with told("publishing to the topic"):
                self._aws.client("sns", Arn.parse(self._arn).region).publish(
                    TopicArn=self._arn, Subject=subject, Message=f"{title}\n\n{text}"
                )
        except SmAccessError as error:
            return error.message
        return ""
