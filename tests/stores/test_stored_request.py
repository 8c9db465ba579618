"""Every field of a stored request changed, one at a time: caught, or of no effect on what reaches a role.

Twice: by somebody who changes the row alone, which no ledger that checks its hashes reads; and by somebody who writes
the whole ledger anew with fitting hashes, as whoever can write a file may. Then what reaches a role is still what the
reviewer agreed to, or nothing.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import sqlite3
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from doubles import KEY, ROLE, Roles, StoppedClock, approve, desk, rules, submit

from sm_access.access import Reconciler
from sm_access.access.canonical import canonical_json
from sm_access.access.event_codec import encode_event, kind_of
from sm_access.errors import LedgerTampered, SmAccessError
from sm_access.stores import SqliteLedger
from sm_access.stores.chain import START

AT = desk()
SUBMITTED, APPROVED = approve(AT, submit(AT, key=KEY)).events
BODIES = [encode_event(SUBMITTED), encode_event(APPROVED)]

HARMLESS = {
    ("submitted", "at"),
    ("submitted", "reason"),
    ("submitted", "claimed_person"),
    ("submitted", "extends"),
    (
        "submitted",
        "requester",
    ),  # in a file; in a team's ledger it is the partition's author or counts for nothing
    ("approved", "at"),
    ("approved", "reviewer"),
}
"""Fields that say who, when and why, and so change no statement. All others decide what is granted."""


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [found for name in value for found in paths(value[name], (*path, name))]
    if isinstance(value, list):
        return [found for number in range(len(value)) for found in paths(value[number], (*path, number))]
    return [path]


PLACES = [(number, path) for number, body in enumerate(BODIES) for path in paths(body)]


def changed(number: int, path: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Both bodies, with another value there that is as much like the first as can be."""
    bodies = copy.deepcopy(BODIES)
    place: Any = bodies[number]
    for step in path[:-1]:
        place = place[step]
    value = place[path[-1]]
    if value is None:
        other: Any = "other"
    elif isinstance(value, int):
        other = value + 1
    elif value in ("read", "list", "write"):
        other = "list" if value == "read" else "read"
    elif value.endswith("Z") and value[:2] == "20":
        other = value.replace("17:00:00", "17:00:01")
    elif value.startswith("arn:"):
        other = value[:-1] + ("0" if value[-1] != "0" else "1")
    elif value.isdecimal() and len(value) == 12:
        other = value[:-1] + "9"
    else:
        other = value[:-1] + ("a" if value[-1] != "a" else "b") if value else "x/"
    place[path[-1]] = other
    assert bodies != BODIES
    return bodies


def written(path: Path, bodies: list[dict[str, Any]]) -> SqliteLedger:
    """A ledger that holds these with hashes that fit."""
    ledger = SqliteLedger(path)
    ledger.append(SUBMITTED.id, 0, (SUBMITTED, APPROVED))  # type: ignore[union-attr]
    from sm_access.stores.chain import Row

    connection = sqlite3.connect(path)
    with connection:
        rows = [Row(*row) for row in connection.execute("SELECT * FROM events ORDER BY position")]
        connection.execute("DELETE FROM events")
        last = START
        for row, body in zip(rows, bodies, strict=True):
            made = dataclasses.replace(row, body=canonical_json(body), at=str(body["at"]), prev_hash=last)
            made = dataclasses.replace(made, hash=made.expected_hash())
            last = made.hash
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", astuple(made))
    connection.close()
    return ledger


def reached(ledger: SqliteLedger) -> Any:
    """What a role carries after reconciling; None where that was refused as a whole."""
    roles = Roles()
    clock = StoppedClock()
    clock.forward(minutes=1)
    try:
        Reconciler(ledger, roles, clock, rules()).reconcile(ROLE)
    except SmAccessError:
        return None
    return roles.documents


@pytest.mark.parametrize(("number", "path"), PLACES, ids=str)
def test_a_changed_field_is_caught_or_changes_nothing(
    tmp_path: Path, number: int, path: tuple[Any, ...]
) -> None:
    bodies = changed(number, path)
    intended = reached(written(tmp_path / "intended.sqlite", BODIES))
    assert intended
    kind = kind_of((SUBMITTED, APPROVED)[number])
    found = reached(written(tmp_path / "forged.sqlite", bodies))
    if (kind, path[0]) in HARMLESS:
        assert found in (intended, None, {}), path
    else:
        assert not found, path


@pytest.mark.parametrize("number", [0, 1])
def test_a_changed_field_alone_is_never_read(tmp_path: Path, number: int) -> None:
    for count, (place, path) in enumerate(PLACES):
        if place != number:
            continue
        file = tmp_path / f"{count}.sqlite"
        ledger = written(file, BODIES)
        connection = sqlite3.connect(file)
        with connection:
            body = json.dumps(changed(number, path)[number], separators=(",", ":"), sort_keys=True)
            connection.execute("UPDATE events SET body = ? WHERE position = ?", (body, number + 1))
        connection.close()
        with pytest.raises(LedgerTampered, match=f"row {number + 1} was changed"):
            ledger.streams()
