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
    ConfigParseError,
    HTTPClientError,
    InfiniteLoopConfigError,
    InvalidConfigError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from sm_access.aws.cache import PROCESS
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

#: AWS's codes for "ask less often", of which some come with status 503 and are no failure of AWS's.
THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
#: AWS's codes for "there is no such thing", of what policies hang on.
GONE = frozenset({"NoSuchBucket", "NoSuchEntity", "NotFoundException"})

#: Services whose policies are remembered, and the beginnings of the operations that change none.
_HOLDING_POLICIES = ("iam", "kms")
_READS = ("Describe", "Generate", "Get", "List", "Simulate")

AT_ONCE = 64
"""How many calls one question has under way at once: as many as there are to make for a role of twenty policies and ten
buckets, so that none waits for another; and as many connections as that needs."""

WORKERS = 8
"""How many calls go through a long list at once."""


class Aws:
    """A boto3 session with bounded time-outs and retries; clients are made once and shared between threads.

    INVARIANT: holds no credential of its own and has no repr of one; the session keeps them.
    """

    def __init__(self, session: boto3.session.Session | None = None, *, timeout_seconds: float = 10) -> None:
        self.timeout_seconds = timeout_seconds
        self._given = session
        self.timeout_seconds = timeout_seconds
        self._lock = Lock()
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._config = Config(
            connect_timeout=min(3.0, timeout_seconds),
            read_timeout=timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": 3},  # with jitter between them
            max_pool_connections=AT_ONCE,
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
                    if service in _HOLDING_POLICIES:
                        self._clients[key].meta.events.register(
                            f"before-call.{service}", _forget_if_it_writes
                        )
            return self._clients[key]

    def endpoints(self) -> tuple[str, ...]:
        """Where the services that answers are read from are asked: what one AWS is told from another by."""
        return tuple(str(self.client(service).meta.endpoint_url) for service in ("sts", "iam", "s3", "kms"))


def _forget_if_it_writes(model: Any, **_: Any) -> None:
    """What was read before a change of our own is not shown after it, whoever in this process makes the change."""
    if not model.name.startswith(_READS):
        PROCESS.clear()


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
    except (RuntimeError, KeyError, TypeError) as error:
        if not _raised_by_the_sdk(error):
            raise
        raise _of_a_bad_answer(error, doing) from None
    except ValueError as error:
        if not _raised_by_the_sdk(error):
            raise
        raise InvalidSetting(
            f"An address or token that is set for the AWS SDK cannot be used (found while {doing}).",
            remedy="Correct or unset AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_*, endpoint_url in the AWS configuration "
            "file, AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN.",
        ) from None


def _of_a_bad_answer(error: Exception, doing: str) -> SmAccessError:
    """What botocore raises, in Python's own errors, about what a credentials endpoint answered."""
    if isinstance(error, RuntimeError):  # "the refreshed credentials are still expired"
        return ExpiredCredentials(
            f"The temporary credentials have expired, and new ones are not to be had yet (found while {doing}).",
            remedy="Restart the kernel, or sign in again; SageMaker then hands out new ones.",
        )
    return NoCredentials(
        f"The credentials endpoint answered something else than credentials (found while {doing}).",
        remedy="Check AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_EC2_METADATA_SERVICE_ENDPOINT; then try again.",
    )


def _raised_by_the_sdk(error: Exception) -> bool:
    """Whether botocore was at work; an error of our own is a defect and stays one."""
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
    if isinstance(error, ConfigParseError):
        return InvalidSetting(
            f"The AWS configuration file {error.kwargs.get('path', '')} cannot be read (found while {doing}).",
            remedy="Correct it: headings are written [default] or [profile NAME], and settings NAME = VALUE.",
        )
    if isinstance(error, InvalidConfigError | InfiniteLoopConfigError):
        return InvalidSetting(
            f"The profile in use is not set up as the AWS SDK needs it (found while {doing}: {type(error).__name__}).",
            remedy="Check its role_arn, source_profile, credential_source and sso_session in the AWS configuration "
            "file; a profile that is named there must exist and have credentials.",
        )
    if isinstance(error, NoRegionError):
        return InvalidSetting(
            f"No AWS Region is set, which {doing} needs.",
            remedy="Set AWS_DEFAULT_REGION, e.g. `export AWS_DEFAULT_REGION=us-east-1`; boto3 reads no AWS_REGION.",
        )
    if isinstance(error, ParamValidationError):
        return InvalidSetting(f"The AWS SDK refused a value while {doing}: {error}.", remedy="Correct it.")
    if isinstance(error, ClientError):
        return _from_answer(error, doing)
    if isinstance(error, ResponseParserError):
        return not_in_its_language(doing)
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


def not_in_its_language(doing: str) -> NotSupportedHere:
    """A stand-in answers a call it does not have with a page of HTML; AWS never does. A proxy may, and half an
    answer looks alike.
    """
    return NotSupportedHere(
        f"The endpoint did not answer in AWS's language while {doing}.",
        remedy="A local stand-in for AWS lacks this call; `sm-access sandbox limits` lists what is missing.",
    )


def _from_answer(error: ClientError, doing: str) -> SmAccessError:
    found = _by_code(error, doing)
    found.code = error_code(error)
    return found


def _by_code(error: ClientError, doing: str) -> SmAccessError:
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
    if code in THROTTLED:
        return CannotTell(
            f"AWS was asked too often ({code}, while {doing}).", remedy="Wait a minute, then try again."
        )
    if status >= 500:
        return NotSupportedHere(
            f"The endpoint answered {status} to {error.operation_name} while {doing}.",
            remedy="If this is AWS, try again; a local stand-in may lack the call (`sm-access sandbox limits`).",
        )
    return CannotTell(
        f"AWS answered {code or status} to {error.operation_name} while {doing}.", remedy="Try again."
    )
