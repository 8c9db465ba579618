"""The rows of a ledger in one DynamoDB table, and who can have written them. Pure.

Each row lies in a partition that says who can have put it there, because IAM lets a role insert into its own partitions
alone (`dynamodb_table`), and nobody overwrite:

    partition               sort key          written by                        holds
    ask#AUTHOR              REQUEST#SLOT      that requester                    what a requester does
    decide#AUTHOR           REQUEST#SLOT      that reviewer                     what reviewers do
    apply#AUTHOR            REQUEST#SLOT      that reconciler                   what is done to roles
    id#REQUEST              first slot        any requester, the first one wins whose access request this is
    order#REQUESTER         REQUEST#SLOT      the requester; all who decide     which row is the next of the stream
    log                     POSITION          all who decide or apply           the audit: a chain over the whole ledger

AUTHOR is the ARN of the role or user without its path, in lower case, and `aws:userid`. An event is one row in its
author's partition, one row that gives it its place, and one in the log, inserted in one transaction. Two writers who
want the same place collide there, and one of them wins.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sm_access.access.audit_trail import actor_in
from sm_access.access.caller import Caller, principal_key
from sm_access.access.canonical import sha256
from sm_access.access.events import Event
from sm_access.access.instant import format_instant
from sm_access.errors import LedgerUnavailable

Item = Mapping[str, str | int]
Key = tuple[str, str]

ASK, DECIDE, APPLY = "ask", "decide", "apply"
CLAIM, ORDER, LOG = "id", "order", "log"

BY_REQUESTERS = frozenset(
    {
        "submitted",
        "withdrawn",
        "released",
        "revoked",
        "proven",
        "not-provable",
        "end-probed",
        # No person decides on these two: the reconciler asks the rules again before anything is applied.
        "auto-approved",
        "glass-broken",
    }
)
"""Kinds of event that count from a requester's partition. What is not here is somebody else's to write."""

BY_RECONCILERS = frozenset({"applied", "collected", "proven", "not-provable", "end-probed"})
"""Kinds of event that are about a role; every other kind is a decision unless its requester may write it."""

FIRST = 1
"""The place of a submission."""

_DIGITS = 6
SORT_KEY = re.compile(r"(.+)#(\d{6})", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)


# --- keys -----------------------------------------------------------------------------------------------------------


def author_of(caller: Caller) -> str:
    """What the partitions of this caller end with. Raises LedgerUnavailable where STS's answer does not say it all."""
    session = caller.session_name
    if not caller.user_id or (session is not None and caller.user_id.partition(":")[2] != session):
        raise LedgerUnavailable(
            f"Which partition of the ledger is {caller.arn}'s is not known: its user id is missing or another's.",
            remedy="Events are written in the name of whom STS GetCallerIdentity names, and of nobody else.",
        )
    return f"{principal_key(caller.arn)}#{caller.user_id}"


def principal_in(author: str) -> str:
    """The role or user of an author, without the session."""
    return author.partition("#")[0]


def partition_kind(pk: str) -> str:
    return pk.partition("#")[0]


def author_in(pk: str) -> str:
    return pk.partition("#")[2]


def sort_key(request_id: str, slot: int) -> str:
    return f"{request_id}#{slot:0{_DIGITS}d}"


def log_key(position: int) -> Key:
    return LOG, f"{position:012d}"


def claim_key(request_id: str) -> Key:
    return f"{CLAIM}#{request_id}", f"{FIRST:0{_DIGITS}d}"


def can_be_id(request_id: str) -> bool:
    """Whether this can be the id of an access request in this ledger at all."""
    return _ID.fullmatch(request_id) is not None


def key_of(item: Item) -> Key:
    return str(item["pk"]), str(item["sk"])


# --- rows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in its author's partition. `version` counts through the stream; `slot`, in the sort key, counts the
    places taken."""

    pk: str
    sk: str
    version: int
    kind: str
    at: str
    body: str
    prev_hash: str

    @property
    def hash(self) -> str:
        return sha256([self.pk, self.sk, self.version, self.kind, self.at, self.body, self.prev_hash])

    @property
    def key(self) -> Key:
        return self.pk, self.sk

    @property
    def asked(self) -> bool:
        """It lies where requesters write."""
        return partition_kind(self.pk) == ASK

    @property
    def author(self) -> str:
        return author_in(self.pk)

    @property
    def request_id(self) -> str:
        return self.sk.rpartition("#")[0]

    @property
    def slot(self) -> int:
        return int(self.sk.rpartition("#")[2])


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """Whose an id is, the hash of its first event, and when it was written by the writer's clock, in nanoseconds."""

    pk: str
    sk: str
    owner: str
    hash: str
    written: int


@dataclass(frozen=True, slots=True)
class OrderRow:
    """The event that took a place: the partition it lies in, and its hash."""

    pk: str
    sk: str
    by: str
    hash: str


@dataclass(frozen=True, slots=True)
class LogRow:
    """One row of the audit: which event, and its hash."""

    pk: str
    sk: str
    by: str
    of: str
    hash: str
    prev_hash: str

    @property
    def position(self) -> int:
        return int(self.sk)

    @property
    def chained(self) -> str:
        """What the next row has for `prev_hash`."""
        return sha256([self.sk, self.by, self.of, self.hash, self.prev_hash])


Row = EventRow | ClaimRow | OrderRow | LogRow


def item_of(row: Row) -> Item:
    return {name: getattr(row, name) for name in type(row).__dataclass_fields__}


def read_row(kind: type[Any], item: Item) -> Any:
    """An item as a row of this kind. ValueError for what no version of sm-access has written."""
    fields = kind.__dataclass_fields__
    if item.keys() != fields.keys():
        raise ValueError("it has other fields than such a row")
    if any(type(item[name]).__name__ != declared.type for name, declared in fields.items()):
        raise ValueError("a field of it has another type")
    return kind(**item)


# --- who may have written what --------------------------------------------------------------------------------------


def shelf_for(kind: str, author: str, owner: str, *, named: bool) -> str:
    """Where an event of this kind goes. named: it says who did it."""
    own = principal_in(author) == principal_in(owner)
    if kind in BY_RECONCILERS:
        return ASK if own and kind in BY_REQUESTERS else APPLY
    return ASK if own and named else DECIDE


def authorship_fault(row: EventRow, event: Event, owner: str) -> str:
    """Why this event does not count from this partition; empty when it does.

    INVARIANT: whoever an event names as its actor is whose partition it lies in - role, session and account.
    """
    shelf, author, actor = partition_kind(row.pk), row.author, actor_in(event)
    if format_instant(event.at) != row.at:
        return "it has two dates"
    if getattr(event, "id", row.request_id) != row.request_id:
        return "it is filed under an id that is not its own"
    if actor is not None:
        try:
            named = author_of(actor)
        except LedgerUnavailable as fault:
            return fault.message
        if named != author:
            return f"it is forged: it names {actor.arn}, and was written by {author}"
    if shelf == ASK:
        if principal_in(author) != principal_in(owner):
            return f"{author} did not ask for it, and writes as a requester"
        if row.kind not in BY_REQUESTERS:
            return f"a requester wrote {row.kind}, which is not theirs to write"
        return ""
    if shelf == DECIDE:
        if actor is None or row.kind in BY_RECONCILERS or row.kind == "submitted":
            return f"a reviewer wrote {row.kind}, which is not theirs to write"
        return ""
    if shelf == APPLY and row.kind in BY_RECONCILERS:
        return ""
    return f"{row.kind} was written where it cannot be"
