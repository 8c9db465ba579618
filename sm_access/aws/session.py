"""The boto3 session that everything here works with, and the one place where botocore's errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from threading import Lock
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from sm_access.errors import (
    AccessDenied,
    AwsUnreachable,
    CannotTell,
    ExpiredCredentials,
    InvalidSetting,
    NoCredentials,
    NotSupportedHere,
    SmAccessError,
)

DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled", "403"}
)
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
UNKNOWN_KEY = frozenset(
    {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "InvalidToken"}
)

WORKERS = 8
"""How many calls a collector has under way at once."""


class Aws:
    """A boto3 session with bounded time-outs and retries; clients are made once and shared between threads.

    INVARIANT: holds no credential of its own and has no repr of one; the session keeps them.
    """

    def __init__(self, session: boto3.session.Session | None = None, *, timeout_seconds: float = 10) -> None:
        self._given = session
        self._lock = Lock()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._config = Config(
            connect_timeout=min(3.0, timeout_seconds),
            read_timeout=timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 3},
            user_agent_extra="sm_access",
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}(region={self.region!r})"

    @cached_property
    def session(self) -> boto3.session.Session:
        with told("reading the AWS configuration"):
            return self._given or boto3.session.Session()

    @property
    def region(self) -> str | None:
        region: str | None = self.session.region_name
        return region

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of a service; IAM, STS and Organizations have one endpoint, so a Region is made up for them."""
        with self._lock:
            key = (service, region)
            if key not in self._clients:
                with told(f"reaching {service}"):
                    self._clients[key] = self.session.client(
                        service,
                        region_name=region or self.region or "us-east-1",
                        config=self._config,
                    )
            return self._clients[key]


def error_code(error: ClientError) -> str:
    """AWS's code for what went wrong, e.g. `NoSuchBucketPolicy`; for HEAD calls the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn botocore's errors into ours. doing: the work in words, e.g. "reading the role's policies".

    Raises AccessDenied, ExpiredCredentials, NoCredentials, NotSupportedHere, AwsUnreachable, InvalidSetting; CannotTell
    for any other answer of AWS.
    """
    # INVARIANT: nothing of botocore's is chained to what is raised. Its messages can hold the value of a header, a
    # token, or the URL of an endpoint or proxy with its password, and tracebacks are saved with notebooks.
    try:
        yield
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        raise _ours(error, doing) from None
    except ValueError as error:
        if not _raised_by_the_sdk(error):
            raise
        raise InvalidSetting(
            f"An address or token that is set for the AWS SDK cannot be used (found while {doing}).",
            remedy="Correct or unset AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_*, endpoint_url in the AWS configuration "
            "file, AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN.",
        ) from None


def _raised_by_the_sdk(error: ValueError) -> bool:
    """Whether botocore was at work; a ValueError of our own is a defect and stays one."""
    frame = error.__traceback__
    while frame is not None:
        if str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == "botocore":
            return True
        frame = frame.tb_next
    return False


def _ours(error: Exception, doing: str) -> SmAccessError:
    if isinstance(error, NoCredentialsError | PartialCredentialsError | TokenRetrievalError):
        return NoCredentials(
            f"No AWS credentials were found while {doing}.",
            remedy="In SageMaker, check that the notebook has an execution role; elsewhere, sign in with "
            "`aws sso login` or set AWS_PROFILE. To try sm_access without an account: `sm-access sandbox start`.",
        )
    if isinstance(error, ProfileNotFound):
        return InvalidSetting(f"{error}.", remedy="Correct or unset AWS_PROFILE.")
    if isinstance(error, NoRegionError):
        return InvalidSetting(
            f"No AWS Region is set, which {doing} needs.",
            remedy="Set AWS_REGION, e.g. `export AWS_REGION=us-east-1`.",
        )
    if isinstance(error, ParamValidationError):
        return InvalidSetting(f"The AWS SDK refused a value while {doing}: {error}.", remedy="Correct it.")
    if isinstance(error, ClientError):
        return _from_answer(error, doing)
    if isinstance(error, ResponseParserError):
        # A stand-in answers a call it does not have with a page of HTML; AWS never does.
        return NotSupportedHere(
            f"The endpoint did not answer in AWS's language while {doing}.",
            remedy="A local stand-in for AWS lacks this call; `sm-access sandbox limits` lists what is missing.",
        )
    if isinstance(error, BotoConnectionError | HTTPClientError):
        return AwsUnreachable(
            f"AWS did not answer while {doing}: {type(error).__name__}.",
            remedy="Check the network, the VPC endpoints and AWS_ENDPOINT_URL*; then try again.",
        )
    if "credential" in type(error).__name__.lower() or "Unauthorized" in type(error).__name__:
        return NoCredentials(
            f"AWS credentials could not be fetched while {doing}: {type(error).__name__}.",
            remedy="Sign in again, or restart the kernel so that it fetches new ones.",
        )
    return CannotTell(f"The AWS SDK failed while {doing}: {type(error).__name__}.", remedy="Try again.")


def _from_answer(error: ClientError, doing: str) -> SmAccessError:
    code = error_code(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in EXPIRED:
        return ExpiredCredentials(
            f"The temporary credentials have expired (found while {doing}).",
            remedy="Restart the kernel, or sign in again with `aws sso login`; SageMaker then hands out new ones.",
        )
    if code in UNKNOWN_KEY:
        return NoCredentials(
            f"AWS does not know the credentials in use ({code}, while {doing}).",
            remedy="Remove stale AWS_ACCESS_KEY_ID / AWS_SESSION_TOKEN variables and ~/.aws/credentials entries.",
        )
    if code in DENIED:
        action = f"{error.operation_name}"
        return AccessDenied(
            f"AWS denied {action} while {doing}.",
            remedy="Ask whoever administers this role; `sm-access whoami` shows who you are to AWS.",
        )
    if status >= 500:
        return NotSupportedHere(
            f"The endpoint answered {status} to {error.operation_name} while {doing}.",
            remedy="If this is AWS, try again; a local stand-in may lack the call (`sm-access sandbox limits`).",
        )
    return CannotTell(
        f"AWS answered {code or status} to {error.operation_name} while {doing}.", remedy="Try again."
    )
