"""What a team's worth of grants costs, in calls and in characters."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from doubles import KEY, START, StoppedClock, approve, desk, rules, submit
from many_grants import ManyRoles, everywhere, grants, role

from sm_access.access import Reconciler, S3Target, plan
from sm_access.access.planner import INLINE_LIMIT, MANAGED_LIMIT, arrange, characters, document, managed_name
from sm_access.errors import QuotaExceeded
from sm_access.stores import MemoryLedger

ROLES = 6


class Counted(MemoryLedger):
    """A ledger that counts what it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()

    def streams(self):  # type: ignore[no-untyped-def]
        self.asked["streams"] += 1
        return super().streams()

    def append(self, request_id, expected_version, events):  # type: ignore[no-untyped-def]
        self.asked["append"] += 1
        super().append(request_id, expected_version, events)


def test_where_nothing_changed_nothing_is_written_and_each_role_is_read_once() -> None:
    ledger, roles, clock = Counted(), ManyRoles(), StoppedClock()
    grants(10 * ROLES, ROLES, ledger=ledger)
    reconciler = Reconciler(ledger, roles, clock, rules())
    everywhere(reconciler)
    assert "put" in roles.calls
    for each in roles.roles.values():
        each.calls.clear()
    ledger.asked.clear()
    clock.at += timedelta(minutes=5)
    everywhere(reconciler)
    assert roles.calls == ["read"] * ROLES
    assert ledger.asked == {
        "streams": 1 + ROLES
    }  # All of it once for each role, however many grants there are.


def test_a_grant_with_a_key_is_short() -> None:
    """Beside names of this length: a character of the bucket's counts four times, one of the prefix three times."""
    at = desk()
    one = approve(at, submit(at, "s3://lake/raw/", key=KEY)).grant
    assert one is not None
    assert characters(document([one])) <= 800


def test_what_one_document_holds_of_many_is_all_of_it() -> None:
    """Grants of one place's many folders merge so well that more of them than are tried at once fit."""
    many = [replace(each, target=S3Target("lake")) for each in grants(101, 1, key=None)]
    alike = [replace(each, statements=many[0].statements, ends_at=many[0].ends_at) for each in many]
    planned = arrange(role(0), alike)
    assert planned.managed == {}
    assert len(planned.places) == 101
    assert planned.documents == arrange(role(0), alike[:1]).documents


def test_as_many_as_fit_are_taken_and_one_more_does_not() -> None:
    made = sorted(grants(200, 1), key=lambda each: (each.ends_at, each.id))
    planned = arrange(role(0), made)
    assert list(planned.places) == [each.id for each in made]
    assert planned.inline_characters <= INLINE_LIMIT
    for number, (name, held) in enumerate(planned.managed.items(), 1):
        assert characters(held) <= MANAGED_LIMIT, name
        of_it = [each for each in made if planned.places[each.id] == name]
        following = [each for each in made if planned.places[each.id] == managed_name(role(0), number + 1)]
        assert not following or characters(document([*of_it, following[0]])) > MANAGED_LIMIT


def test_a_role_carries_sixty_grants_of_different_places_with_keys() -> None:
    for number in count(60, 20):
        try:
            plan(role(0), grants(number, 1), START)
        except QuotaExceeded:
            pytest.fail(f"{number} grants are refused")
        if number >= 80:
            return
