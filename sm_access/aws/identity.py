"""Who this process is to AWS: the STS caller, the link of the credential chain, and what SageMaker says."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeVar

from botocore.exceptions import ClientError, NoCredentialsError

from sm_access.access.caller import Caller
from sm_access.access.identity import (
    Authority,
    Certainty,
    CredentialSource,
    Identity,
    Profile,
    Propagation,
    RoleStatement,
    SourceIdentity,
)
from sm_access.access.key_scanner import KeySearch, Unsearched
from sm_access.aws.deadline import Deadline, Pending
from sm_access.aws.key_places import search_process
from sm_access.aws.sagemaker_site import (
    DomainSettings,
    SiteFacts,
    collect_domain,
    collect_sdk_role,
    domain_unknown,
    metadata_role,
    read_job_roles,
    read_site,
    sdk_role_unknown,
    source_identity,
)
from sm_access.aws.session import Aws, error_code, told
from sm_access.errors import AwsUnreachable, InvalidInput, SmAccessError
from sm_access.policy import Arn

T = TypeVar("T")

#: botocore's provider names (`Credentials.method`), as its `credentials` module defines them.
_SOURCES = {
    "container-role": CredentialSource.CONTAINER,
    "iam-role": CredentialSource.INSTANCE_METADATA,
    "env": CredentialSource.ENVIRONMENT,
    "shared-credentials-file": CredentialSource.FILE,
    "config-file": CredentialSource.FILE,
    "boto-config": CredentialSource.FILE,
    "ec2-credentials-file": CredentialSource.FILE,
    "sso": CredentialSource.SSO,
    "login": CredentialSource.SSO,
    "assume-role": CredentialSource.ASSUME_ROLE,
    "assume-role-with-web-identity": CredentialSource.WEB_IDENTITY,
    "custom-process": CredentialSource.PROCESS,
}

_OF_A_PROFILE = {
    CredentialSource.FILE,
    CredentialSource.SSO,
    CredentialSource.ASSUME_ROLE,
    CredentialSource.WEB_IDENTITY,
    CredentialSource.PROCESS,
}


def collect_caller(aws: Aws) -> Caller:
    """`sts:GetCallerIdentity`, which no policy can deny. Raises NoCredentials, ExpiredCredentials, AwsUnreachable."""
    with told("asking AWS who you are"):
        answer = aws.client("sts").get_caller_identity()
    return Caller(arn=answer["Arn"], account=answer["Account"], user_id=answer["UserId"])


def collect_identity(
    aws: Aws,
    resource_metadata: Path,
    *,
    thorough: bool = True,
    search: Callable[[], KeySearch] = search_process,
) -> Identity:
    """Who this process is, from all who can tell, within the time-out of `aws`.

    thorough: also ask IAM and SageMaker, at the same time; else STS alone. search: finds long-term keys.

    Where STS does not answer, `caller` is None and `unasked` says why: what is known here is still told. Raises
    NoCredentials where the chain finds nothing or cannot fetch, InvalidSetting for what no attempt can mend.
    """
    deadline = Deadline(aws.timeout_seconds)
    keys = deadline.start(search, "searching for long-term keys")
    facts = read_site(resource_metadata, os.environ)
    try:
        credentials = (
            collect_credentials(aws)
            if _asks_a_person(aws)
            else deadline.start(lambda: collect_credentials(aws), "fetching the AWS credentials").result()
        )
    except AwsUnreachable as error:
        return _identity(aws, facts, _Credentials(), keys, unasked=error)
    if credentials.unusable is not None:
        return _identity(aws, facts, credentials, keys, unasked=credentials.unusable)
    domain_id = facts.metadata.get("DomainId")
    domain = (
        deadline.start(lambda: collect_domain(aws, domain_id), "asking SageMaker for the domain")
        if domain_id and thorough
        else None
    )
    try:
        caller = deadline.start(lambda: collect_caller(aws), "asking AWS who you are").result()
    except InvalidInput:
        raise
    except SmAccessError as error:
        return _identity(aws, facts, credentials, keys, unasked=error)
    of_sts = RoleStatement(Authority.STS, caller.principal, "STS GetCallerIdentity")
    role, sdk = None, None
    if thorough and caller.session_name is not None:
        role = deadline.start(lambda: _role(aws, caller), "asking IAM for the role")
    if thorough or facts.metadata.get("ExecutionRoleArn") or not facts.metadata.get("ResourceName"):
        sdk = deadline.start(
            lambda: collect_sdk_role(aws, facts, of_sts), "asking SageMaker for the notebook's role"
        )
    return _identity(
        aws,
        facts,
        credentials,
        keys,
        caller=caller,
        role=_known(role),
        sdk=_known(sdk, sdk_role_unknown("SageMaker")),
        domain=_known(domain, domain_unknown()),
    )


@dataclass(frozen=True, slots=True)
class _Credentials:
    """What may be known of credentials without knowing them. unusable: why they could not be had or renewed."""

    source: CredentialSource = CredentialSource.UNKNOWN
    expires_at: datetime | None = None
    long_term_key: bool = False
    profile: Profile | None = None
    unusable: SmAccessError | None = None


def collect_credentials(aws: Aws) -> _Credentials:
    """The link of the chain that answered, and until when; of the key itself only its four-letter kind is looked at.

    Raises NoCredentials where no link answers, or the one that should cannot be fetched; InvalidSetting.
    """
    with told("looking for credentials"):
        credentials: Any = aws.session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
    source = credential_source(aws)
    profile = _profile(aws) if source in _OF_A_PROFILE else None
    try:
        with told("fetching the credentials"):
            # A profile that assumes a role does so only now; everything else has its key already.
            kind = credentials.get_frozen_credentials().access_key[:4]
    except InvalidInput:
        raise
    except SmAccessError as error:
        return _Credentials(source, _end(credentials), profile=profile, unusable=error)
    return _Credentials(source, _end(credentials), kind == "AKIA", profile)


def credential_source(aws: Aws) -> CredentialSource:
    """Which link of the credential chain answered."""
    credentials = aws.session.get_credentials()
    return _SOURCES.get(getattr(credentials, "method", ""), CredentialSource.OTHER)


def _end(credentials: Any) -> datetime | None:
    """botocore shows the end of renewable credentials nowhere else."""
    found = getattr(credentials, "_expiry_time", None)
    return found.astimezone(timezone.utc) if isinstance(found, datetime) else None


def _profile(aws: Aws) -> Profile:
    """The profile in use, setting by setting: the rest of its section may hold keys and commands."""
    name = aws.session.profile_name
    with told("reading the AWS configuration"):
        section = _profiles(aws).get(name, {})
    return Profile(
        name=name,
        role_arn=_setting(section, "role_arn"),
        source_profile=_setting(section, "source_profile"),
        credential_source=_setting(section, "credential_source"),
        sso_account=_setting(section, "sso_account_id"),
        sso_role=_setting(section, "sso_role_name"),
    )


def _asks_a_person(aws: Aws) -> bool:
    """Whether the SDK will ask for the code of an MFA device: a person may take their time over it."""
    with told("reading the AWS configuration"):
        return "mfa_serial" in _profiles(aws).get(aws.session.profile_name, {})


def _profiles(aws: Aws) -> dict[str, Any]:
    found = aws.session._session.full_config  # noqa: SLF001 boto3 shows the names of profiles, not what they say
    found = found.get("profiles", {})
    return found if isinstance(found, dict) else {}


def _setting(section: dict[str, Any], key: str) -> str | None:
    value = section.get(key)
    return value[:512] if isinstance(value, str) else None


def _region_from(aws: Aws) -> str | None:
    """Where boto3 has the Region from: of the environment it reads AWS_DEFAULT_REGION only, then the profile."""
    if aws.region is None:
        return None
    if os.environ.get("AWS_DEFAULT_REGION") == aws.region:
        return "AWS_DEFAULT_REGION"
    name = aws.session.profile_name
    with told("reading the AWS configuration"):
        if _profiles(aws).get(name, {}).get("region") == aws.region:
            return f"profile {name}"
    return None


def _role(aws: Aws, caller: Caller) -> tuple[str, str]:
    """The id and the ARN, path included, of the role that has the caller's role's name now; ("", "") for none."""
    name = Arn.parse(caller.principal).resource.rsplit("/", 1)[-1]
    with told("asking IAM for the role"):
        try:
            found = aws.client("iam").get_role(RoleName=name)["Role"]
        except ClientError as error:
            if error_code(error) == "NoSuchEntity":
                return "", ""
            raise
    return str(found["RoleId"]), str(found["Arn"])


def _known(pending: Pending[T] | None, otherwise: T | None = None) -> T | None:
    """The result; `otherwise` where it could not be had; None where it was not asked for."""
    try:
        return pending.result() if pending is not None else None
    except SmAccessError:
        return otherwise


def _identity(
    aws: Aws,
    facts: SiteFacts,
    credentials: _Credentials,
    keys: Pending[KeySearch],
    *,
    caller: Caller | None = None,
    unasked: SmAccessError | None = None,
    role: tuple[str, str] | None = None,
    sdk: RoleStatement | None = None,
    domain: DomainSettings | None = None,
) -> Identity:
    stated = metadata_role(facts)
    roles = [stated, sdk]
    if caller is not None:
        with_path = (role[1] if role is not None else "") or caller.principal
        roles.insert(0, RoleStatement(Authority.STS, with_path, "STS GetCallerIdentity"))
    return Identity(
        caller=caller,
        unasked=unasked,
        source=credentials.source,
        profile=credentials.profile,
        expires_at=credentials.expires_at,
        long_term_key=credentials.long_term_key,
        region=aws.region,
        region_from=_region_from(aws),
        read_at=datetime.now(timezone.utc),
        site=facts.site,
        metadata=facts.metadata,
        variables=facts.variables,
        roles=tuple(each for each in roles if each is not None),
        job_roles=read_job_roles(os.environ),
        role_id=role[0] if role is not None else None,
        source_identity=_source_identity(facts, credentials, caller, domain),
        propagation=domain.propagation if domain is not None else Propagation.UNKNOWN,
        propagation_unread=domain.unread if domain is not None else None,
        keys=_searched(keys),
    )


def _source_identity(
    facts: SiteFacts, credentials: _Credentials, caller: Caller | None, domain: DomainSettings | None
) -> SourceIdentity:
    if caller is not None and caller.session_name is None:
        return SourceIdentity(Certainty.NONE)  # only the session of a role can have one
    return source_identity(facts, domain, sagemakers_own=credentials.source is CredentialSource.CONTAINER)


def _searched(keys: Pending[KeySearch]) -> KeySearch:
    try:
        return keys.result()
    except SmAccessError:
        return KeySearch(
            unsearched=(Unsearched("this process, the SDK's files and the notebook", "it took too long"),)
        )
