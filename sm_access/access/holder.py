"""Who holds policies in an account - roles, users, groups - with the documents as AWS hands them out.

The documents stay JSON here, because they are also written down (`snapshot`); they are parsed where a question is
asked, and one that many hold is parsed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sm_access.access.evidence import Policies, PrincipalEvidence, Unread
from sm_access.errors import PolicySyntaxError
from sm_access.policy import UNREADABLE, Arn, NamedPolicy, parse_policy
from sm_access.policy.policy_set import Unreadable

_SERVICE_LINKED_PATH = "aws-service-role/"


class HolderKind(str, Enum):
    """What holds policies."""

    ROLE = "role"
    USER = "user"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class HeldPolicy:
    """One policy. document: JSON text or its value; None where it could not be read, which `permission` would settle.

    kind: aws-managed, customer-managed, inline, group or boundary; UNLISTED for all that could not even be listed, with
    `name` in words.
    """

    name: str
    kind: str
    document: Mapping[str, Any] | str | None
    permission: str = ""


UNLISTED = "unlisted"


@dataclass(frozen=True, slots=True)
class Holder:
    """A role, user or group. groups: the names of a user's groups.

    id: of a role, `AROA...`: another one each time that a role of this name is made; '' where it was not read.
    """

    kind: HolderKind
    arn: str
    policies: tuple[HeldPolicy, ...] = ()
    boundary: HeldPolicy | None = None
    groups: tuple[str, ...] = ()
    id: str = ""

    @property
    def name(self) -> str:
        """The name alone: unique among the account's roles, users or groups, whatever the path."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def is_service_linked(self) -> bool:
        """Whether the role is one of AWS's own, which no account can change (IAM User Guide, "Create a
        service-linked role")."""
        return f":role/{_SERVICE_LINKED_PATH}" in self.arn


@dataclass(frozen=True, slots=True)
class AccountHolders:
    """Everybody in an account, as of one reading. unread: what of the whole could not be read."""

    account: str
    holders: tuple[Holder, ...]
    read_at: datetime
    unread: tuple[Unread, ...] = ()

    def of(self, kind: HolderKind) -> tuple[Holder, ...]:
        return tuple(holder for holder in self.holders if holder.kind is kind)


class PolicyReader:
    """Turns holders into evidence; a document that several hold is parsed once.

    Documents are told apart by identity: the holders have to live as long as the reader.
    """

    def __init__(self, groups: Iterable[Holder] = ()) -> None:
        self._groups = {group.name: group for group in groups}
        self._parsed: dict[tuple[int, str, str], NamedPolicy | PolicySyntaxError] = {}

    def evidence(self, holder: Holder, read_at: datetime, unread: Sequence[Unread] = ()) -> PrincipalEvidence:
        """What the engine is asked about. A user's evidence has the policies of their groups.

        A group is no principal: its evidence is that of some member who has nothing else, and whose name is not known.
        """
        missing = list(unread)
        held = [*holder.policies, *(policy for name in holder.groups for policy in self._of_group(name))]
        identity = self._policies(held, missing)
        boundary = None if holder.boundary is None else self._policies([holder.boundary], missing)
        arn, unknown = holder.arn, frozenset[str]()
        if holder.kind is HolderKind.GROUP:
            arn = arn.replace(":group/", ":user/", 1)
            unknown = frozenset({"aws:username", "aws:PrincipalArn"})
        return PrincipalEvidence(
            arn=arn,
            iam_arn=arn,
            account=Arn.parse(arn).account,
            identity=identity,
            boundary=boundary,
            read_at=read_at,
            unread=tuple(missing),
            unknown=unknown,
        )

    def _of_group(self, name: str) -> tuple[HeldPolicy, ...]:
        group = self._groups.get(name)
        if group is None:
            return (HeldPolicy(f"the policies of the group {name}", UNLISTED, None, "iam:GetGroup"),)
        return tuple(
            replace(policy, kind="group") if policy.kind == "inline" else policy for policy in group.policies
        )

    def _policies(self, held: Sequence[HeldPolicy], unread: list[Unread]) -> Policies | Unreadable:
        found = [self._parse(policy, unread) for policy in held]
        policies = tuple(policy for policy in found if policy is not None)
        # INVARIANT: one policy that could not be read, and the whole layer is unreadable: it may hold a Deny.
        return policies if len(policies) == len(found) else UNREADABLE

    def _parse(self, held: HeldPolicy, unread: list[Unread]) -> NamedPolicy | None:
        if held.document is None:
            what = held.name if held.kind == UNLISTED else f"the policy {held.name}"
            unread.append(Unread(what, held.permission))
            return None
        key = (id(held.document), held.name, held.kind)
        if key not in self._parsed:
            try:
                document = parse_policy(held.document, name=held.name)
                self._parsed[key] = NamedPolicy(held.name, document, held.kind)
            except PolicySyntaxError as error:
                self._parsed[key] = error
        found = self._parsed[key]
        if isinstance(found, NamedPolicy):
            return found
        unread.append(Unread(f"{held.name}, which is not understood at {found.path}: {found.expected}"))
        return None
