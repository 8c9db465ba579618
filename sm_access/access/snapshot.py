"""What an admin has read of a role, written down for notebooks that may not read IAM themselves.

One JSON document for each role, in plain text: every policy that speaks for the role, who read it and when, and a
hash over all of it. The hash finds a torn or clumsily edited document; it proves nothing about who wrote it. Whoever
can write the place where snapshots lie can lie to those who read them.

# INVARIANT: a snapshot is believed only for the very role and account that it was read from, and none of the future.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sm_access.access.caller import Caller, principal_key
from sm_access.access.canonical import sha256
from sm_access.access.evidence import PrincipalEvidence, Unread
from sm_access.access.holder import HeldPolicy, Holder, HolderKind, PolicyReader
from sm_access.access.instant import format_instant, parse_instant, whole_second
from sm_access.errors import UnusableSnapshot

VERSION = 1
LARGEST = 2**22
"""Bytes. A role with every quota raised holds less than a tenth of it."""
MOST_POLICIES = 200
CLOCK_SKEW = timedelta(minutes=5)
_KINDS = frozenset({"aws-managed", "customer-managed", "inline", "boundary", "unlisted"})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was read of one role. published_by: the ARN of who read it, as the document says.

    unread: what the publisher could not read beside the role's own policies.
    """

    role: Holder
    account: str
    published_by: str
    read_at: datetime
    unread: tuple[Unread, ...] = ()

    def evidence(self, caller_arn: str) -> PrincipalEvidence:
        """As if it had been read now, for a session of the role."""
        return replace(PolicyReader().evidence(self.role, self.read_at, self.unread), arn=caller_arn)


def file_name(account: str, role_arn: str) -> str:
    """Where a role's snapshot lies beneath the common place: `111122223333/acme-ds-notebooks.json`.

    A role's name is unique in its account whatever its path, which a session's ARN does not tell.
    """
    return f"{account}/{role_arn.rsplit('/', 1)[-1]}.json"


def encode(snapshot: Snapshot) -> bytes:
    """The document; the same snapshot gives the same bytes."""
    body = {
        "sm_access_snapshot": VERSION,
        "account": snapshot.account,
        "published_by": snapshot.published_by,
        "read_at": format_instant(snapshot.read_at),
        "role": {
            "arn": snapshot.role.arn,
            "id": snapshot.role.id,
            "policies": [_policy(policy) for policy in snapshot.role.policies],
            "boundary": None if snapshot.role.boundary is None else _policy(snapshot.role.boundary),
        },
        "unread": [{"what": item.what, "permission": item.permission} for item in snapshot.unread],
    }
    return json.dumps({**body, "sha256": sha256(body)}, indent=1, sort_keys=True).encode()


def _policy(held: HeldPolicy) -> dict[str, Any]:
    document = held.document
    if isinstance(document, str):
        document = json.loads(document)
    return {"name": held.name, "kind": held.kind, "document": document, "permission": held.permission}


def decode(content: bytes, caller: Caller, now: datetime) -> Snapshot:
    """The snapshot, if it is one of the caller's role. Raises UnusableSnapshot, which says what is wrong with it."""
    if len(content) > LARGEST:
        raise _refused(f"it is larger than {LARGEST:,} bytes")
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise _refused("it is not JSON") from None
    if not isinstance(body, dict) or body.get("sm_access_snapshot") != VERSION:
        raise _refused(f"it is no snapshot of version {VERSION}")
    given = body.pop("sha256", None)
    try:
        found = sha256(body)
    except (ValueError, RecursionError):
        raise _refused("it is not JSON") from None
    if given != found:
        raise _refused("its hash is not that of its content: it was cut off or changed")
    try:
        snapshot = _decoded(body)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _refused("it has not the parts of a snapshot") from None
    role_id = caller.user_id.partition(":")[0]
    if snapshot.account != caller.account or f"::{caller.account}:" not in snapshot.role.arn:
        raise _refused(f"it is of account {snapshot.account}, and you are in {caller.account}")
    if principal_key(snapshot.role.arn) != principal_key(caller.arn):
        raise _refused(f"it is of {snapshot.role.arn}")
    if snapshot.role.id and role_id and snapshot.role.id != role_id:
        raise _refused("it is of an earlier role of this name, which was deleted")
    if snapshot.read_at > now + CLOCK_SKEW:
        raise _refused(f"it is dated {format_instant(snapshot.read_at)}, which is still to come")
    return snapshot


def _decoded(body: Mapping[str, Any]) -> Snapshot:
    role, unread = body["role"], body["unread"]
    if not isinstance(role["policies"], list) or len(role["policies"]) > MOST_POLICIES:
        raise ValueError("policies")
    boundary = role["boundary"]
    return Snapshot(
        role=Holder(
            HolderKind.ROLE,
            _text(role["arn"]),
            tuple(_held(policy) for policy in role["policies"]),
            None if boundary is None else _held(boundary),
            id=_text(role["id"]),
        ),
        account=_text(body["account"]),
        published_by=_text(body["published_by"]),
        read_at=parse_instant(_text(body["read_at"])),
        unread=tuple(Unread(_text(item["what"]), _text(item["permission"])) for item in unread),
    )


def _held(policy: Mapping[str, Any]) -> HeldPolicy:
    document = policy["document"]
    if policy["kind"] not in _KINDS or not (document is None or isinstance(document, dict)):
        raise ValueError("policy")
    return HeldPolicy(_text(policy["name"]), policy["kind"], document, _text(policy["permission"]))


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 4096:
        raise TypeError("text")
    return value


def _refused(why: str) -> UnusableSnapshot:
    return UnusableSnapshot(
        f"The published snapshot is not used: {why}.",
        remedy="Ask whoever runs `sm-access snapshot publish` to publish it again.",
    )


def published(role: Holder, account: str, by: str, at: datetime, unread: tuple[Unread, ...] = ()) -> Snapshot:
    """A snapshot of a role that was read just now."""
    return Snapshot(role, account, by, whole_second(at), unread)
