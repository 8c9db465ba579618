from __future__ import annotations

from datetime import timedelta

import pytest
from doubles import (
    ROLE,
    SCIENTIST,
    START,
    STEWARD,
    WEEK,
    Answers,
    Roles,
    StoppedClock,
    allowed,
    approve,
    desk,
    rules,
    submit,
)

from sm_access.access import (
    AccessRequest,
    Grant,
    Level,
    Outcome,
    Probe,
    ProbeKind,
    ProbeResult,
    ProofFinding,
    Prover,
    Reconciler,
    Status,
    judge,
    probes_after_end,
    probes_for,
    unproven_actions,
)
from sm_access.errors import IllegalTransition, UnknownAccessRequest
from sm_access.stores import MemoryLedger

YES, NO, NOTHING, FAILED = Outcome.ALLOWED, Outcome.DENIED, Outcome.NOTHING_THERE, Outcome.FAILED


def granted(uri: str, level: Level = Level.READ) -> Grant:
    at = desk()
    grant = approve(at, submit(at, uri, level)).grant
    assert grant is not None
    return grant


def short(probes: tuple[Probe, ...]) -> list[tuple[str, str, str]]:
    return [(probe.kind.value, probe.prefix, probe.expected.value) for probe in probes]


@pytest.mark.parametrize(
    ("uri", "level", "expected"),
    [
        ("s3://lake", Level.LIST, [("list", "", "allowed")]),
        (
            "s3://lake/raw/",
            Level.READ,
            [("list", "raw/", "allowed"), ("read-found", "raw/", "allowed"), ("list", "raw-", "denied")],
        ),
        (
            "s3://lake/a/b/",
            Level.WRITE,
            [("list", "a/b/", "allowed"), ("list", "a/b-", "denied"), ("list", "a/", "denied")],
        ),
        (
            "s3://lake/raw/x.csv",
            Level.READ,
            [
                ("list", "raw/x.csv/", "allowed"),
                ("read-key", "raw/x.csv", "allowed"),
                ("list", "raw/x.csv-", "denied"),
                ("list", "raw/", "denied"),
            ],
        ),
    ],
)
def test_probes(uri: str, level: Level, expected: list[tuple[str, str, str]]) -> None:
    assert short(probes_for(granted(uri, level))) == expected


@pytest.mark.parametrize("uri", ["s3://lake", "s3://lake/raw/", "s3://lake/a/b/", "s3://lake/a/x.csv"])
@pytest.mark.parametrize("level", [Level.LIST, Level.READ, Level.WRITE])
def test_the_statements_of_a_grant_keep_what_its_probes_promise(uri: str, level: Level) -> None:
    grant = granted(uri, level)
    for probe in probes_for(grant):
        if probe.kind is ProbeKind.LIST:
            context = {"s3:prefix": probe.prefix} if probe.prefix else {}
            answer = allowed(grant.statements, "s3:ListBucket", "arn:aws:s3:::lake", context)
        else:
            key = probe.prefix if probe.kind is ProbeKind.READ_KEY else f"{probe.prefix}found"
            answer = allowed(grant.statements, "s3:GetObject", f"arn:aws:s3:::lake/{key}")
        assert answer == (probe.expected is YES)
    for probe in probes_after_end(grant):
        assert probe.expected is NO
        context = {"s3:prefix": probe.prefix} if probe.prefix else {}
        assert not allowed(grant.statements, "s3:ListBucket", "arn:aws:s3:::lake", context, START + WEEK)


def test_what_another_grant_opens_by_right_is_not_expected_to_be_closed() -> None:
    inner, outer, pond = granted("s3://lake/a/b/"), granted("s3://lake/a/"), granted("s3://pond")
    others = [
        Grant(*(getattr(one, name) if name != "id" else f"g-{number}" for name in Grant.__slots__))
        for number, one in enumerate((outer, pond), 50)
    ]
    assert short(probes_for(inner, others)) == [
        ("list", "a/b/", "allowed"),
        ("read-found", "a/b/", "allowed"),
    ]
    assert probes_after_end(inner, others) == ()
    assert short(probes_after_end(inner, others[1:])) == [("list", "a/b/", "denied")]
    assert probes_for(inner, [inner]) == probes_for(inner)


def test_what_stays_unproven_is_named() -> None:
    assert unproven_actions(Level.READ) == ()
    assert unproven_actions(Level.DELETE) == ("s3:DeleteObject",)
    assert "s3:PutObject" in unproven_actions(Level.WRITE)


LIST, READ_FOUND, READ_KEY = ProbeKind.LIST, ProbeKind.READ_FOUND, ProbeKind.READ_KEY


@pytest.mark.parametrize(
    ("kind", "expected", "outcome", "finding"),
    [
        (LIST, YES, YES, ProofFinding.HELD),
        (LIST, YES, NO, ProofFinding.NOT_HELD),
        (LIST, YES, FAILED, ProofFinding.INCONCLUSIVE),
        (LIST, NO, NO, ProofFinding.HELD),
        (LIST, NO, YES, ProofFinding.NOT_HELD),
        (LIST, NO, NOTHING, ProofFinding.INCONCLUSIVE),
        (LIST, NO, FAILED, ProofFinding.INCONCLUSIVE),
        (READ_FOUND, YES, NO, ProofFinding.NOT_HELD),
        (READ_FOUND, YES, NOTHING, ProofFinding.INCONCLUSIVE),
        (READ_KEY, YES, YES, ProofFinding.HELD),
        (READ_KEY, YES, NO, ProofFinding.INCONCLUSIVE),
        (READ_KEY, YES, NOTHING, ProofFinding.INCONCLUSIVE),
    ],
)
def test_what_one_answer_says(
    kind: ProbeKind, expected: Outcome, outcome: Outcome, finding: ProofFinding
) -> None:
    proof = judge([ProbeResult(Probe(kind, "lake", "raw/", expected), outcome)])
    assert proof.finding is finding
    assert proof.steps[0].finding is finding
    assert proof.held is (finding is ProofFinding.HELD)


def test_one_that_does_not_hold_outweighs_one_that_tells_nothing() -> None:
    probe = Probe(LIST, "lake", "raw/", YES)
    assert judge([ProbeResult(probe, FAILED), ProbeResult(probe, NO)]).finding is ProofFinding.NOT_HELD
    assert judge([ProbeResult(probe, FAILED), ProbeResult(probe, YES)]).finding is ProofFinding.INCONCLUSIVE
    assert judge([]).finding is ProofFinding.INCONCLUSIVE


def applied() -> tuple[MemoryLedger, StoppedClock, AccessRequest]:
    ledger, clock = MemoryLedger(), StoppedClock()
    at = desk(ledger, clock)
    asked = approve(at, submit(at))
    Reconciler(ledger, Roles(), clock, rules()).reconcile(ROLE)
    return ledger, clock, asked


def test_proven_is_written_down_with_its_steps() -> None:
    ledger, clock, asked = applied()
    prober = Answers(lambda probe: probe.expected)
    proof = Prover(ledger, prober, clock).prove(asked.id)
    assert proof.held
    request = desk(ledger, clock).get(asked.id)
    assert request.status is Status.PROVEN
    assert request.events[-1].steps == proof.steps  # type: ignore[union-attr]
    assert len(prober.seen) == 3


def test_what_does_not_hold_is_written_down_and_can_be_proven_later() -> None:
    ledger, clock, asked = applied()
    assert not Prover(ledger, Answers(lambda probe: NO), clock).prove(asked.id).held
    assert desk(ledger, clock).get(asked.id).status is Status.NOT_PROVABLE
    clock.forward(seconds=30)
    assert Prover(ledger, Answers(lambda probe: probe.expected), clock).prove(asked.id).held
    assert desk(ledger, clock).get(asked.id).status is Status.PROVEN


def test_nothing_is_called_for_what_is_not_on_its_role() -> None:
    ledger, clock = MemoryLedger(), StoppedClock()
    at = desk(ledger, clock)
    prober = Answers(lambda probe: probe.expected)
    with pytest.raises(UnknownAccessRequest):
        Prover(ledger, prober, clock).prove("r-nobody")
    asked = approve(at, submit(at, duration=timedelta(hours=1)))
    with pytest.raises(IllegalTransition, match="is approved"):
        Prover(ledger, prober, clock).prove(asked.id)
    Reconciler(ledger, Roles(), clock, rules()).reconcile(ROLE)
    clock.forward(hours=1)
    with pytest.raises(IllegalTransition, match="is expired"):
        Prover(ledger, prober, clock).prove(asked.id)
    assert prober.seen == []
    assert SCIENTIST.principal != STEWARD.principal
