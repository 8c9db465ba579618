"""What an organization's policies are to somebody in a member account: there, and not to be read."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from sm_access.access.evidence import Unread
from sm_access.aws.session import Aws, error_code

_NONE = "AWSOrganizationsNotInUseException"
_UNREAD = Unread("the organization's service and resource control policies")


def organization_unread(aws: Aws) -> tuple[Unread, ...]:
    """That service and resource control policies were not read; nothing where there is no organization."""
    try:
        aws.client("organizations").describe_organization()
    except ClientError as error:
        return () if error_code(error) == _NONE else (_UNREAD,)
    except (BotoCoreError, ResponseParserError):
        return (_UNREAD,)
    return (_UNREAD,)
