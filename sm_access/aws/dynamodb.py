"""One DynamoDB table with the keys `pk` and `sk`, for a ledger in it: inserts, and consistent reads to the end."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from botocore.exceptions import ClientError

from sm_access.aws.session import Aws, error_code, told
from sm_access.errors import AccessDenied, CannotTell, LedgerUnavailable, NotSupportedHere

Item = Mapping[str, str | int]
Inserted = Literal["done", "taken", "busy"]

BUSY = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    }
)
"""Amazon DynamoDB API Reference, TransactionCanceledException and "Common errors": what passes."""

_KEYS_AT_ONCE = 100
"""Amazon DynamoDB API Reference, BatchGetItem."""

_ROUNDS = 8


class DynamoTable:
    """A table by its name. Nothing is called before it is used.

    page: how many items a page may have, for tests of paging; None: as many as DynamoDB gives.
    """

    def __init__(self, aws: Aws, name: str, region: str | None = None, *, page: int | None = None) -> None:
        self._aws = aws
        self._name = name
        self._region = region
        self._page = {"Limit": page} if page is not None else {}

    @property
    def name(self) -> str:
        return self._name

    def insert(self, items: Sequence[Item]) -> Inserted:
        """All or none. A client request token of the SDK makes a second attempt of the same call the same call."""
        statements = [self._statement(item) for item in items]
        with self._told("inserting into"):
            try:
                self._client.execute_transaction(TransactStatements=statements)
            except ClientError as error:
                if error_code(error) not in BUSY | {"TransactionCanceledException"}:
                    raise
                return self._cancelled(error)
        return "done"

    def get(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        found: list[Item] = []
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            wanted = [
                {"pk": {"S": pk}, "sk": {"S": sk}}
                for pk, sk in keys[start : start + _KEYS_AT_ONCE]
                if pk and sk
            ]
            found += self._get(wanted)
        return found

    def settled(self, keys: Sequence[tuple[str, str]]) -> list[Item]:
        """As `get`, but serializable with transactions (Amazon DynamoDB Developer Guide, "DynamoDB transactions: how it
        works", isolation levels), at twice the price."""
        found: list[Item] = []
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            wanted = [
                {"pk": {"S": pk}, "sk": {"S": sk}}
                for pk, sk in keys[start : start + _KEYS_AT_ONCE]
                if pk and sk
            ]
            if wanted:
                found += self._settled(wanted)
        return found

    def query(self, pk: str, begins_with: str = "") -> list[Item]:
        condition, values = "pk = :pk", {":pk": {"S": pk}}
        if begins_with:
            condition += " AND begins_with(sk, :sk)"
            values[":sk"] = {"S": begins_with}
        return list(self._pages("query", KeyConditionExpression=condition, ExpressionAttributeValues=values))

    def last(self, pk: str) -> Item | None:
        with self._told("reading"):
            answer = self._client.query(
                TableName=self._name,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": pk}},
                ScanIndexForward=False,
                Limit=1,
            )
        return next(iter(self._items(answer)), None)

    def scan(self) -> Iterator[Item]:
        return self._pages("scan")

    def _pages(self, call: str, **what: Any) -> Iterator[Item]:
        start: dict[str, Any] = {}
        while True:
            with self._told("reading"):
                answer = getattr(self._client, call)(
                    TableName=self._name, ConsistentRead=True, **what, **self._page, **start
                )
            yield from self._items(answer)
            if not answer.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _get(self, wanted: list[dict[str, Any]]) -> Iterator[Item]:
        for attempt in range(_ROUNDS):
            if not wanted:
                return
            if attempt:
                time.sleep(random.uniform(0.01, 0.05 * 2**attempt))  # noqa: S311
            with self._told("reading"):
                answer = self._client.batch_get_item(
                    RequestItems={self._name: {"Keys": wanted, "ConsistentRead": True}}
                )
            yield from map(_plain, self._part(answer, "Responses").get(self._name, []))
            wanted = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
        if wanted:
            raise CannotTell(
                f"DynamoDB answered for part of what was asked of the table {self._name}.",
                remedy="It is throttled: try again in a moment.",
            )

    def _settled(self, wanted: list[dict[str, Any]]) -> list[Item]:
        for attempt in range(_ROUNDS):
            if attempt:
                time.sleep(random.uniform(0.01, 0.05 * 2**attempt))  # noqa: S311
            with self._told("reading"):
                try:
                    answer = self._client.transact_get_items(
                        TransactItems=[{"Get": {"TableName": self._name, "Key": key}} for key in wanted]
                    )
                except ClientError as error:
                    if error_code(error) not in BUSY | {"TransactionCanceledException"}:
                        raise
                    if self._cancelled(error) == "busy":
                        continue
                    raise
            return [_plain(item["Item"]) for item in self._part(answer, "Responses") if item.get("Item")]
        raise CannotTell(
            f"Others kept writing what was to be read in the table {self._name}.",
            remedy="Try again in a moment.",
        )

    def _items(self, answer: Mapping[str, Any]) -> list[Item]:
        return [_plain(item) for item in self._part(answer, "Items")]

    def _part(self, answer: Mapping[str, Any], name: str) -> Any:
        if name not in answer:
            raise NotSupportedHere(
                f"The endpoint did not answer in DynamoDB's language when the table {self._name} was read.",
                remedy="Correct AWS_ENDPOINT_URL_DYNAMODB, or unset it.",
            )
        return answer[name]

    def _cancelled(self, error: ClientError) -> Inserted:
        """What a transaction that was not carried out comes to. Raises AccessDenied, CannotTell."""
        if error_code(error) in BUSY:
            return "busy"
        codes = {
            str(reason.get("Code", "None")) for reason in error.response.get("CancellationReasons", [])
        } - {"None"}
        if codes & {"DuplicateItem", "DuplicateItemException", "ConditionalCheckFailed"}:
            return "taken"
        if codes and codes <= BUSY:
            return "busy"
        if any("AccessDenied" in code for code in codes):
            raise AccessDenied(
                f"AWS denied a transaction on the table {self._name}.",
                remedy="This role may not do that there: see the ledger's roles in docs/security.md.",
            )
        raise CannotTell(
            f"DynamoDB cancelled a transaction on the table {self._name}: {', '.join(sorted(codes)) or 'no reason'}.",
            remedy="Nothing was written. Try again.",
        )

    def _statement(self, item: Item) -> dict[str, Any]:
        fields = ", ".join(f"'{name}': ?" for name in item)
        return {
            "Statement": f'INSERT INTO "{self._name}" VALUE {{{fields}}}',
            "Parameters": [
                {"N": str(value)} if isinstance(value, int) else {"S": value} for value in item.values()
            ],
        }

    @property
    def _client(self) -> Any:
        return self._aws.client("dynamodb", self._region)

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        with told(f"{doing} the table {self._name}"):
            try:
                yield
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                # INVARIANT: nothing of botocore's is chained to what is raised; see `told`.
                raise LedgerUnavailable(
                    f"There is no table {self._name} in {self._region or self._aws.region or 'this Region'}.",
                    remedy="Correct the setting `ledger`, or have the table made: docs/install.md.",
                ) from None


def _plain(item: Mapping[str, Mapping[str, Any]]) -> Item:
    """Texts and whole numbers as they are; everything else as a text that is no row's."""
    plain: dict[str, str | int] = {}
    for name, typed in item.items():
        ((kind, value),) = typed.items()
        if kind == "S":
            plain[name] = str(value)
        elif kind == "N" and str(value).lstrip("-").isdecimal():
            plain[name] = int(value)
        else:
            plain[name] = f"{kind}: not a text"
    return plain
