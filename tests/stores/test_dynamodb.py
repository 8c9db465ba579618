"""What somebody who may write into a ledger's table can do to it, and what a bad day of DynamoDB does.

Forgeries are inserted with the rights of the account's root: the embedded AWS does not evaluate who may insert where.
That IAM lets nobody else do it is shown in `test_dynamodb_table.py`; here it is seen that what a role *may* insert
counts for nothing where it is not that role's to say.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from doubles import (
    KEY,
    ROLE,
    SCIENTIST,
    START,
    STEWARD,
    Roles,
    StoppedClock,
    approve,
    desk,
    rules,
    session,
    submit,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sm_access.access import Caller, Reconciler
from sm_access.access.canonical import canonical_json
from sm_access.access.event_codec import KINDS, encode_event, kind_of
from sm_access.access.events import (
    Applied,
    Approved,
    Collected,
    Event,
    NotProvable,
    Rejected,
    Revoked,
    Withdrawn,
)
from sm_access.aws.dynamodb import DynamoTable
from sm_access.aws.session import Aws
from sm_access.errors import LedgerConflict, LedgerTampered, LedgerUnavailable, Refused
from sm_access.stores import DynamoLedger, Head
from sm_access.stores import dynamodb_rows as rows
from sm_access.stores.dynamodb_reading import Shelves
from sm_access.stores.dynamodb_rows import BY_RECONCILERS, BY_REQUESTERS, Item, author_of
from sm_access.stores.dynamodb_stream import MOST_ASKED, addition_to

N, S = author_of(SCIENTIST), author_of(STEWARD)
OTHER = session("training")
WORKER = session("Reconciler", "nightly")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ledger(dynamo: DynamoLedger) -> DynamoLedger:
    return dynamo


@pytest.fixture
def raw(root_aws: Aws) -> Any:
    """DynamoDB with all rights, as somebody who administers the table has."""
    return root_aws.client("dynamodb")


def put(table: DynamoTable, *made: Any) -> None:
    assert table.insert([rows.item_of(row) for row in made]) == "done"


def event_row(
    pk: str, request_id: str, slot: int, event: Event, after: str, version: int | None = None
) -> Any:
    return rows.EventRow(
        pk=pk,
        sk=rows.sort_key(request_id, slot),
        version=version or slot,
        kind=kind_of(event),
        at=event.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        body=canonical_json(encode_event(event)),
        prev_hash=after,
    )


def order(owner: str, row: Any) -> Any:
    return rows.OrderRow(pk=f"order#{owner}", sk=row.sk, by=row.pk, hash=row.hash)


def approval(request: Any, reviewer: Caller = STEWARD) -> Approved:
    """What approving it would append."""
    at = desk(ledger_of(request.events), StoppedClock(START + MINUTE))
    return at.approve(request.id, reviewer).events[-1]  # type: ignore[return-value]


def ledger_of(events: tuple[Event, ...]) -> Any:
    from sm_access.stores import MemoryLedger

    found = MemoryLedger()
    found.append(events[0].id, 0, events)  # type: ignore[union-attr]
    return found


def head_of(ledger: DynamoLedger, request_id: str) -> str:
    return ledger.reading().streams[request_id].rows[-1].hash


def names(ledger: DynamoLedger) -> str:
    return " ".join(f"{key} {why}" for key, why in ledger.reading().refused)


# --- what is where --------------------------------------------------------------------------------------------------


def test_each_event_lies_with_its_author_and_the_log_has_what_was_decided(
    ledger: DynamoLedger, table: DynamoTable
) -> None:
    at = desk(ledger)
    asked = submit(at)
    assert ledger.head() == Head(0, "0" * 64, ledger.head().pending)
    assert len(ledger.head().pending) == 1
    approve(at, asked)
    ledger.append(asked.id, 2, (Applied(START),))
    assert sorted(rows.key_of(item)[0] for item in table.scan()) == sorted(
        [
            f"ask#{N}",
            f"decide#{S}",
            f"apply#{author_of(WORKER)}",
            f"id#{asked.id}",
            f"order#{N}",
            f"order#{N}",
            "log",
            "log",
            "log",
        ]
    )
    assert ledger.head().rows == 3
    assert ledger.head().pending == ()


def test_kinds_of_event_have_their_author() -> None:
    """A new kind is a reviewer's until it is named in one of the two lists; one that names nobody must be."""
    assert {"submitted", "withdrawn"} <= BY_REQUESTERS & set(KINDS)
    for kind, made in KINDS.items():
        callers = [field.name for field in dataclasses.fields(made) if field.type == "Caller"]
        assert len(callers) <= 1, f"{kind} names two: which of them wrote it?"
        if not callers:
            assert kind in BY_RECONCILERS, f"{kind} names nobody, so it has to be a reconciler's"
        if callers == ["reviewer"]:
            assert kind not in BY_REQUESTERS | BY_RECONCILERS


@pytest.mark.parametrize(
    "who", [Caller(SCIENTIST.arn, SCIENTIST.account), dataclasses.replace(SCIENTIST, user_id="AROAX:ann")]
)
def test_who_is_not_known_to_the_last_writes_nothing(ledger: DynamoLedger, who: Caller) -> None:
    with pytest.raises(LedgerUnavailable, match="user id"):
        submit(desk(ledger), requester=who)
    assert ledger.streams() == {}


def test_nobody_is_heard_out_of_place(ledger: DynamoLedger) -> None:
    at = desk(ledger)
    asked = submit(at)
    decided = approval(asked)
    for event in (
        dataclasses.replace(decided, reviewer=SCIENTIST),
        dataclasses.replace(decided, reviewer=session("notebooks", "alice")),
    ):
        with pytest.raises(Refused, match="not theirs"):
            ledger.append(asked.id, 1, (event,))
    with pytest.raises(Refused, match="not its own"):
        ledger.append("r-9", 0, (dataclasses.replace(asked.events[0], id="r-8"),))
    assert ledger.streams() == {asked.id: asked.events}


@pytest.mark.parametrize("request_id", ["r#1", "", "x" * 65, "r-1\n", "größe"])
def test_an_id_that_cannot_be_one(ledger: DynamoLedger, request_id: str) -> None:
    assert ledger.events(request_id) == ()
    with pytest.raises(LedgerUnavailable, match="cannot be the id"):
        ledger.append(request_id, 0, submit(desk()).events)


# --- what a requester can insert ------------------------------------------------------------------------------------


def test_a_submission_in_the_name_of_another_counts_for_nothing(
    ledger: DynamoLedger, table: DynamoTable
) -> None:
    other = dataclasses.replace(submit(desk()).events[0], id="r-9", requester=OTHER)
    row = event_row(f"ask#{N}", "r-9", 1, other, "0" * 64)
    put(table, row, rows.ClaimRow(*rows.claim_key("r-9"), owner=N, hash=row.hash, written=1))
    assert ledger.streams() == {}
    assert "it is forged" in names(ledger)
    with pytest.raises(LedgerUnavailable, match=r"forged.*training") as refused:
        desk(ledger).get("r-9")
    assert "audit-log verify" in refused.value.remedy


@pytest.mark.parametrize(
    "changed",
    [
        {"arn": "arn:aws:sts::111122223333:assumed-role/training/SageMaker"},
        {"arn": "arn:aws:sts::111122223333:assumed-role/notebooks/ann", "user_id": "AROAEXAMPLE:ann"},
        {"arn": "arn:aws:sts::444455556666:assumed-role/notebooks/SageMaker", "account": "444455556666"},
        {"user_id": "AROAOTHER:SageMaker"},
        {"user_id": ""},
        {"arn": "arn:aws:iam::111122223333:user/notebooks"},
    ],
)
def test_no_field_of_the_requester_can_be_another(
    ledger: DynamoLedger, table: DynamoTable, changed: dict[str, str]
) -> None:
    claimed = dataclasses.replace(SCIENTIST, **changed)
    event = dataclasses.replace(submit(desk()).events[0], id="r-9", requester=claimed)
    row = event_row(f"ask#{N}", "r-9", 1, event, "0" * 64)
    put(table, row, rows.ClaimRow(*rows.claim_key("r-9"), owner=N, hash=row.hash, written=1))
    assert ledger.streams() == {}


def test_an_approval_that_a_requester_inserted_counts_for_nothing(
    ledger: DynamoLedger, table: DynamoTable
) -> None:
    """By the requester in a reviewer's name, or their own; and the grant reaches no role."""
    at = desk(ledger)
    asked = submit(at)
    decided = approval(asked)
    for number, event in enumerate((decided, dataclasses.replace(decided, reviewer=SCIENTIST)), 2):
        row = event_row(f"ask#{N}", asked.id, number, event, head_of(ledger, asked.id), version=2)
        put(table, row, order(N, row))
    assert ledger.events(asked.id) == asked.events
    assert ledger.streams() == {asked.id: asked.events}
    assert names(ledger).count("forged") == 2 - 1
    assert "not theirs to write" in names(ledger)
    # Nor does it stand in the way of a real one.
    assert approve(at, asked).version == 2
    assert ledger.verify().rows == 2


def test_a_place_taken_with_nothing_behind_it_stops_nobody(ledger: DynamoLedger, table: DynamoTable) -> None:
    """A requester who takes places ahead, so that nobody could revoke."""
    at = desk(ledger)
    asked = submit(at)
    approve(at, asked)
    for slot in (3, 4, 5, 7, 999_999):
        put(table, rows.OrderRow(f"order#{N}", rows.sort_key(asked.id, slot), f"decide#{S}", "f" * 64))
    assert at.revoke(asked.id, STEWARD, "enough").version == 3
    assert [type(event).__name__ for event in ledger.events(asked.id)] == ["Submitted", "Approved", "Revoked"]
    assert ledger.verify().rows == 3
    assert names(ledger).count("not the next place") == 1
    assert names(ledger).count("not there") == 4


def test_history_is_not_rewritten_by_filling_a_place_afterwards(
    ledger: DynamoLedger, table: DynamoTable
) -> None:
    """A place taken before the approval, and its event put in after it, as if access had never been given."""
    at = desk(ledger)
    asked = submit(at)
    late = event_row(f"ask#{N}", asked.id, 2, Withdrawn(START, SCIENTIST), head_of(ledger, asked.id))
    put(table, order(N, late))
    approve(at, asked)
    put(table, late)
    assert [type(event).__name__ for event in ledger.events(asked.id)] == ["Submitted", "Approved"]
    assert ledger.verify().rows == 2
    assert "put in afterwards" in names(ledger)
    assert at.revoke(asked.id, STEWARD, "enough").version == 3


@pytest.mark.parametrize("version", [2, 3])
def test_a_decision_is_passed_over_by_nobody(ledger: DynamoLedger, table: DynamoTable, version: int) -> None:
    """Neither by its requester, who would rather have withdrawn, nor by another reviewer."""
    at = desk(ledger)
    asked = submit(at)
    before = head_of(ledger, asked.id)
    decided = approve(at, asked)
    bob = session("Stewards", "bob")
    for slot, (pk, event) in enumerate(
        [
            (f"ask#{N}", Withdrawn(START, SCIENTIST)),
            (f"decide#{author_of(bob)}", Rejected(START, bob, "no")),
        ],
        3,
    ):
        row = event_row(pk, asked.id, slot, event, before, version=version)
        put(table, row, order(N, row))
    assert ledger.events(asked.id) == decided.events
    assert names(ledger).count("does not follow") == 2
    assert ledger.verify().rows == 2


def test_a_row_that_counts_wrongly_does_not_follow(ledger: DynamoLedger, table: DynamoTable) -> None:
    asked = submit(desk(ledger))
    row = event_row(
        f"ask#{N}", asked.id, 2, Withdrawn(START, SCIENTIST), head_of(ledger, asked.id), version=3
    )
    put(table, row, order(N, row))
    assert ledger.events(asked.id) == asked.events
    assert "does not follow" in names(ledger)


def test_an_audit_row_is_there_once(ledger: DynamoLedger, table: DynamoTable) -> None:
    story(ledger)
    reading = ledger.reading()
    first, head = reading.log[0], reading.logged
    put(table, rows.LogRow(*rows.log_key(head.rows + 1), first.by, first.of, first.hash, head.hash))
    with pytest.raises(LedgerTampered, match="there twice"):
        ledger.verify()


class Committing:
    """A table in the moment in which a transaction commits: its place is seen, and its event not yet.

    Amazon DynamoDB Developer Guide, "DynamoDB transactions: how it works": reads of items are read-committed, and only
    TransactGetItems is serializable with a transaction as a whole. No stand-in shows that moment.
    """

    def __init__(self, table: DynamoTable, late: rows.Key) -> None:
        self._table, self._late = table, late

    def get(self, keys: Any) -> Any:
        return [item for item in self._table.get(keys) if rows.key_of(item) != self._late]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


@pytest.mark.parametrize("slot", [1, 2])
def test_what_is_being_committed_is_not_passed_over(
    ledger: DynamoLedger, table: DynamoTable, slot: int
) -> None:
    asked = submit(desk(ledger))
    decided = approval(asked)
    ledger.append(asked.id, 1, (Withdrawn(START, SCIENTIST),))
    seen = DynamoLedger(Committing(table, (f"ask#{N}", rows.sort_key(asked.id, slot))), lambda: WORKER)  # type: ignore[arg-type]
    with pytest.raises(LedgerConflict):
        seen.append(asked.id, 1, (decided,))
    assert [type(event).__name__ for event in ledger.events(asked.id)] == ["Submitted", "Withdrawn"]
    assert ledger.audit().uncounted == {}


def test_an_id_belongs_to_who_had_it_first(ledger: DynamoLedger, table: DynamoTable) -> None:
    asked = submit(desk(ledger))
    mine = dataclasses.replace(asked.events[0], requester=OTHER)
    row = event_row(f"ask#{author_of(OTHER)}", asked.id, 1, mine, "0" * 64)
    put(table, row)
    claim = rows.ClaimRow(*rows.claim_key(asked.id), owner=author_of(OTHER), hash=row.hash, written=1)
    assert table.insert([rows.item_of(claim)]) == "taken"
    later = event_row(f"ask#{author_of(OTHER)}", asked.id, 2, Withdrawn(START, OTHER), row.hash)
    put(table, later, order(author_of(OTHER), later))
    assert ledger.streams() == {asked.id: asked.events}
    assert "somebody else" in names(ledger)


def test_a_stranger_withdraws_nothing(ledger: DynamoLedger, table: DynamoTable) -> None:
    """Even where the order could be written: it is the author that counts."""
    asked = submit(desk(ledger))
    row = event_row(
        f"ask#{author_of(OTHER)}", asked.id, 2, Withdrawn(START, OTHER), head_of(ledger, asked.id)
    )
    put(table, row, order(N, row))
    assert ledger.events(asked.id) == asked.events
    assert "did not ask for it" in names(ledger)


HOSTILE: list[dict[str, Any]] = [
    {"role_arn": "no role"},
    {"role_arn": "arn:aws:iam::111122223333:user/ann"},
    {"reason": "x" * 3000},
    {"reason": "\x1b[2Jgone"},
    {"claimed_person": "a\u202eb"},
    {"kms_key_arn": "no key"},
    {"kms_key_arn": KEY, "region": "nowhere"},
    {"id": "r-1"},
    {"at": START + timedelta(microseconds=5)},
]


@pytest.mark.parametrize("changed", HOSTILE, ids=str)
def test_what_the_desk_would_have_refused_hides_nobody_elses(
    ledger: DynamoLedger, table: DynamoTable, changed: dict[str, Any]
) -> None:
    at = desk(ledger)
    asked = submit(at)
    event = dataclasses.replace(submit(desk()).events[0], **{"id": "r-9", **changed})
    row = event_row(f"ask#{N}", "r-9", 1, event, "0" * 64)
    if "at" in changed:
        row = dataclasses.replace(row, at="2026-01-01T00:00:00Z")
    put(table, row, rows.ClaimRow(*rows.claim_key("r-9"), owner=N, hash=row.hash, written=1))
    assert [request.id for request in at.requests()] == [asked.id]
    assert [request.id for request in at.inbox(STEWARD)] == [asked.id]
    assert "'r-9#000001'" in names(ledger)


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "[" * 100 + "]" * 100,
        '{"at":' + "9" * 5000 + "}",
        '{"at":"' + "x" * 70_000 + '"}',
        "[" * 5000,
        '{"at":1}',
        canonical_json({"at": "2026-11-23T17:00:00Z"}),
    ],
)
def test_nonsense_from_a_requester_hides_nobody_elses(
    ledger: DynamoLedger, table: DynamoTable, body: str
) -> None:
    asked = submit(desk(ledger))
    row = event_row(f"ask#{N}", "r-9", 1, asked.events[0], "0" * 64)
    row = dataclasses.replace(row, body=body)
    put(table, row, rows.ClaimRow(*rows.claim_key("r-9"), owner=N, hash=row.hash, written=1))
    put(table, dataclasses.replace(row, sk="r-8#000001", kind="gone-fishing"))
    put(table, rows.ClaimRow(*rows.claim_key("r-7"), owner="", hash="", written=-1))
    table.insert([{"pk": f"ask#{N}", "sk": "r-6#000001", "x": 1}])
    table.insert([{"pk": "id#r-5", "sk": "000001", "owner": 5}, {"pk": f"order#{N}", "sk": "r-5#000002"}])
    table.insert(
        [{"pk": "other", "sk": "thing"}, {"pk": f"order#{N}", "sk": "x"}, {"pk": "id#r-4", "sk": "2"}]
    )
    assert ledger.streams() == {asked.id: asked.events}
    assert ledger.verify() == ledger.head()
    for request_id in ("r-9", "r-7", "r-5"):
        with pytest.raises(LedgerUnavailable, match=f"{request_id} counts"):
            ledger.events(request_id)
        with pytest.raises(LedgerConflict):
            ledger.append(request_id, 0, (dataclasses.replace(asked.events[0], id=request_id),))
    assert len(ledger.reading().refused) >= 8


def test_impossible_events_of_a_requester_are_passed_over(ledger: DynamoLedger, table: DynamoTable) -> None:
    at = desk(ledger)
    asked = submit(at)
    approve(at, asked)
    row = event_row(f"ask#{N}", asked.id, 3, Withdrawn(START, SCIENTIST), head_of(ledger, asked.id))
    put(table, row, order(N, row))
    assert at.get(asked.id).version == 2
    assert "cannot have happened" in names(ledger)
    assert at.revoke(asked.id, STEWARD, "enough").version == 3


def test_a_requester_who_goes_on_and_on_is_heard_so_often(ledger: DynamoLedger, table: DynamoTable) -> None:
    from sm_access.access.events import NotProvable

    at = desk(ledger)
    asked = submit(at)
    approve(at, asked)
    ledger.append(asked.id, 2, (Applied(START),))
    after = head_of(ledger, asked.id)
    own = DynamoLedger(table, lambda: SCIENTIST)
    for number in range(MOST_ASKED):
        own.append(asked.id, 3 + number, (NotProvable(START, ()),))
    assert ledger.head().rows == 3
    assert len(ledger.head().pending) == MOST_ASKED
    assert after != head_of(ledger, asked.id)
    with pytest.raises(Refused, match="in a row"):
        own.append(asked.id, 3 + MOST_ASKED, (NotProvable(START, ()),))
    row = event_row(f"ask#{N}", asked.id, 44, NotProvable(START, ()), head_of(ledger, asked.id))
    put(table, row, order(N, row))
    assert at.get(asked.id).version == 3 + MOST_ASKED
    assert "one more than" in names(ledger)
    assert at.revoke(asked.id, STEWARD, "enough").version == 4 + MOST_ASKED
    assert ledger.verify().rows == 4 + MOST_ASKED


# --- what a reviewer can insert -------------------------------------------------------------------------------------


def test_a_reviewer_decides_in_no_other_reviewers_name(ledger: DynamoLedger, table: DynamoTable) -> None:
    asked = submit(desk(ledger))
    bob = session("Stewards", "bob")
    row = event_row(f"decide#{author_of(bob)}", asked.id, 2, approval(asked), head_of(ledger, asked.id))
    put(table, row, order(N, row))
    assert ledger.events(asked.id) == asked.events
    assert "forged" in names(ledger)


def test_a_reviewer_asks_in_nobodys_name(ledger: DynamoLedger, table: DynamoTable) -> None:
    """They may write into anybody's order, and into no requester's partition."""
    event = dataclasses.replace(submit(desk()).events[0], id="r-9")
    row = event_row(f"decide#{S}", "r-9", 1, event, "0" * 64)
    put(table, row, rows.ClaimRow(*rows.claim_key("r-9"), owner=N, hash=row.hash, written=1), order(N, row))
    assert ledger.streams() == {}


def test_a_reviewer_does_not_do_the_reconcilers_work(ledger: DynamoLedger, table: DynamoTable) -> None:
    at = desk(ledger)
    asked = submit(at)
    approve(at, asked)
    for slot, (shelf, event) in enumerate(
        [("decide", Applied(START)), ("apply", Revoked(START, STEWARD, "no")), ("stranger", Applied(START))],
        3,
    ):
        row = event_row(f"{shelf}#{S}", asked.id, slot, event, head_of(ledger, asked.id), version=3)
        put(table, row, order(N, row))
    assert ledger.reading().streams[asked.id].version == 2
    assert "not theirs" in names(ledger)
    assert "written where it cannot be" in names(ledger)


# --- what an administrator of the table can do ----------------------------------------------------------------------


def story(ledger: DynamoLedger) -> str:
    """Three access requests, one of them decided, applied and revoked: the id of that one."""
    clock = StoppedClock()
    at = desk(ledger, clock)
    first, second, _ = submit(at, key=KEY), submit(at), submit(at)
    approve(at, first)
    ledger.append(first.id, 2, (Applied(START),))
    approve(at, second)
    clock.forward(minutes=5)
    at.revoke(first.id, STEWARD, "enough")
    return first.id


def everything(table: DynamoTable) -> list[dict[str, Any]]:
    return sorted((dict(item) for item in table.scan()), key=rows.key_of)


def read(items: list[dict[str, Any]], noted: Head | None = None) -> Any:
    shelves = Shelves()
    shelves.add(items)
    reading = shelves.reading()
    reading.check(noted)
    return reading


def outcome(items: list[dict[str, Any]], noted: Head) -> Any:
    """What a reader comes to; None where it is refused as a whole."""
    try:
        found = read(items, noted)
    except LedgerUnavailable:
        return None
    return {request_id: stream.events for request_id, stream in found.streams.items()}, found.refused


@pytest.fixture(scope="module")
def told(root_aws: Aws) -> tuple[list[dict[str, Any]], Head]:
    from sm_access.stores.dynamodb_table import table_parameters

    root_aws.client("dynamodb").create_table(**table_parameters("sm-access-test-told"))
    table = DynamoTable(root_aws, "sm-access-test-told")
    ledger = DynamoLedger(table, lambda: WORKER)
    story(ledger)
    return everything(table), ledger.head()


def test_nothing_was_tampered_with(told: tuple[list[dict[str, Any]], Head]) -> None:
    items, noted = told
    found = read(items, noted)
    assert found.head() == noted
    assert found.refused == ()


def test_each_field_of_each_row_matters(told: tuple[list[dict[str, Any]], Head]) -> None:
    """Every one changed, to another value of its kind: refused as a whole, against a head noted elsewhere.

    `written`, by which submissions are sorted for the eye and nothing else, is the one that does not.
    """
    items, noted = told
    for number, item in enumerate(items):
        for name, value in item.items():
            changed = copy.deepcopy(items)
            changed[number][name] = value + 1 if isinstance(value, int) else _other(value)
            if name == "written":
                assert outcome(changed, noted) is not None
            else:
                assert outcome(changed, noted) is None, f"{name} of {rows.key_of(item)}"


def _other(text: str) -> str:
    """As long, of the same characters, and different in the last one that can be."""
    last = text[-1]
    return text[:-1] + ("0" if last != "0" else "1")


def test_each_field_of_each_event_matters(told: tuple[list[dict[str, Any]], Head]) -> None:
    """Within an event's body, all the way down: also what STS said of who did it."""
    items, noted = told
    seen = set()
    for number, item in enumerate(items):
        if "body" not in item:
            continue
        body = json.loads(item["body"])
        for path in _paths(body):
            changed = copy.deepcopy(items)
            changed[number]["body"] = canonical_json(_set(copy.deepcopy(body), path))
            assert outcome(changed, noted) is None, f"{path} of {item['kind']}"
            seen.add((item["kind"], *path[:2]))
    assert {("submitted", "requester", name) for name in ("arn", "account", "user_id")} <= seen
    assert {("approved", "reviewer", name) for name in ("arn", "account", "user_id")} <= seen


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for name in value for found in _paths(value[name], (*path, name))]
    if isinstance(value, list):
        return [found for number in range(len(value)) for found in _paths(value[number], (*path, number))]
    return [path]


def _set(body: Any, path: tuple[Any, ...]) -> Any:
    place = body
    for step in path[:-1]:
        place = place[step]
    value = place[path[-1]]
    place[path[-1]] = value + 1 if isinstance(value, int) else f"{value}0" if value is not None else "0"
    return body


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_tampering_is_caught(told: tuple[list[dict[str, Any]], Head], data: st.DataObject) -> None:
    """Rows dropped, swapped, put in once more under another key, or cut off at the end: refused as a whole."""
    items, noted = copy.deepcopy(told[0]), told[1]
    how = data.draw(st.sampled_from(["drop", "drop several", "swap", "copy", "move", "cut"]))
    places = st.integers(0, len(items) - 1)
    one, two = data.draw(places), data.draw(places)
    if how == "drop":
        del items[one]
    elif how == "drop several":
        gone = data.draw(st.sets(places, min_size=1))
        items = [item for number, item in enumerate(items) if number not in gone]
    elif how in {"swap", "move"}:
        first, second = rows.key_of(items[one]), rows.key_of(items[two])
        if first == second:
            return
        items[one] = {**items[one], "pk": second[0], "sk": second[1]}
        if how == "swap":
            items[two] = {**items[two], "pk": first[0], "sk": first[1]}
        else:
            del items[two]
    elif how == "copy":
        # A row more is nobody's, and counts for nothing; in the log it is a row that does not follow.
        added = {**items[one], "sk": data.draw(st.sampled_from(["r-9#000001", "000000000099", "x"]))}
        before = outcome(told[0], noted)
        after = outcome([*items, added], noted)
        assert after is None or (after[0] == before[0] and after[1])
        return
    else:
        kept = data.draw(st.integers(0, noted.rows - 1))
        items = _cut(items, kept)
        found = outcome(items, noted)
        assert found is None
        return
    assert outcome(items, noted) is None


def _cut(items: list[dict[str, Any]], kept: int) -> list[dict[str, Any]]:
    """The ledger as it was when its log had so many rows: every trace of what came after is gone."""
    log = sorted((item for item in items if item["pk"] == "log"), key=rows.key_of)
    gone = {(item["by"], item["of"]) for item in log[kept:]}
    left = []
    for item in items:
        key = rows.key_of(item)
        late = key in gone or (item["pk"] == "log" and int(item["sk"]) > kept)
        late = late or (item["pk"].startswith("order#") and (item["by"], item["sk"]) in gone)
        late = late or (item["pk"].startswith("id#") and (f"ask#{N}", f"{item['pk'][3:]}#000001") in gone)
        if not late:
            left.append(item)
    return left


def test_whoever_also_works_out_the_hashes_is_caught_by_a_head_noted_elsewhere(
    told: tuple[list[dict[str, Any]], Head],
) -> None:
    """The whole ledger written anew, one reason changed: sound in itself, and not the one that was noted."""
    items, noted = told
    found = read(items)
    made: list[Item] = []
    head = Head(0, "0" * 64)
    for stream in found.streams.values():
        events = (dataclasses.replace(stream.events[0], reason="another"), *stream.events[1:])
        addition = addition_to(None, stream.request_id, events, author_of(WORKER))
        inserted = addition.inserts(1, head if addition.logged else None)
        made += [rows.item_of(row) for row in inserted]
        logged = [row for row in inserted if isinstance(row, rows.LogRow)]
        if logged:
            head = Head(logged[-1].position, logged[-1].chained)
    forged = [dict(item) for item in made]
    assert set(read(forged).streams) == set(found.streams)
    assert outcome(forged, noted) is None


TAMPERED: dict[str, Callable[[Any, str], None]] = {
    "an approval's end moved": lambda raw, name: _update(
        raw, name, "decide#", "body", ("ends_at", "2027-01-01T00:00:00Z")
    ),
    "an approval's reviewer": lambda raw, name: _update(raw, name, "decide#", "kind", None),
    "an approval dropped": lambda raw, name: _drop(raw, name, "decide#"),
    "a submission's bucket": lambda raw, name: _update(raw, name, "ask#", "version", None),
    "a place dropped": lambda raw, name: _drop(raw, name, "order#"),
    "the log's end cut off": lambda raw, name: _drop(raw, name, "log", last=True),
    "the log's start": lambda raw, name: _drop(raw, name, "log"),
}


def _found(raw: Any, name: str, begins: str) -> list[Any]:
    items = [item for item in raw.scan(TableName=name)["Items"] if item["pk"]["S"].startswith(begins)]
    return sorted(items, key=lambda item: item["sk"]["S"])


def _drop(raw: Any, name: str, begins: str, *, last: bool = False) -> None:
    item = _found(raw, name, begins)[-1 if last else 0]
    raw.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})


def _update(raw: Any, name: str, begins: str, field: str, change: tuple[str, str] | None) -> None:
    item = _found(raw, name, begins)[0]
    if change is None:
        item[field] = {"S": "rejected"} if "S" in item[field] else {"N": "7"}
    else:
        body = json.loads(item[field]["S"])
        item[field] = {"S": canonical_json({**body, change[0]: change[1]})}
    raw.put_item(TableName=name, Item=item)


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_tampered_with_is_seen_and_nothing_is_applied_from_it(
    ledger: DynamoLedger, raw: Any, new_table: str, how: str
) -> None:
    story(ledger)
    TAMPERED[how](raw, new_table)
    for use in (
        ledger.verify,
        ledger.streams,
        ledger.requests,
        lambda: Reconciler(ledger, None, StoppedClock(), rules()).reconcile(ROLE),  # type: ignore[arg-type]
    ):
        with pytest.raises(LedgerUnavailable, match=r"row|changed") as refused:
            use()
        assert "backup" in refused.value.remedy


def test_a_changed_decision_is_seen_when_its_stream_is_read_alone(
    ledger: DynamoLedger, raw: Any, new_table: str
) -> None:
    first = story(ledger)
    TAMPERED["an approval's end moved"](raw, new_table)
    with pytest.raises(LedgerUnavailable, match="changed after it was written"):
        ledger.events(first)


def test_what_only_was_asked_is_kept_by_a_noted_head_as_well(
    ledger: DynamoLedger, raw: Any, new_table: str
) -> None:
    submit(desk(ledger))
    noted = ledger.head()
    for begins in ("ask#", "id#"):
        _drop(raw, new_table, begins)
    assert ledger.streams() == {}
    with pytest.raises(LedgerUnavailable, match="noted earlier"):
        ledger.verify(noted)


# --- reading while others write -------------------------------------------------------------------------------------


class Torn:
    """A table of which a scan sees only part, as if the rest had been written just behind it."""

    def __init__(self, table: DynamoTable, hidden: Callable[[Item], bool]) -> None:
        self._table, self._hidden = table, hidden

    def scan(self) -> Any:
        return (item for item in self._table.scan() if not self._hidden(item))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


@pytest.mark.parametrize("begins", ["ask#", "decide#", "apply#", "order#", "log", "id#"])
def test_a_scan_that_saw_half_of_a_transaction_reads_the_other_half(
    ledger: DynamoLedger, table: DynamoTable, begins: str
) -> None:
    story(ledger)
    whole = ledger.streams()
    for place in itertools.count():
        partition = [item for item in everything(table) if str(item["pk"]).startswith(begins)]
        if place == len(partition):
            break
        gone = rows.key_of(partition[place])
        torn = DynamoLedger(Torn(table, lambda item, gone=gone: rows.key_of(item) == gone), lambda: WORKER)  # type: ignore[misc]
        assert torn.streams() == whole, gone
    torn = DynamoLedger(Torn(table, lambda item: str(item["pk"]).startswith(begins)), lambda: WORKER)
    # All of one kind unseen: for claims there is nothing left that names an undecided request.
    assert set(torn.streams()) <= set(whole)


def test_a_ledger_of_many_pages(root_aws: Aws, new_table: str, dynamo: DynamoLedger) -> None:
    paged = DynamoLedger(DynamoTable(root_aws, new_table, page=3), lambda: WORKER)
    first = story(paged)
    at = dynamo
    assert paged.streams() == at.streams()
    assert paged.events(first) == at.events(first)
    assert paged.verify() == at.verify()
    assert len(at.streams()) == 3


def test_a_ledger_of_more_than_a_megabyte(ledger: DynamoLedger, table: DynamoTable, raw: Any) -> None:
    """DynamoDB's own pages: a scan answers at most 1 MB at a time."""
    event = dataclasses.replace(submit(desk()).events[0], reason="x" * 2000, claimed_person="y" * 2000)
    made: list[Item] = []
    for number in range(300):
        named = (dataclasses.replace(event, id=f"r-x{number}"),)
        inserts = addition_to(None, f"r-x{number}", named, None).inserts(number, None)
        made += [rows.item_of(row) for row in inserts]
    for start in range(0, len(made), 100):
        assert table.insert(made[start : start + 100]) == "done"
    assert "LastEvaluatedKey" in raw.scan(TableName=table.name)
    assert list(ledger.streams()) == [f"r-x{number}" for number in range(300)]
    assert len(ledger.verify().pending) == 300


# --- places that are filled afterwards ------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["revoked", "applied"])
def test_a_place_that_is_filled_afterwards_undoes_no_decision(
    ledger: DynamoLedger, table: DynamoTable, end: str
) -> None:
    """A place is taken for an event that is not there yet, and the next for one that is; a decision follows on
    the second, and then the first is filled."""
    clock = StoppedClock()
    at = desk(ledger, clock)
    asked = submit(at)
    approve(at, asked)
    ledger.append(asked.id, 2, (Applied(START),))
    head = head_of(ledger, asked.id)
    hole = event_row(f"ask#{N}", asked.id, 4, NotProvable(START, ()), head)
    sound = event_row(f"ask#{N}", asked.id, 5, NotProvable(START + MINUTE, ()), head, version=4)
    put(table, order(N, hole))
    put(table, sound, order(N, sound))
    clock.forward(minutes=5)
    if end == "revoked":
        at.revoke(asked.id, STEWARD, "left the team")
    else:
        clock.forward(days=8)
        ledger.append(asked.id, 4, (Collected(clock.at),))
    decided = at.get(asked.id)
    put(table, hole)
    assert at.get(asked.id) == decided
    assert "it was put in afterwards" in names(ledger)
    ledger.verify()
    Reconciler(ledger, Roles(), clock, rules()).reconcile(ROLE)
    assert at.get(asked.id).events[: decided.version] == decided.events
