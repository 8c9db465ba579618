"""Who makes the request, and as whom a resource policy names them.

Source: IAM User Guide, "AWS JSON policy elements: Principal", "NotPrincipal", and "How AWS enforcement code logic
evaluates requests to allow or deny access" (what a grant to a session, a role, a user or an account is worth).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from sm_access.errors import InvalidInput
from sm_access.policy.arn import Arn
from sm_access.policy.truth import NO, YES, Truth, every, negation, some, undecided

ANONYMOUS = "anonymous"
_ACCOUNT = re.compile(r"\d{12}")
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(/\S*)?")
_SERVICE_ENDINGS = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal")
_PROVIDERS = ("cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com")


class PrincipalKind(str, Enum):
    """What a principal is; the values of aws:PrincipalType where AWS has one."""

    ROOT = "Account"
    USER = "User"
    ROLE = "Role"
    SESSION = "AssumedRole"
    FEDERATED_USER = "FederatedUser"
    ANONYMOUS = "Anonymous"
    SERVICE = "Service"
    PROVIDER = "Provider"


@dataclass(frozen=True, slots=True)
class Principal:
    """The maker of a request. `account` is None for services, identity providers and anonymous requests;
    `name` is the user's or the role's name, without its path."""

    kind: PrincipalKind
    text: str
    account: str | None = None
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> Principal:
        """Read an ARN, a service principal, an identity provider or "anonymous"; raises InvalidInput
        otherwise."""
        if text == ANONYMOUS:
            return cls(PrincipalKind.ANONYMOUS, text)
        arn = Arn.read(text)
        if arn is None:
            if not _HOST.fullmatch(text):
                raise InvalidInput(
                    f"{text!r} is not a principal.",
                    remedy="Give the ARN of a role, user or session, a service principal, or 'anonymous'.",
                )
            service = text.endswith(_SERVICE_ENDINGS) and text not in _PROVIDERS
            return cls(PrincipalKind.SERVICE if service else PrincipalKind.PROVIDER, text)
        kind, name = _iam_kind(arn)
        return cls(kind, text, arn.account if kind is not PrincipalKind.PROVIDER else None, name)

    @property
    def is_identity(self) -> bool:
        """Whether identity policies, boundaries and session policies apply to it."""
        return self.kind in _IDENTITIES


_IDENTITIES = (PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER)


def _iam_kind(arn: Arn) -> tuple[PrincipalKind, str]:
    family, _, rest = arn.resource.partition("/")
    if arn.service == "iam" and arn.resource == "root":
        return PrincipalKind.ROOT, "root"
    if arn.service == "iam" and family == "user" and arn.name:
        return PrincipalKind.USER, arn.name
    if arn.service == "iam" and family == "role" and arn.name:
        return PrincipalKind.ROLE, arn.name
    if arn.service == "iam" and family in ("saml-provider", "oidc-provider") and rest:
        return PrincipalKind.PROVIDER, rest
    if arn.service == "sts" and family == "assumed-role" and rest.count("/") == 1 and all(rest.split("/")):
        return PrincipalKind.SESSION, rest.partition("/")[0]
    if arn.service == "sts" and family == "federated-user" and rest:
        return PrincipalKind.FEDERATED_USER, rest
    raise InvalidInput(
        f"{str(arn)!r} is not the ARN of a principal.",
        remedy="Give the ARN of a role, a user, an assumed-role session or the account root.",
    )


def canonical_principal(arn: str) -> str:
    """The IAM role's ARN for the ARN of one of its sessions, everything else unchanged.

    A session's ARN does not carry the role's path, so the answer has none:
    `arn:aws:iam::ACCOUNT:role/NAME`. Names of roles are unique in an account whatever the path.
    """
    parsed = Arn.read(arn)
    if parsed is None or parsed.service != "sts":
        return arn
    family, _, rest = parsed.resource.partition("/")
    name, _, session = rest.partition("/")
    if family != "assumed-role" or not name or not session:
        return arn
    return f"arn:{parsed.partition}:iam::{parsed.account}:role/{name}"


@dataclass(frozen=True, slots=True)
class PrincipalElement:
    """Entries (type, value) of one statement: type AWS, Service, Federated, CanonicalUser; `negated` for
    NotPrincipal."""

    entries: tuple[tuple[str, str], ...]
    negated: bool = False

    @property
    def described(self) -> str:
        """For people: the values, at most three of them."""
        values = [value for _, value in self.entries]
        shown = ", ".join(values[:3]) + (f" and {len(values) - 3} more" if len(values) > 3 else "")
        return f"anyone but {shown}" if self.negated else shown


@dataclass(frozen=True, slots=True)
class Reach:
    """As whom a statement names the principal, each three-valued: itself (session, user, everyone), its
    role - of a federated user, the user who made the session -, or only its account, which delegates the choice to
    that account's identity policies."""

    direct: Truth = NO
    role: Truth = NO
    account: Truth = NO

    @property
    def at_all(self) -> Truth:
        return some((self.direct, self.role, self.account))


def combine(reaches: list[Reach]) -> Reach:
    """The reach of several entries or statements together."""
    return Reach(
        some(reach.direct for reach in reaches),
        some(reach.role for reach in reaches),
        some(reach.account for reach in reaches),
    )


def match_principal(element: PrincipalElement, principal: Principal, *, denies: bool, bounded: bool) -> Reach:
    """How far the element of a statement reaches `principal`; `denies`: the statement's effect. `bounded`: whether
    the principal has a permissions boundary.

    NotPrincipal is for denials. Beside an Allow it "is not supported", so that nothing rests on one. A denial reaches
    whoever has a permissions boundary, "regardless of the values specified" (IAM User Guide, "NotPrincipal").
    """
    if not element.negated:
        return combine([_entry(kind, value, principal) for kind, value in element.entries])
    if denies and bounded and principal.is_identity:
        return Reach(direct=YES)
    left_out = _not_named(element, principal)
    return Reach(direct=left_out if denies else every((left_out, undecided(_NOT_SUPPORTED))))


_NOT_SUPPORTED = "a NotPrincipal element beside an Allow, which AWS does not support"


def _not_named(element: PrincipalElement, principal: Principal) -> Truth:
    """To be left out, the account, the role and the session must each be listed; AWS "might" check each on its
    own. All listed: left out. None: covered. Some: cannot be told."""
    if any(value == "*" and kind in ("*", "AWS") for kind, value in element.entries):
        return NO
    named = combine([_entry(kind, value, principal) for kind, value in element.entries])
    levels = [named.direct]
    if principal.kind in (PrincipalKind.ROLE, PrincipalKind.SESSION) or named.role.value is not False:
        levels.append(named.role)
    if principal.is_identity:
        levels.append(named.account)
    if principal.kind is PrincipalKind.ROLE and named.role.value:
        levels[0] = undecided(f"the session name of {principal.text}")
    if all(level.value is True for level in levels):
        return NO
    if all(level.value is False for level in levels):
        return YES
    if named.at_all.value is None:
        return negation(named.at_all)
    return undecided("a NotPrincipal element that names only a part of account, role and session")


def _entry(kind: str, value: str, principal: Principal) -> Reach:
    if value == "*" and kind in ("*", "AWS"):
        return Reach(direct=YES)
    if kind == "AWS":
        return _aws_entry(value, principal)
    if kind == "Service":
        if principal.kind is PrincipalKind.SERVICE and value == "*":
            return Reach(direct=undecided("the principal 'Service': '*', which AWS does not know"))
        found = principal.kind is PrincipalKind.SERVICE and value == principal.text
        return Reach(direct=YES) if found else Reach()
    if kind == "Federated":
        if principal.kind is PrincipalKind.SESSION:
            return Reach(direct=undecided(f"whether the session came from the identity provider {value}"))
        found = principal.kind is PrincipalKind.PROVIDER and value == principal.text
        return Reach(direct=YES) if found else Reach()
    if principal.account is None:
        return Reach()
    whose = undecided(f"the account of the canonical user {value}")
    return Reach(direct=whose) if principal.kind is PrincipalKind.ROOT else Reach(account=whose)


def _aws_entry(value: str, principal: Principal) -> Reach:
    if value == principal.text and principal.kind is not PrincipalKind.ROLE:
        return Reach(direct=YES)
    if _ACCOUNT.fullmatch(value):
        return _account_entry(value, principal)
    arn = Arn.read(value)
    if arn is None or arn.account != principal.account:
        return Reach()
    if arn.service == "iam" and arn.resource == "root":
        return _account_entry(arn.account, principal)
    if "*" in value or "?" in value:
        return Reach(direct=undecided(f"the principal {value!r}, which carries a wildcard"))
    family = arn.resource.partition("/")[0]
    if arn.service == "iam" and family == "role" and arn.name == principal.name:
        named = principal.kind in (PrincipalKind.ROLE, PrincipalKind.SESSION)
        return Reach(role=YES) if named else Reach()
    if arn.service == "iam" and family == "user" and principal.kind is PrincipalKind.FEDERATED_USER:
        return Reach(role=undecided(f"whether {principal.text} was federated by {value}"))
    role_of_session = canonical_principal(value).rpartition("/")[2] if family == "assumed-role" else ""
    if principal.kind is PrincipalKind.ROLE and role_of_session == principal.name:
        return Reach(direct=undecided(f"the session name of {principal.text}"))
    return Reach()


def _account_entry(account: str, principal: Principal) -> Reach:
    if account != principal.account:
        return Reach()
    return Reach(direct=YES) if principal.kind is PrincipalKind.ROOT else Reach(account=YES)
