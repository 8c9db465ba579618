"""Who a process is to AWS, and where that comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from sm_access.access.caller import Caller, same_principal
from sm_access.access.evidence import Unread
from sm_access.access.key_scanner import KeySearch
from sm_access.errors import SmAccessError


class CredentialSource(str, Enum):
    """Which link of the SDK's credential chain answered (botocore's provider methods, grouped)."""

    CONTAINER = "container"
    INSTANCE_METADATA = "instance-metadata"
    ENVIRONMENT = "environment"
    FILE = "file"
    SSO = "sso"
    ASSUME_ROLE = "assume-role"
    WEB_IDENTITY = "web-identity"
    PROCESS = "process"
    OTHER = "other"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Profile:
    """What the SDK's configuration says about the profile in use. No setting that can hold a secret is kept.

    role_arn: the role it assumes; with the credentials of `source_profile`, or of `credential_source` (Environment,
    EcsContainer, Ec2InstanceMetadata).
    sso_account, sso_role: what it signs in to.
    """

    name: str
    role_arn: str | None = None
    source_profile: str | None = None
    credential_source: str | None = None
    sso_account: str | None = None
    sso_role: str | None = None


class Site(str, Enum):
    """What kind of machine of SageMaker's a process runs on, as far as SageMaker left a mark."""

    ELSEWHERE = "elsewhere"
    NOTEBOOK_INSTANCE = "notebook-instance"
    STUDIO = "studio"
    TRAINING_JOB = "training-job"
    PROCESSING_JOB = "processing-job"
    TRANSFORM_JOB = "transform-job"


class Authority(str, Enum):
    """Who says which role a process works on. Only STS proves it."""

    STS = "sts"
    METADATA = "metadata"
    SDK = "sdk"


@dataclass(frozen=True, slots=True)
class RoleStatement:
    """What one authority says. arn: None where it could not be found out, and `unread` says what would settle it.

    told_by: the file, call or rule that it was learnt from, e.g. `SageMaker DescribeNotebookInstance`.
    """

    by: Authority
    arn: str | None
    told_by: str
    unread: Unread | None = None


class Certainty(str, Enum):
    """How much a fact about a person is worth: STS proves roles, never people."""

    NONE = "none"
    CLAIMED = "claimed"
    UNKNOWABLE = "unknowable"


@dataclass(frozen=True, slots=True)
class SourceIdentity:
    """The name that AWS may carry through a session as `aws:SourceIdentity`. No call returns it to the session itself.

    value: the name, where SageMaker's settings say that it sets one: a claim. unread: what would say more.
    """

    certainty: Certainty = Certainty.UNKNOWABLE
    value: str | None = None
    unread: Unread | None = None


class Propagation(str, Enum):
    """Trusted identity propagation: a setting of the Studio domain. Nothing in a session shows whether it applies."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Identity:
    """What `sts:GetCallerIdentity`, the credential chain and SageMaker's metadata say about this process.

    caller: as STS returned it; None where STS could not be asked or did not answer, and `unasked` is why.
    source: the link of the credential chain; `expires_at`: aware UTC, None where the credentials carry no end.
    long_term_key: the key in use is an IAM user's long-term access key (`AKIA...`); the key itself is not kept.
    region_from: the variable, or the file's profile, that the Region comes from; None where the session was given it.
    metadata: SageMaker's resource metadata (strings), empty outside SageMaker. variables: those of SageMaker's
    environment variables that say where this is.
    roles: what each authority says, STS first. job_roles: what the SageMaker SDK's default settings give to jobs.
    role_id: the id of the role of that name now, "" where there is none; None where IAM did not tell.
    keys: long-term keys found in this process's environment, in the SDK's files and in the open notebook.
    read_at: aware UTC.
    """

    caller: Caller | None
    source: CredentialSource
    expires_at: datetime | None
    long_term_key: bool
    region: str | None
    read_at: datetime
    unasked: SmAccessError | None = None
    profile: Profile | None = None
    region_from: str | None = None
    site: Site = Site.ELSEWHERE
    metadata: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[RoleStatement, ...] = ()
    job_roles: tuple[RoleStatement, ...] = ()
    role_id: str | None = None
    source_identity: SourceIdentity = SourceIdentity()
    propagation: Propagation = Propagation.UNKNOWN
    propagation_unread: Unread | None = None
    keys: KeySearch = field(default_factory=KeySearch)

    @property
    def other_roles(self) -> tuple[RoleStatement, ...]:
        """Those that name another principal than STS does - or, where STS was not asked, than the first that knows."""
        known = [role for role in self.roles if role.arn is not None]
        return tuple(role for role in known[1:] if not same_principal(str(known[0].arn), str(role.arn)))

    @property
    def made_anew(self) -> bool:
        """The role of this name is not the one that the session was made of: it was deleted and created again.

        The user id of a session is the role's unique id, a colon and the session's name; the id of a role is never used
        again (IAM User Guide, "IAM identifiers").
        """
        if self.caller is None or not self.role_id or self.caller.session_name is None:
            return False
        session_of = self.caller.user_id.partition(":")[0]
        return bool(session_of) and session_of != self.role_id

    @property
    def role_gone(self) -> bool:
        """No role has this name any more; the session outlives it."""
        return self.role_id == ""
