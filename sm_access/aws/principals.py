"""Read, in parallel, the policies that speak for a principal.

After the caller is known, in the order of what waits for what:

    1  GetRole | ListAttachedRolePolicies | ListRolePolicies | DescribeOrganization
    2  GetPolicy of each attached one and of the boundary | GetRolePolicy of each inline one
    3  GetPolicyVersion

of a user likewise, with the lists of its groups between 1 and 2. What may not be read is named with the one permission
that would settle it, and its layer is UNREADABLE.
"""

from __future__ import annotations

import os
from asyncio import gather
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from sm_access.access.evidence import Policies, PrincipalEvidence, Unread
from sm_access.access.identity import CredentialSource
from sm_access.access.principal_tags import carried_tags
from sm_access.aws.identity import credential_source
from sm_access.aws.organization import read_organization
from sm_access.aws.policy_documents import parsed_policy
from sm_access.aws.reading import Reading, in_order
from sm_access.aws.session import GONE, Aws
from sm_access.errors import AwsUnreachable, CannotTell
from sm_access.policy import UNREADABLE, Arn, NamedPolicy, canonical_principal
from sm_access.policy.policy_set import Unreadable

#: Sources whose sessions AWS itself starts, for SageMaker, ECS and EC2: without a session policy.
_STARTED_BY_AWS = (CredentialSource.CONTAINER, CredentialSource.INSTANCE_METADATA)
#: The container and the instance metadata endpoints (boto3 documentation, "Credentials"; EC2 User Guide, "IMDS").
_AWS_ADDRESSES = frozenset({"169.254.170.2", "169.254.169.254", "fd00:ec2::254"})
#: A role or user as IAM tells it; None: there is none of that name.
Entity = Mapping[str, Any] | Unreadable | None


def collect_principal(aws: Aws, arn: str, user_id: str = "") -> PrincipalEvidence:
    """The identity policies and boundary of a role, a session of one, or an IAM user (groups included).

    user_id: as STS returns it for the caller. Raises NoCredentials, ExpiredCredentials; CannotTell for a kind of
    principal that has no policies to read. What was not read in time or is denied is named in `unread`.
    """
    return Reading(aws).run(lambda reading: read_principal(reading, arn, user_id))


async def read_principal(reading: Reading, arn: str, user_id: str = "") -> PrincipalEvidence:
    """As `collect_principal`, within a reading."""
    principal = Arn.parse(canonical_principal(arn))
    kind, _, path = principal.resource.partition("/")
    name = path.rsplit("/", 1)[-1]
    if kind not in {"role", "user"}:
        raise CannotTell(
            f"{arn} is neither a role nor a user, so it has no policies to read.",
            remedy="Work on an assumed role; `sm-access whoami` shows what you are now.",
        )
    read_at = datetime.now(timezone.utc)
    unread: list[Unread] = []
    beside: list[Unread] = []
    holder = _Holder(reading, kind, name, unread)
    (entity, boundary), own, of_groups, organization, started_by_aws = await gather(
        holder.entity_and_boundary(),
        holder.policies(),
        _of_groups(reading, name, unread) if kind == "user" else _nothing(),
        read_organization(reading, principal.account, beside),
        _is_started_by_aws(reading),
    )
    identity: Policies | Unreadable = UNREADABLE
    # INVARIANT: one policy that could not be read, and the whole layer is unreadable: it may hold a Deny.
    if not isinstance(own, Unreadable) and not isinstance(of_groups, Unreadable):
        identity = own + of_groups
    past = _past(entity, kind, name, user_id)
    if past is not None:
        # What was read of that name is not this session's.
        identity = boundary = entity = UNREADABLE
        unread = [past]
    if ":assumed-role/" in arn and not started_by_aws:
        beside.append(Unread("the session policy, if the role was assumed with one"))
    trust: Policies | Unreadable | None = UNREADABLE
    tags: Mapping[str, str] | None = None
    if not isinstance(entity, Unreadable) and entity is not None:
        trust = _trust(entity, kind, name)
        own_tags = {str(tag["Key"]): str(tag["Value"]) for tag in entity.get("Tags", ())}
        # Who started the session is known of the caller's own, which comes with its user id.
        tags = carried_tags(own_tags, trust, started_by_aws=started_by_aws and bool(user_id))
    return PrincipalEvidence(
        arn=arn,
        iam_arn=None if isinstance(entity, Unreadable) or entity is None else str(entity["Arn"]),
        account=principal.account,
        identity=identity,
        boundary=boundary,
        read_at=read_at,
        unread=in_order([*unread, *beside]),
        user_id=user_id,
        tags=tags,
        trust=trust,
        organization=organization,
        gone=past is not None,
    )


def _past(entity: Entity, kind: str, name: str, user_id: str) -> Unread | None:
    """That the role which this session was made of is no more; None where it is, or where that is not known.

    The user id of a session is the role's unique id, a colon and the session's name; no id is used twice (IAM User
    Guide, "IAM identifiers").
    """
    what = f"the policies of this session: the {kind} {name}"
    if entity is None:
        return Unread(f"{what} was deleted since it began")
    made_of = user_id.partition(":")[0]
    now = "" if isinstance(entity, Unreadable) else str(entity.get(f"{kind.capitalize()}Id", ""))
    if made_of and now and made_of != now:
        return Unread(
            f"{what} was deleted and made anew since it began, so that only a new session has its policies"
        )
    return None


def _trust(entity: Mapping[str, Any], kind: str, name: str) -> Policies | Unreadable | None:
    if kind == "user":
        return None
    found = parsed_policy(entity.get("AssumeRolePolicyDocument"), f"trust policy of {name}", "trust", [])
    return found if isinstance(found, Unreadable) else (found,)


async def _is_started_by_aws(reading: Reading) -> bool:
    """Looking may ask the container's endpoint for credentials; no answer in time says nothing."""
    try:
        source = await reading.call("looking at the credentials", lambda: credential_source(reading.aws))
    except AwsUnreachable:
        return False
    return source in _STARTED_BY_AWS and asks_aws(source, os.environ)


def asks_aws(source: CredentialSource, variables: Mapping[str, str]) -> bool:
    """Whether the credentials come from where AWS's own services hand them out. Anything may listen elsewhere, on this
    machine too, and hand out sessions with a session policy or tags; the embedded AWS is believed, and names itself.
    """
    if source is CredentialSource.CONTAINER:
        given = variables.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")
        if variables.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
            given = ""  # it comes first
    else:
        given = variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "")
    host = urlsplit(given).hostname
    return not given or host in _AWS_ADDRESSES or "SM_ACCESS_SANDBOX" in variables


async def _of_groups(reading: Reading, user: str, unread: list[Unread]) -> Policies | Unreadable:
    groups = await reading.layer(
        "the policies of the user's groups",
        "iam:ListGroupsForUser",
        reading.call(
            f"reading the groups of {user}",
            lambda: [
                group["GroupName"]
                for page in reading.aws.client("iam")
                .get_paginator("list_groups_for_user")
                .paginate(UserName=user)
                for group in page["Groups"]
            ],
        ),
        unread,
    )
    if isinstance(groups, Unreadable):
        return UNREADABLE
    found = await gather(*(_Holder(reading, "group", group, unread).policies() for group in groups))
    if any(isinstance(policies, Unreadable) for policies in found):
        return UNREADABLE
    return tuple(policy for policies in found if not isinstance(policies, Unreadable) for policy in policies)


async def _nothing() -> Policies:
    return ()


def _all_or_none(found: Sequence[NamedPolicy | Unreadable]) -> Policies | Unreadable:
    if any(isinstance(policy, Unreadable) for policy in found):
        return UNREADABLE
    return tuple(policy for policy in found if not isinstance(policy, Unreadable))


def _kind_of(arn: str) -> str:
    return "aws-managed" if Arn.parse(arn).account == "aws" else "customer-managed"


class _Holder:
    """A role, user or group, whose policies are read."""

    def __init__(self, reading: Reading, kind: str, name: str, unread: list[Unread]) -> None:
        self._reading = reading
        self._kind = kind
        self._name = name
        self._owner = {f"{kind.capitalize()}Name": name}
        self._unread = unread

    async def entity_and_boundary(self) -> tuple[Entity, Policies | Unreadable | None]:
        """The role or user itself, and its boundary: None where it has none."""
        title = self._kind.capitalize()
        entity = await self._reading.layer(
            "the permissions boundary", f"iam:Get{title}", self._entity(), self._unread
        )
        if entity is None or isinstance(entity, Unreadable):
            return entity, UNREADABLE
        attached = entity.get("PermissionsBoundary")
        if not attached:
            return entity, None
        arn = str(attached["PermissionsBoundaryArn"])
        found = await self._managed_policy(arn, arn.rsplit("/", 1)[-1], "boundary")
        return entity, found if isinstance(found, Unreadable) else (found,)

    async def _entity(self) -> Mapping[str, Any] | None:
        title = self._kind.capitalize()
        try:
            return await self._reading.call(
                f"reading the {self._kind} {self._name}",
                lambda: dict(getattr(self._iam, f"get_{self._kind}")(**self._owner)[title]),
            )
        except CannotTell as error:
            if error.code in GONE:
                return None
            raise

    async def policies(self) -> Policies | Unreadable:
        """Attached and inline policies; each document is asked for as soon as its list is there."""
        attached, inline = await gather(self._attached(), self._inline())
        if isinstance(attached, Unreadable) or isinstance(inline, Unreadable):
            return UNREADABLE
        return attached + inline

    async def _attached(self) -> Policies | Unreadable:
        title = self._kind.capitalize()
        listed = await self._list(
            f"list_attached_{self._kind}_policies", "AttachedPolicies", f"iam:ListAttached{title}Policies"
        )
        if isinstance(listed, Unreadable):
            return UNREADABLE
        return _all_or_none(
            await gather(
                *(
                    self._managed_policy(
                        policy["PolicyArn"], policy["PolicyName"], _kind_of(policy["PolicyArn"])
                    )
                    for policy in listed
                )
            )
        )

    async def _inline(self) -> Policies | Unreadable:
        title = self._kind.capitalize()
        listed = await self._list(f"list_{self._kind}_policies", "PolicyNames", f"iam:List{title}Policies")
        if isinstance(listed, Unreadable):
            return UNREADABLE
        return _all_or_none(await gather(*(self._inline_policy(name) for name in listed)))

    async def _list(self, operation: str, field: str, permission: str) -> list[Any] | Unreadable:
        what = f"the policies of the {self._kind} {self._name}"
        answer = self._reading.call(
            f"listing {what}",
            lambda: [
                item
                for page in self._iam.get_paginator(operation).paginate(**self._owner)
                for item in page[field]
            ],
        )
        return await self._reading.layer(what, permission, answer, self._unread)

    async def _managed_policy(self, arn: str, name: str, kind: str) -> NamedPolicy | Unreadable:
        what = f"{'the permissions boundary' if kind == 'boundary' else 'the policy'} {name}"
        doing = f"reading the policy {name}"
        version = await self._reading.layer(
            what,
            "iam:GetPolicy",
            self._reading.once(
                ("GetPolicy", arn),
                doing,
                lambda: self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"],
            ),
            self._unread,
        )
        if isinstance(version, Unreadable):
            return UNREADABLE
        document = await self._reading.layer(
            what,
            "iam:GetPolicyVersion",
            self._reading.once(
                ("GetPolicyVersion", arn),
                doing,
                lambda: self._iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"][
                    "Document"
                ],
            ),
            self._unread,
        )
        if isinstance(document, Unreadable):
            return UNREADABLE
        return parsed_policy(document, name, kind, self._unread)

    async def _inline_policy(self, name: str) -> NamedPolicy | Unreadable:
        what = f"the inline policy {name}"
        document = await self._reading.layer(
            what,
            f"iam:Get{self._kind.capitalize()}Policy",
            self._reading.call(
                f"reading {what}",
                lambda: getattr(self._iam, f"get_{self._kind}_policy")(PolicyName=name, **self._owner)[
                    "PolicyDocument"
                ],
            ),
            self._unread,
        )
        if isinstance(document, Unreadable):
            return UNREADABLE
        return parsed_policy(document, name, "inline" if self._kind != "group" else "group", self._unread)

    @property
    def _iam(self) -> Any:
        return self._reading.aws.client("iam")
