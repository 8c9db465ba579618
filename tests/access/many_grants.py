"""A team's worth of grants: many, over many roles, in a ledger in memory. For tests and for benchmarks/requests.py."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from doubles import ACCOUNT, KEY, RULES, START, WEEK, Roles, StoppedClock, approve, session, submit

from sm_access.access import Desk, Grant, Level, Reconciler, RolePolicies, Rules
from sm_access.access.events import Applied
from sm_access.stores import MemoryLedger


def role(number: int) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/team-{number:02d}"


def grants(
    count: int, roles: int, *, key: str | None = KEY, ledger: MemoryLedger | None = None
) -> list[Grant]:
    """Grants to read, of different ends, each on a prefix of its own; `ledger` gets their streams, applied."""
    made: list[Grant] = []
    numbers = itertools.count(1)
    for number in range(count):
        at = Desk(
            MemoryLedger(), Rules.from_dict(RULES), StoppedClock(), new_id=lambda: f"r-{next(numbers):08d}"
        )
        team = number % roles
        asked = approve(
            at,
            submit(
                at,
                f"s3://lake-{team:02d}/projects/of-team/{number:05d}/",
                Level.READ,
                WEEK - timedelta(hours=number % 5),
                role=role(team),
                requester=session(f"team-{team:02d}"),
                key=key,
            ),
        )
        assert asked.grant is not None
        made.append(asked.grant)
        if ledger is not None:
            ledger.append(asked.id, 0, (*asked.events, Applied(START)))
    return made


class ManyRoles:
    """A RoleWriter in memory, of any number of roles."""

    def __init__(self) -> None:
        self.roles: dict[str, Roles] = {}

    def of(self, role_arn: str) -> Roles:
        return self.roles.setdefault(role_arn, Roles())

    @property
    def calls(self) -> list[str]:
        return [call for each in self.roles.values() for call, _ in each.calls]

    def read(self, role_arn: str) -> RolePolicies:
        return self.of(role_arn).read(role_arn)

    def put(self, role_arn: str, name: str, document: Any) -> None:
        self.of(role_arn).put(role_arn, name, document)

    def delete(self, role_arn: str, name: str) -> None:
        self.of(role_arn).delete(role_arn, name)

    def put_managed(self, role_arn: str, name: str, document: Any) -> None:
        self.of(role_arn).put_managed(role_arn, name, document)

    def delete_managed(self, role_arn: str, name: str) -> None:
        self.of(role_arn).delete_managed(role_arn, name)


def everywhere(reconciler: Reconciler) -> None:
    """Each role that has grants, once."""
    for role_arn in reconciler.roles():
        assert reconciler.reconcile(role_arn).settled
