from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from doubles import (
    ROLE,
    RULES,
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
from sm_access.access.events import EndProbed, Proven
from sm_access.access.probe import DECIDED
from sm_access.access.proof import PAUSES, decided
from sm_access.errors import IllegalTransition, UnknownAccessRequest
from sm_access.stores import MemoryLedger

YES, NO, NOTHING, FAILED = Outcome.ALLOWED, Outcome.DENIED, Outcome.NOTHING_THERE, Outcome.FAILED


def granted(uri: str, level: Level = Level.READ) -> Grant:
    at = desk(rules={**RULES, "levels": [each.value for each in Level]})
    grant = approve(at, submit(at, uri, level)).grant
    assert grant is not None
    return grant


def short(probes: tuple[Probe, ...]) -> list[tuple[str, str, str]]:
    return [(probe.kind.value, probe.prefix, probe.expected.value) for probe in probes]


@pytest.mark.parametrize(
    ("uri", "level", "expected"),
    [
        ("s3://lake", Level.LIST, [("list", "", "allowed"), ("read-found", "", "denied")]),
        (
            "s3://lake/raw/",
            Level.READ,
            [
                ("list", "raw/", "allowed"),
                ("read-found", "raw/", "allowed"),
                ("list", "raw-", "denied"),
                ("write", "raw/sm-access-probe", "denied"),
            ],
        ),
        (
            "s3://lake/a/b/",
            Level.WRITE,
            [
                ("list", "a/b/", "allowed"),
                ("write", "a/b/sm-access-probe", "allowed"),
                ("list", "a/b-", "denied"),
                ("list", "a/", "denied"),
                ("write", "a/b-sm-access-probe", "denied"),
                ("delete", "a/b/sm-access-probe", "denied"),
            ],
        ),
        ("s3://lake/a/", Level.DELETE, [("list", "a/", "allowed"), ("list", "a-", "denied")]),
        (
            "s3://lake/x",
            Level.WRITE,
            [
                ("list", "x/", "allowed"),
                ("write", "x", "allowed"),
                ("list", "x-", "denied"),
                ("write", "x-sm-access-probe", "denied"),
                ("delete", "x", "denied"),
            ],
        ),
        (
            "s3://lake/raw/x.csv",
            Level.READ,
            [
                ("list", "raw/x.csv/", "allowed"),
                ("read-key", "raw/x.csv", "allowed"),
                ("list", "raw/x.csv-", "denied"),
                ("list", "raw/", "denied"),
                ("write", "raw/x.csv", "denied"),
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
            key = f"{probe.prefix}found" if probe.kind is ProbeKind.READ_FOUND else probe.prefix
            action = {ProbeKind.WRITE: "s3:PutObject", ProbeKind.DELETE: "s3:DeleteObject"}.get(
                probe.kind, "s3:GetObject"
            )
            answer = allowed(grant.statements, action, f"arn:aws:s3:::lake/{key}")
        assert answer == (probe.expected is YES)
    for probe in probes_after_end(grant):
        assert probe.expected is NO
        context = {"s3:prefix": probe.prefix} if probe.prefix else {}
        assert not allowed(grant.statements, "s3:ListBucket", "arn:aws:s3:::lake", context, START + WEEK)
        assert not allowed(
            grant.statements, "s3:PutObject", f"arn:aws:s3:::lake/{probe.prefix}", {}, START + WEEK
        )


def test_what_another_grant_opens_by_right_is_not_expected_to_be_closed() -> None:
    inner, outer, pond = granted("s3://lake/a/b/"), granted("s3://lake/a/"), granted("s3://pond")
    others = [
        Grant(*(getattr(one, name) if name != "id" else f"g-{number}" for name in Grant.__slots__))
        for number, one in enumerate((outer, pond), 50)
    ]
    assert short(probes_for(inner, others)) == [
        ("list", "a/b/", "allowed"),
        ("read-found", "a/b/", "allowed"),
        ("write", "a/b/sm-access-probe", "denied"),
    ]
    assert probes_after_end(inner, others) == ()
    assert short(probes_after_end(inner, others[1:])) == [("list", "a/b/", "denied")]
    assert probes_for(inner, [inner]) == probes_for(inner)
    writing = replace(granted("s3://lake/a/b/", Level.WRITE), id="g-60")
    assert "write" not in [kind for kind, *_ in short(probes_for(inner, [writing]))]
    listing = granted("s3://lake/a/b/", Level.LIST)
    assert "read-found" in [kind for kind, *_ in short(probes_for(listing, [writing]))]
    assert "read-found" not in [kind for kind, *_ in short(probes_for(listing, [replace(inner, id="g-61")]))]
    assert [kind for kind, *_ in short(probes_after_end(writing))] == ["list", "write"]
    assert short(probes_after_end(writing, [replace(inner, id="g-61")])) == [
        ("write", "a/b/sm-access-probe", "denied")
    ]


def test_after_the_end_of_a_grant_on_one_object_that_object_is_tried() -> None:
    one = granted("s3://lake/a/x.csv")
    assert short(probes_after_end(one)) == [("list", "a/x.csv/", "denied"), ("read-key", "a/x.csv", "denied")]
    again = replace(one, id="g-70")
    assert short(probes_after_end(one, [again])) == []
    probe = probes_after_end(one)[1]
    assert judge([ProbeResult(probe, YES)]).finding is ProofFinding.NOT_HELD
    assert judge([ProbeResult(probe, NO)]).held


def test_what_stays_unproven_is_named() -> None:
    assert unproven_actions(Level.READ) == ()
    assert unproven_actions(Level.DELETE) == ("s3:DeleteObject",)
    assert unproven_actions(Level.WRITE) == ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")


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
    assert len(prober.seen) == 4


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
    rejected = submit(at)
    at.reject(rejected.id, STEWARD, "no")
    with pytest.raises(IllegalTransition, match="is rejected"):
        Prover(ledger, prober, clock).prove(rejected.id)
    assert prober.seen == []


def test_a_grant_that_ends_while_it_is_probed_is_not_called_proven() -> None:
    ledger, clock, asked = applied()

    def late(probe: Probe) -> Outcome:
        clock.forward(days=8)
        return probe.expected

    with pytest.raises(IllegalTransition, match="is expired"):
        Prover(ledger, Answers(late), clock).prove(asked.id)


@pytest.mark.parametrize("ended", ["by time", "revoked", "collected"])
@pytest.mark.parametrize("outcome", [NO, YES, FAILED])
def test_after_the_end_it_is_written_down_whether_aws_denies_it(ended: str, outcome: Outcome) -> None:
    ledger, clock, asked = applied()
    at = desk(ledger, clock)
    if ended == "by time":
        clock.forward(days=8)
    else:
        at.revoke(asked.id, STEWARD, "over")
        if ended == "collected":
            Reconciler(ledger, Roles(), clock, rules()).reconcile(ROLE)
    before = at.get(asked.id)
    prober = Answers(lambda probe: outcome)
    proof = Prover(ledger, prober, clock).prove(asked.id)
    after = at.get(asked.id)
    (event,) = after.events[before.version :]
    assert isinstance(event, EndProbed)
    assert event.finding is proof.finding is {
        NO: ProofFinding.HELD, YES: ProofFinding.NOT_HELD, FAILED: ProofFinding.INCONCLUSIVE
    }[outcome]  # fmt: skip
    assert event.steps == proof.steps
    assert [probe.expected for probe in prober.seen] == [NO]
    assert after.status_at(clock.now()) is before.status_at(clock.now())


class Waiting:
    """A pause of no length: the clock goes forward, and after so many pauses IAM has made the change known."""

    def __init__(self, clock: StoppedClock, known_after: int = 99) -> None:
        self.clock, self.known_after = clock, known_after
        self.pauses: list[int] = []

    def __call__(self, seconds: int) -> None:
        self.pauses.append(seconds)
        self.clock.forward(seconds=seconds)

    def answer(self, probe: Probe) -> Outcome:
        return probe.expected if len(self.pauses) >= self.known_after else NO


def test_iam_is_given_half_a_minute_to_make_a_change_known() -> None:
    ledger, clock, asked = applied()
    waiting = Waiting(clock, known_after=3)
    proof = Prover(ledger, Answers(waiting.answer), clock, waiting).prove(asked.id)
    assert proof.held
    assert waiting.pauses == [1, 2, 4]
    stored = desk(ledger, clock).get(asked.id).events[-1]
    assert isinstance(stored, Proven)
    assert {step.attempts for step in stored.steps} == {4}


def test_what_never_settles_is_waited_for_no_longer_than_that() -> None:
    ledger, clock, asked = applied()
    waiting = Waiting(clock)
    assert not Prover(ledger, Answers(waiting.answer), clock, waiting).prove(asked.id).held
    assert sum(waiting.pauses) == sum(PAUSES) == 30
    clock.forward(minutes=10)
    waiting.pauses.clear()
    assert not Prover(ledger, Answers(waiting.answer), clock, waiting).prove(asked.id).held
    assert waiting.pauses == []  # An old change is known by now: this is another cause.


def test_what_tells_nothing_is_not_waited_for() -> None:
    ledger, clock, asked = applied()
    waiting = Waiting(clock)
    proof = Prover(ledger, Answers(lambda probe: FAILED), clock, waiting).prove(asked.id)
    assert proof.finding is ProofFinding.INCONCLUSIVE
    assert waiting.pauses == []


def test_a_deletion_is_decided_and_never_called() -> None:
    ledger, clock = MemoryLedger(), StoppedClock()
    at = desk(ledger, clock)
    asked = approve(at, submit(at, level=Level.WRITE))
    Reconciler(ledger, Roles(), clock, rules()).reconcile(ROLE)
    prober = Answers(lambda probe: probe.expected)
    steps = Prover(ledger, prober, clock).prove(asked.id).steps
    (deleting,) = [step for step in steps if step.result.probe.kind is ProbeKind.DELETE]
    assert (deleting.result.outcome, deleting.result.detail) == (NO, DECIDED)
    assert ProbeKind.DELETE not in {probe.kind for probe in prober.seen}
    assert asked.grant is not None
    wide = ({"Effect": "Allow", "Action": "s3:*", "Resource": "*"},)
    assert decided(replace(asked.grant, statements=wide), deleting.result.probe) is YES
    open_end = ({**wide[0], "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},)
    assert decided(replace(asked.grant, statements=open_end), deleting.result.probe) is not YES
