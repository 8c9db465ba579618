"""What a team's worth of grants costs: planning them, finding nothing to do, and the room that they take on a role.

    python benchmarks/requests.py [--write]    --write: put the result into benchmarks/README.md

The floor of planning is writing the very same statements as JSON once, without packing, merging or counting them: what
is above it is ours. Both sides are timed in turns and by their median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests" / "access")]

from doubles import KEY, START, StoppedClock, approve, desk, rules, submit  # noqa: E402
from many_grants import ManyRoles, everywhere, grants, role  # noqa: E402

from sm_access.access import Grant, Reconciler, plan  # noqa: E402
from sm_access.access.canonical import canonical_json  # noqa: E402
from sm_access.access.planner import characters, document  # noqa: E402
from sm_access.errors import QuotaExceeded  # noqa: E402
from sm_access.stores import MemoryLedger  # noqa: E402

GRANTS, ROLES, ROUNDS = 1_000, 20, 15
TARGET_MS, TARGET_CHARACTERS, TARGET_GRANTS = 100.0, 800, 60
BEGIN, END = "<!-- requests -->", "<!-- end of requests -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the result into benchmarks/README.md")
    arguments = parser.parse_args()
    ledger = MemoryLedger()
    all_of_them = grants(GRANTS, ROLES, ledger=ledger)
    floor, planned = planning(all_of_them)
    seconds, calls = nothing_to_do(ledger)
    with_key, without = alone(KEY), alone(None)
    most_with, most_without = most(True), most(False)
    rows = [
        ("", "measured", "target"),
        ("---", "---:", "---:"),
        (f"plan {GRANTS:,} grants on {ROLES} roles", f"{planned:.0f} ms", f"< {TARGET_MS:.0f} ms"),
        ("... beside writing the same statements as JSON once", f"{planned / floor:.1f} x", ""),
        (f"reconcile all {ROLES} roles where nothing changed", f"{seconds * 1000:.0f} ms", ""),
        ("... calls to IAM's side", ", ".join(f"{calls.count(call)} {call}" for call in sorted(set(calls))),
         f"{ROLES} reads, no write"),
        ("characters of a grant to read s3://lake/raw/, with a key of KMS", f"{with_key}", f"<= {TARGET_CHARACTERS}"),
        ("... without", f"{without}", ""),
        ("grants that one role carries, each with a key", f"{most_with}", f">= {TARGET_GRANTS}"),
        ("... without", f"{most_without}", ""),
    ]  # fmt: skip
    met = (
        planned < TARGET_MS
        and calls == ["read"] * ROLES
        and with_key <= TARGET_CHARACTERS
        and most_with >= TARGET_GRANTS
    )
    load = os.getloadavg()[0]
    told = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    told += f"\n\nPython {sys.version.split()[0]}, {os.cpu_count()} cores, load {load:.1f}. "
    told += "All targets met." if met else "A target was MISSED."
    print(told)
    if arguments.write:
        readme = HERE / "README.md"
        text = readme.read_text("utf-8")
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        readme.write_text(f"{before}{BEGIN}\n\n{told}\n\n{END}{after}", "utf-8")
    return 0 if met else 1


def planning(all_of_them: list[Grant]) -> tuple[float, float]:
    """Milliseconds: the floor, and the plans of all roles."""
    of_role = {
        role(number): [each for each in all_of_them if each.role_arn == role(number)]
        for number in range(ROLES)
    }
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for held in of_role.values():
            canonical_json([statement for grant in held for statement in grant.statements])
        between = time.perf_counter()
        for role_arn, held in of_role.items():
            plan(role_arn, held, START)
        times[0].append((between - began) * 1000)
        times[1].append((time.perf_counter() - between) * 1000)
    return statistics.median(times[0]), statistics.median(times[1])


def nothing_to_do(ledger: MemoryLedger) -> tuple[float, list[str]]:
    """Seconds, and the calls that were made."""
    roles = ManyRoles()
    reconciler = Reconciler(ledger, roles, StoppedClock(), rules())
    everywhere(reconciler)
    for each in roles.roles.values():
        each.calls.clear()
    began = time.perf_counter()
    everywhere(reconciler)
    return time.perf_counter() - began, roles.calls


def alone(key: str | None) -> int:
    """Characters of a document with one grant to read s3://lake/raw/ in it."""
    at = desk()
    one = approve(at, submit(at, "s3://lake/raw/", key=key)).grant
    return 0 if one is None else characters(document([one]))


def most(with_key: bool) -> int:
    """How many grants on places of their own fit on one role that carries nothing else."""
    made = grants(900, 1, **({} if with_key else {"key": None}))
    low, high = 1, len(made)
    while low < high:
        middle = (low + high + 1) // 2
        try:
            plan(role(0), made[:middle], START)
            low = middle
        except QuotaExceeded:
            high = middle - 1
    return low


if __name__ == "__main__":
    raise SystemExit(main())
