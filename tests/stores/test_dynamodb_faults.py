"""Bad days of DynamoDB: every one is an error that says what to do, in bounded time, and nothing is half read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from doubles import START, approve, desk, session, submit
from dynamodb_server import DynamoServer, failing

from sm_access.access.events import Applied
from sm_access.aws import dynamodb as table_calls
from sm_access.aws.dynamodb import DynamoTable
from sm_access.aws.session import Aws
from sm_access.errors import LedgerConflict, LedgerUnavailable, SmAccessError
from sm_access.stores import DynamoLedger

WORKER = session("Reconciler", "nightly")
ID = "r-00000001"
EVENTS = approve(AT := desk(), submit(AT)).events


class Hurried:
    """`time` for whoever waits before asking again."""

    time = staticmethod(time.time)

    @staticmethod
    def sleep(_: float) -> None:
        pass


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[DynamoLedger, DynamoServer]]]:
    """`served(answer)`: a ledger whose DynamoDB answers so."""
    running: list[DynamoServer] = []
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr("botocore.endpoint.time", Hurried)
    monkeypatch.setattr(table_calls, "time", Hurried)

    def serve(answer: Any, **options: Any) -> tuple[DynamoLedger, DynamoServer]:
        server = DynamoServer(answer)
        server.__enter__()
        running.append(server)
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
        made = boto3.Session("AKIAX", "canary-secret", region_name="eu-central-1")
        table = DynamoTable(Aws(made, timeout_seconds=0.3), "team")
        return DynamoLedger(table, lambda: WORKER, **options), server

    yield serve
    for server in running:
        server.__exit__()


def uses(ledger: DynamoLedger) -> list[Callable[[], Any]]:
    return [
        ledger.streams,
        ledger.requests,
        ledger.verify,
        ledger.head,
        ledger.audit,
        lambda: ledger.events("r-1"),
        lambda: ledger.append(ID, 0, EVENTS),
    ]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ResourceNotFoundException", "no table team in eu-central-1"),
        ("AccessDeniedException", "denied"),
        ("ThrottlingException", "ThrottlingException"),
        ("ProvisionedThroughputExceededException", "ProvisionedThroughputExceeded"),
        ("ExpiredTokenException", "expired"),
        ("UnrecognizedClientException", "does not know"),
        ("InternalServerError", "500"),
        ("ValidationException", "ValidationException"),
    ],
)
def test_what_dynamodb_refuses(served: Any, code: str, words: str) -> None:
    status = 500 if code == "InternalServerError" else 400
    ledger, _ = served(lambda *_: failing(code, status))
    for use in uses(ledger):
        with pytest.raises(LedgerUnavailable, match=words) as refused:
            use()
        assert refused.value.remedy
        assert "canary-secret" not in repr(refused.value.__cause__) + repr(refused.value)


@pytest.mark.timeout(30)
def test_one_that_never_answers(served: Any) -> None:
    ledger, server = served(lambda *_: None)
    began = time.monotonic()
    with pytest.raises(LedgerUnavailable, match="did not answer"):
        ledger.events("r-1")
    assert time.monotonic() - began < 15
    assert len(server.calls) == 3


def test_one_that_is_not_dynamodb(served: Any) -> None:
    ledger, _ = served(lambda *_: (200, {"hello": "world"}))
    for use in uses(ledger)[:-1]:
        with pytest.raises(LedgerUnavailable, match="language"):
            use()


def test_a_read_that_breaks_off_on_its_second_page_is_no_read(served: Any) -> None:
    """A ledger of which part cannot be read is not a smaller ledger."""
    pages = iter(range(100))

    def answer(operation: str, body: dict[str, Any]) -> Any:
        if operation != "Scan":
            return 200, {"Responses": {}}
        if next(pages) == 0:
            assert body["ConsistentRead"] is True
            return 200, {"Items": [], "LastEvaluatedKey": {"pk": {"S": "a"}, "sk": {"S": "b"}}}
        assert body["ExclusiveStartKey"] == {"pk": {"S": "a"}, "sk": {"S": "b"}}
        return failing("AccessDeniedException")

    ledger, _ = served(answer)
    with pytest.raises(LedgerUnavailable, match="denied"):
        ledger.streams()


def test_items_that_are_handed_back_unread_are_asked_for_again(served: Any) -> None:
    asked: list[int] = []

    def answer(operation: str, body: dict[str, Any]) -> Any:
        keys = body["RequestItems"]["team"]["Keys"]
        assert body["RequestItems"]["team"]["ConsistentRead"] is True
        asked.append(len(keys))
        unread = {"team": {"Keys": keys[1:], "ConsistentRead": True}} if len(keys) > 1 else {}
        return 200, {"Responses": {"team": [{**keys[0], "x": {"S": "y"}}]}, "UnprocessedKeys": unread}

    served(answer)
    made = boto3.Session("AKIAX", "x", region_name="eu-central-1")
    table = DynamoTable(Aws(made), "team")
    assert len(table.get([("a", str(number)) for number in range(3)])) == 3
    assert asked == [3, 2, 1]
    assert len(table.get([("a", "x")])) == 1
    with pytest.raises(SmAccessError, match="part of what was asked"):
        table.get([("a", str(number)) for number in range(50)])


def test_a_settled_read_waits_for_those_who_write(served: Any) -> None:
    conflict = failing("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
    left = [conflict, failing("TransactionConflictException")]

    def answer(operation: str, body: dict[str, Any]) -> Any:
        assert operation == "TransactGetItems"
        if left:
            return left.pop()
        found = [{"Item": item["Get"]["Key"]} for item in body["TransactItems"][1:]]
        return 200, {"Responses": [{}, *found]}

    served(answer)
    table = DynamoTable(Aws(boto3.Session("AKIAX", "x", region_name="eu-central-1")), "team")
    assert table.settled([("a", "1"), ("", "2"), ("b", "2")]) == [{"pk": "b", "sk": "2"}]
    assert table.settled([]) == []


@pytest.mark.parametrize(
    ("codes", "words"),
    [(["TransactionConflict"], "kept writing"), (["AccessDenied"], "denied"), (["Odd"], "Odd")],
)
def test_a_settled_read_that_never_settles(served: Any, codes: list[str], words: str) -> None:
    served(
        lambda *_: failing(
            "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes]
        )
    )
    table = DynamoTable(Aws(boto3.Session("AKIAX", "x", region_name="eu-central-1")), "team")
    with pytest.raises(SmAccessError, match=words):
        table.settled([("a", "1")])


def test_many_keys_go_in_batches(served: Any) -> None:
    sizes: list[int] = []

    def answer(operation: str, body: dict[str, Any]) -> Any:
        sizes.append(len(body["RequestItems"]["team"]["Keys"]))
        return 200, {"Responses": {"team": []}, "UnprocessedKeys": {}}

    served(answer)
    table = DynamoTable(Aws(boto3.Session("AKIAX", "x", region_name="eu-central-1")), "team")
    assert table.get([("a", str(number)) for number in range(250)]) == []
    assert sizes == [100, 100, 50]
    assert table.get([("", "x"), ("x", "")]) == []
    assert sizes == [100, 100, 50]


def empty(operation: str) -> Any:
    return (
        (200, {"Responses": {}, "UnprocessedKeys": {}})
        if operation == "BatchGetItem"
        else (200, {"Items": []})
    )


def test_a_transaction_among_others_is_tried_again(served: Any) -> None:
    left = [
        failing(
            "TransactionCanceledException",
            CancellationReasons=[{"Code": "None"}, {"Code": "TransactionConflict"}],
        ),
        failing("TransactionInProgressException"),
        failing("TransactionCanceledException", CancellationReasons=[{"Code": "ThrottlingError"}]),
        failing(
            "TransactionCanceledException", CancellationReasons=[{"Code": "DuplicateItem"}, {"Code": "None"}]
        ),
        (200, {"Responses": []}),
    ]

    def answer(operation: str, body: dict[str, Any]) -> Any:
        return left.pop(0) if operation == "ExecuteTransaction" else empty(operation)

    ledger, server = served(answer)
    ledger.append(ID, 0, EVENTS)
    assert left == []
    tokens = [body["ClientRequestToken"] for body in server.bodies if "TransactStatements" in body]
    assert (len(tokens), len(set(tokens))) == (5, 4)  # the SDK itself goes on with one that is in progress


def test_others_that_never_stop_are_not_waited_for_for_ever(served: Any) -> None:
    busy = failing("TransactionCanceledException", CancellationReasons=[{"Code": "TransactionConflict"}])
    ledger, _ = served(
        lambda operation, _: busy if operation == "ExecuteTransaction" else empty(operation), busy_seconds=0.2
    )
    with pytest.raises(LedgerUnavailable, match="kept writing") as refused:
        ledger.append(ID, 0, EVENTS)
    assert "Try again" in refused.value.remedy


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        (["None", "AccessDenied"], "denied a transaction"),
        (["ValidationError"], "ValidationError"),
        ([], "no reason"),
        (["ItemCollectionSizeLimitExceeded", "TransactionConflict"], "ItemCollectionSizeLimitExceeded"),
    ],
)
def test_a_transaction_that_was_cancelled_for_good(served: Any, codes: list[str], words: str) -> None:
    cancelled = failing(
        "TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes]
    )
    ledger, server = served(
        lambda operation, _: cancelled if operation == "ExecuteTransaction" else empty(operation)
    )
    with pytest.raises(LedgerUnavailable, match=words):
        ledger.append(ID, 0, EVENTS)
    assert server.calls.count("ExecuteTransaction") == 1


def test_an_answer_that_was_lost_is_not_taken_for_somebody_elses_write(served: Any) -> None:
    """The SDK asks again with the same token, for which DynamoDB answers as it did the first time."""
    seen: list[str] = []

    def answer(operation: str, body: dict[str, Any]) -> Any:
        if operation != "ExecuteTransaction":
            return empty(operation)
        seen.append(body["ClientRequestToken"])
        return failing("InternalServerError", 500) if len(seen) == 1 else (200, {"Responses": []})

    ledger, _ = served(answer)
    ledger.append(ID, 0, EVENTS)
    assert len(seen) == 2
    assert len(set(seen)) == 1


def test_who_writes_is_asked_once_and_only_for_what_names_nobody(
    dynamo: DynamoLedger, table: DynamoTable
) -> None:
    asked: list[int] = []

    def writer() -> Any:
        asked.append(1)
        return WORKER

    ledger = DynamoLedger(table, writer)
    at = desk(ledger)
    approve(at, submit(at))
    assert asked == []
    ledger.append("r-00000001", 2, (Applied(START),))
    with pytest.raises(LedgerConflict):
        ledger.append("r-00000001", 2, (Applied(START),))
    assert asked == [1]


def test_a_number_or_a_list_in_a_text_is_no_text(
    dynamo: DynamoLedger, table: DynamoTable, root_aws: Aws
) -> None:
    root_aws.client("dynamodb").put_item(
        TableName=table.name,
        Item={
            "pk": {"S": "ask#x"},
            "sk": {"S": "r-1#000001"},
            "a": {"L": []},
            "b": {"N": "1.5"},
            "c": {"NULL": True},
        },
    )
    (item,) = table.scan()
    assert item["a"] == "L: not a text"
    assert item["b"] == "N: not a text"
    assert dynamo.streams() == {}
    assert len(dynamo.audit().uncounted) == 1
