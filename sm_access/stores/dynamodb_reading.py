"""All of a DynamoDB ledger, put together from items that were read one after the other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from sm_access.access.audit_trail import Authorship, Entry, Head, in_order
from sm_access.stores.chain import START, broken
from sm_access.stores.dynamodb_rows import (
    APPLY,
    ASK,
    CLAIM,
    DECIDE,
    FIRST,
    LOG,
    ORDER,
    SORT_KEY,
    Item,
    Key,
    LogRow,
    author_in,
    claim_key,
    key_of,
    log_key,
    partition_kind,
    principal_in,
    read_row,
    sort_key,
)
from sm_access.stores.dynamodb_stream import Stream, read_stream

_NEAR = 200
"""How far places may be apart for those in between to be looked for."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All of the ledger: its streams in order of submission, its log, and what counts for nothing."""

    streams: Mapping[str, Stream]
    log: tuple[LogRow, ...]
    refused: tuple[tuple[Key, str], ...]

    @property
    def logged(self) -> Head:
        """Of the log."""
        return Head(self.log[-1].position, self.log[-1].chained) if self.log else Head(0, START)

    def head(self) -> Head:
        """Of the log, and what is not in it yet."""
        written = {(row.by, row.of) for row in self.log}
        pending = sorted(
            (row.pk, row.sk, row.hash)
            for stream in self.streams.values()
            for row in stream.rows
            if row.key not in written
        )
        return Head(*_two(self.logged), pending=tuple(pending))

    def entries(self) -> tuple[Entry, ...]:
        """Everything that counts, for an auditor."""
        positions = {(row.by, row.of): row.position for row in self.log}
        return in_order(
            Entry(
                request_id=stream.request_id,
                version=row.version,
                kind=row.kind,
                event=event,
                author=principal_in(row.author),
                user_id=row.author.partition("#")[2],
                authorship=Authorship.PROVEN,
                position=positions.get(row.key),
                hash=row.hash,
            )
            for stream in self.streams.values()
            for row, event in zip(stream.rows, stream.events, strict=True)
        )

    def check(self, noted: Head | None = None) -> None:
        """That the log follows on itself and every row of it is there; and holds a head noted earlier.

        Raises LedgerTampered, naming the first row that is wrong.
        """
        rows = {row.key: row for stream in self.streams.values() for row in stream.rows}
        judged = {key for stream in self.streams.values() for key in stream.judged}
        head, seen = Head(0, START), set[Key]()
        hashes = {0: START}
        for logged in self.log:
            key = (logged.by, logged.of)
            if logged.position != head.rows + 1 or logged.prev_hash != head.hash:
                raise broken(f"audit row {head.rows + 1} does not follow on the row before it")
            if key in seen:
                raise broken(f"audit row {logged.position} is there twice")
            if key not in judged and (key not in rows or rows[key].hash != logged.hash):
                what = f"{logged.of} of {author_in(logged.by)}"
                raise broken(f"audit row {logged.position} is about {what}, which was changed or is missing")
            seen.add(key)
            head = Head(logged.position, logged.chained)
            hashes[head.rows] = head.hash
        lost = [row for row in rows.values() if not row.asked and row.key not in seen]
        if lost:
            raise broken(f"{lost[0].sk} of {lost[0].author} has no audit row")
        if noted is None:
            return
        if hashes.get(noted.rows) != noted.hash:
            raise broken(f"row {noted.rows} of a head noted earlier is missing or another one")
        for pk, sk, digest in noted.pending:
            if (pk, sk) not in rows or rows[pk, sk].hash != digest:
                raise broken(f"row {sk} of {author_in(pk)}, noted earlier, is missing or another one")


def _two(head: Head) -> tuple[int, str]:
    return head.rows, head.hash


@dataclass(slots=True)
class Shelves:
    """Items of the table as they come in, sorted. A scan is not of one moment: `missing` names what to read again."""

    claims: dict[str, Item] = field(default_factory=dict)
    orders: dict[str, dict[str, dict[int, Item]]] = field(default_factory=dict)
    events: dict[Key, Item] = field(default_factory=dict)
    log: dict[int, Item] = field(default_factory=dict)
    strangers: list[Key] = field(default_factory=list)

    def add(self, items: Iterable[Item]) -> int:
        """How many were added."""
        count = 0
        for item in items:
            count += 1
            pk, sk = key_of(item)
            kind, rest = partition_kind(pk), author_in(pk)
            placed = SORT_KEY.fullmatch(sk)
            if kind in (ASK, DECIDE, APPLY):
                self.events[pk, sk] = item
            elif kind == CLAIM and (pk, sk) == claim_key(rest):
                self.claims[rest] = item
            elif kind == ORDER and placed is not None:
                self.orders.setdefault(rest, {}).setdefault(placed[1], {})[int(placed[2])] = item
            elif pk == LOG and sk.isdecimal() and log_key(int(sk)) == (pk, sk):
                self.log[int(sk)] = item
            else:
                self.strangers.append((pk, sk))
        return count

    def missing(self) -> set[Key]:
        """Keys that the rows here speak of and that are not here."""
        wanted = set(self._wanted())
        have = {*self.events, *(claim_key(request_id) for request_id in self.claims)}
        have |= {log_key(position) for position in self.log}
        for owner, requests in self.orders.items():
            for request_id, slots in requests.items():
                have |= {(f"{ORDER}#{owner}", sort_key(request_id, slot)) for slot in slots}
        return wanted - have

    def _wanted(self) -> Iterator[Key]:
        for request_id, claim in self.claims.items():
            yield f"{ASK}#{claim.get('owner', '')}", sort_key(request_id, FIRST)
        for owner, requests in self.orders.items():
            for request_id, slots in requests.items():
                yield claim_key(request_id)
                yield from (
                    (f"{ORDER}#{owner}", sort_key(request_id, slot)) for slot in _gaps(slots, FIRST + 1)
                )
                yield from (
                    (str(item.get("by", "")), sort_key(request_id, slot)) for slot, item in slots.items()
                )
        for _, sk in self.events:
            placed = SORT_KEY.fullmatch(sk)
            if placed is None:
                continue
            yield claim_key(placed[1])
            known = self.claims.get(placed[1])
            if known is not None and int(placed[2]) > FIRST:
                yield f"{ORDER}#{known.get('owner', '')}", sk
        yield from (log_key(position) for position in _gaps(self.log, 1))
        yield from ((str(item.get("by", "")), str(item.get("of", ""))) for item in self.log.values())
        logged = {(item.get("by"), item.get("of")) for item in self.log.values()}
        behind = sum(
            partition_kind(pk) != ASK and (pk, sk) not in logged and self._placed(pk, sk)
            for pk, sk in self.events
        )
        if behind:
            end = max(self.log, default=0)
            yield from (log_key(position) for position in range(end + 1, end + 2 * behind + 10))

    def _placed(self, pk: str, sk: str) -> bool:
        request_id, _, slot = sk.rpartition("#")
        claim = self.claims.get(request_id, {})
        orders = self.orders.get(str(claim.get("owner")), {}).get(request_id, {})
        return slot.isdecimal() and orders.get(int(slot), {}).get("by") == pk

    def reading(self) -> Reading:
        """What everything comes to. Raises LedgerTampered for rows of the log that are none."""
        refused: dict[Key, str] = dict.fromkeys(self.strangers, "it is no row of a ledger")
        streams: list[Stream] = []
        counted: set[Key] = set()
        for request_id, claim in self.claims.items():
            orders = self.orders.get(str(claim.get("owner", "")), {}).get(request_id, {})
            stream = read_stream(request_id, claim, orders, self.events)
            refused.update(stream.refused)
            counted |= {row.key for row in stream.rows}
            if stream.rows:
                streams.append(stream)
        for key in self.events:
            if key not in counted:
                refused.setdefault(key, "no access request has it")
        owners = {request_id: str(claim.get("owner", "")) for request_id, claim in self.claims.items()}
        for owner, requests in self.orders.items():
            for request_id, slots in requests.items():
                if owners.get(request_id) != owner:
                    for item in slots.values():
                        refused.setdefault(key_of(item), "it is about an access request of somebody else")
        try:
            log = tuple(read_row(LogRow, self.log[position]) for position in sorted(self.log))
        except ValueError as fault:
            raise broken(f"a row of the audit is none: {fault}") from fault
        streams.sort(key=lambda stream: (stream.written, stream.request_id))
        return Reading({stream.request_id: stream for stream in streams}, log, tuple(sorted(refused.items())))


def _gaps(numbers: Iterable[int], first: int) -> Iterator[int]:
    expected = first
    for number in sorted(numbers):
        if number - expected <= _NEAR:
            yield from range(expected, number)
        expected = number + 1
