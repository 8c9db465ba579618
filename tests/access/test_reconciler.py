from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from doubles import (
    ACCOUNT,
    KEY,
    OTHER_ROLE,
    ROLE,
    RULES,
    SCIENTIST,
    START,
    STEWARD,
    WEEK,
    Killed,
    People,
    Roles,
    StoppedClock,
    allowed,
    approve,
    desk,
    rules,
    session,
    submit,
)

from sm_access.access import (
    AccessRequest,
    Drift,
    Facts,
    Level,
    Reconciler,
    RolePolicies,
    Rules,
    S3Target,
    Status,
)
from sm_access.access.canonical import sha256
from sm_access.access.events import Approved, Event, Submitted
from sm_access.access.planner import InUse, arrange
from sm_access.access.planner import characters as planner_characters
from sm_access.errors import AwsUnreachable, LedgerConflict, QuotaExceeded
from sm_access.stores import MemoryLedger

WEEK_END = "sm-access-until-20261130T170000Z"
DAY_END = "sm-access-until-20261124T170000Z"
DAY = timedelta(days=1)
FOREIGN = {"Version": "2012-10-17", "Statement": []}


class World:
    def __init__(self, roles: Roles | None = None) -> None:
        self.ledger = MemoryLedger()
        self.clock = StoppedClock()
        self.roles = roles or Roles({"own": FOREIGN})
        self.desk = desk(self.ledger, self.clock)
        self.reconciler = Reconciler(self.ledger, self.roles, self.clock, rules())

    def grant(self, uri: str = "s3://lake/raw/", duration: timedelta = WEEK, **more: Any) -> AccessRequest:
        return approve(self.desk, submit(self.desk, uri, duration=duration, **more))

    def status(self, request: AccessRequest) -> Status:
        return self.desk.get(request.id).status_at(self.clock.at)

    def ours(self) -> dict[str, Any]:
        return {name: found for name, found in self.roles.documents.items() if name.startswith("sm-access-")}


def test_put_on_read_back_and_written_down() -> None:
    world = World()
    one = world.grant()
    done = world.reconciler.reconcile(ROLE)
    assert done.settled
    assert (done.written, done.deleted, done.unchanged) == ((WEEK_END,), (), ())
    assert (done.applied, done.collected, done.drift, done.refused) == ((one.id,), (), (), ())
    assert one.grant is not None
    assert world.ours() == arrange(ROLE, [one.grant]).inline
    assert world.roles.documents["own"] == FOREIGN
    assert world.status(one) is Status.APPLIED


def test_run_twice_does_nothing_more() -> None:
    world = World()
    world.grant()
    world.reconciler.reconcile(ROLE)
    events, writes = world.ledger.streams(), len(world.roles.writes())
    again = world.reconciler.reconcile(ROLE)
    assert (again.written, again.unchanged, again.applied) == ((), (WEEK_END,), ())
    assert (world.ledger.streams(), len(world.roles.writes())) == (events, writes)


def test_the_end_of_one_leaves_the_other() -> None:
    world = World()
    short, long = world.grant(duration=DAY), world.grant()
    world.reconciler.reconcile(ROLE)
    world.clock.forward(days=1)
    done = world.reconciler.reconcile(ROLE)
    assert (done.deleted, done.unchanged, done.collected) == ((DAY_END,), (WEEK_END,), (short.id,))
    assert done.drift == ()
    assert world.status(short) is Status.COLLECTED
    assert world.status(long) is Status.APPLIED


def test_a_renewal_survives_the_end_of_the_first() -> None:
    world = World()
    first = world.grant(duration=DAY)
    world.reconciler.reconcile(ROLE)
    world.clock.forward(hours=23)
    again = approve(world.desk, world.desk.extend(first.id, SCIENTIST, WEEK, "once more"))
    world.reconciler.reconcile(ROLE)
    world.clock.forward(hours=2)
    world.reconciler.reconcile(ROLE)
    assert again.grant is not None
    assert world.ours() == arrange(ROLE, [again.grant]).inline


def test_revoked_of_two_that_end_together() -> None:
    world = World()
    one, two = world.grant(), world.grant("s3://lake/silver/")
    world.reconciler.reconcile(ROLE)
    world.desk.revoke(one.id, STEWARD, "over")
    done = world.reconciler.reconcile(ROLE)
    assert (done.written, done.collected, done.drift) == ((WEEK_END,), (one.id,), ())
    assert two.grant is not None
    assert world.ours() == arrange(ROLE, [two.grant]).inline


def test_what_ended_before_it_was_applied_is_collected_too() -> None:
    world = World()
    one = world.grant(duration=DAY)
    world.clock.forward(days=1)
    assert world.reconciler.reconcile(ROLE).collected == (one.id,)
    assert world.roles.writes() == []


def test_other_roles_are_left_alone() -> None:
    world = World()
    world.grant(role=OTHER_ROLE)
    submit(world.desk)
    assert world.reconciler.reconcile(ROLE).written == ()
    assert world.reconciler.roles() == (OTHER_ROLE,)


def test_a_role_is_one_whether_or_not_its_path_is_told() -> None:
    world = World()
    world.grant(role=ROLE.replace("role/", "role/science/"))
    assert world.reconciler.reconcile(ROLE).written == (WEEK_END,)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda documents: documents[WEEK_END]["Statement"][0].update(Resource="*"),
        lambda documents: documents.pop(WEEK_END),
        lambda documents: documents.update({"sm-access-until-20300101T000000Z": FOREIGN}),
    ],
)
def test_what_somebody_else_changed_is_named_and_put_right(tamper: Callable[[dict[str, Any]], Any]) -> None:
    world = World()
    world.grant()
    world.reconciler.reconcile(ROLE)
    as_planned = copy.deepcopy(world.roles.documents)
    tamper(world.roles.documents)
    changed = [
        name
        for name in {*as_planned, *world.roles.documents}
        if as_planned.get(name) != world.roles.documents.get(name)
    ]
    done = world.reconciler.reconcile(ROLE)
    assert list(done.drift) == changed
    assert world.roles.documents == as_planned


# --- what must never be applied -------------------------------------------------------------------------------------


class Forged:
    """A ledger in which somebody who can write it replaced an event."""

    def __init__(self, ledger: MemoryLedger, change: Callable[[Event], Event]) -> None:
        self.ledger = ledger
        self.change = change

    def append(self, *args: Any) -> None:
        self.ledger.append(*args)

    def streams(self) -> dict[str, tuple[Event, ...]]:
        return {id: tuple(map(self.change, events)) for id, events in self.ledger.streams().items()}


def approval(**change: Any) -> Callable[[Event], Event]:
    return lambda event: dataclasses.replace(event, **change) if isinstance(event, Approved) else event


def submission(**change: Any) -> Callable[[Event], Event]:
    return lambda event: dataclasses.replace(event, **change) if isinstance(event, Submitted) else event


def one_byte(event: Event) -> Event:
    if not isinstance(event, Approved):
        return event
    made = copy.deepcopy(event.statements)
    made[1]["Resource"] = "arn:aws:s3:::lake/ra*"
    return dataclasses.replace(event, statements=made)


def one_byte_with_its_hash(event: Event) -> Event:
    event = one_byte(event)
    return (
        dataclasses.replace(event, grant_sha256=sha256(event.statements))
        if isinstance(event, Approved)
        else event
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (one_byte, "not those that were approved"),
        (one_byte_with_its_hash, "not those that the access request means"),
        (approval(reviewer=session("notebooks", "steward")), "the requester approved it"),
        (approval(ends_at=START + WEEK + DAY), "end is not the one"),
        (approval(grant_sha256="0" * 64), "not those that were approved"),
        (approval(terms_sha256="0" * 64), "is of other terms"),
        (submission(terms_sha256="0" * 64), "is of other terms"),
        (submission(target=S3Target("lake", "hr/")), "terms are not those"),
        (submission(level=Level.WRITE), "terms are not those"),
        (submission(duration=DAY), "terms are not those"),
        (submission(role_arn=ROLE.replace("role/", "role/x/")), "terms are not those"),
        (submission(requester=session("Stewards")), "the requester approved it"),
        (submission(id="r-99999999"), "not its own"),
    ],
)
def test_what_is_not_as_approved_is_named_and_not_applied(
    change: Callable[[Event], Event], words: str
) -> None:
    world = World()
    one = world.grant()
    done = Reconciler(Forged(world.ledger, change), world.roles, world.clock, rules()).reconcile(ROLE)
    (refused,) = done.refused
    assert refused.request_id == one.id
    assert any(words in fault for fault in refused.faults)
    assert world.ours() == {}
    assert done.applied == ()


def test_the_role_that_gains_cannot_have_approved() -> None:
    world = World()
    world.grant(role=OTHER_ROLE)
    forged = Forged(world.ledger, approval(reviewer=session("training")))
    (refused,) = Reconciler(forged, world.roles, world.clock, rules()).reconcile(OTHER_ROLE).refused
    assert refused.faults == ("the role that gains it approved it", "its approver may not decide on it")


def test_what_was_tampered_with_after_it_was_applied_is_taken_off() -> None:
    world = World()
    world.grant()
    world.reconciler.reconcile(ROLE)
    done = Reconciler(Forged(world.ledger, one_byte), world.roles, world.clock, rules()).reconcile(ROLE)
    assert done.deleted == (WEEK_END,)
    assert world.ours() == {}


def test_a_stream_that_cannot_have_happened_hides_no_role() -> None:
    world = World()
    world.grant()
    forged = Forged(world.ledger, lambda event: event)
    forged.streams = lambda: {**world.ledger.streams(), "r-x": ()}  # type: ignore[method-assign]
    reconciler = Reconciler(forged, world.roles, world.clock, rules())
    assert reconciler.roles() == (ROLE,)
    assert [refused.request_id for refused in reconciler.reconcile(ROLE).refused] == ["r-x"]
    assert world.ours().keys() == {WEEK_END}


# --- quota ----------------------------------------------------------------------------------------------------------


def test_too_much_is_refused_before_anything_is_put_on_and_ends_are_kept_all_the_same() -> None:
    world = World()
    ended, stays, revoked = world.grant(duration=DAY), world.grant(), world.grant("s3://lake/silver/")
    world.reconciler.reconcile(ROLE)
    world.desk.revoke(revoked.id, STEWARD, "over")
    world.clock.forward(days=1)
    new = world.grant("s3://lake/gold/")
    world.roles.documents["own"] = {"Version": "2012-10-17", "Statement": ["x" * 9600]}
    world.roles.attached_others = 10
    with pytest.raises(QuotaExceeded):
        world.reconciler.reconcile(ROLE)
    assert stays.grant is not None
    assert world.ours() == arrange(ROLE, [stays.grant]).inline
    assert world.roles.managed == {}
    assert world.status(ended) is Status.COLLECTED
    assert world.status(revoked) is Status.COLLECTED
    assert world.status(new) is Status.APPROVED


def test_what_goes_makes_room_before_what_comes() -> None:
    world = World()
    world.grant(duration=DAY)
    world.reconciler.reconcile(ROLE)
    world.clock.forward(days=1)
    world.grant()
    world.reconciler.reconcile(ROLE)
    assert [verb for verb, _ in world.roles.writes()] == ["put", "delete", "put"]


# --- faults ---------------------------------------------------------------------------------------------------------


class MortalLedger:
    """A ledger whose writer is killed before or after an append takes effect."""

    def __init__(self, ledger: MemoryLedger, roles: Roles) -> None:
        self.ledger, self.roles = ledger, roles

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)

    def streams(self) -> Any:
        self.roles.before_call("streams")
        return self.ledger.streams()

    def append(self, *args: Any) -> None:
        self.roles.before_call("append")
        self.ledger.append(*args)
        self.roles.after_call("append")


def crowded() -> World:
    """A role with everything to do at once: to put on, to take off, to change, to put right."""
    world = World()
    ending, shared = world.grant(duration=DAY), world.grant()
    world.grant("s3://lake/silver/")
    world.reconciler.reconcile(ROLE)
    world.desk.revoke(shared.id, STEWARD, "over")
    world.clock.forward(days=1)
    world.grant("s3://lake/gold/")
    world.roles.documents["sm-access-until-20300101T000000Z"] = FOREIGN
    assert world.status(ending) is Status.EXPIRED
    return world


def test_a_write_that_aws_does_not_show_yet_is_pending_and_not_called_applied() -> None:
    class Lagging(Roles):
        shown: ClassVar[dict[str, Any]] = {"own": FOREIGN}

        def read(self, role_arn: str) -> RolePolicies:
            return RolePolicies(copy.deepcopy(self.shown))

    roles = Lagging()
    world = World(roles)
    one = world.grant()
    done = world.reconciler.reconcile(ROLE)
    assert not done.settled
    assert done.pending == (WEEK_END,)
    assert world.status(one) is Status.APPROVED
    assert roles.writes() == [("put", WEEK_END)]
    Lagging.shown = roles.documents
    assert world.reconciler.reconcile(ROLE).applied == (one.id,)


def test_what_an_interrupted_run_put_on_is_not_taken_for_a_stranger_s_hand() -> None:
    world = World()
    one = world.grant()

    def killed(verb: str) -> None:
        if verb == "put":
            raise Killed

    world.roles.after_call = killed
    with pytest.raises(Killed):
        world.reconciler.reconcile(ROLE)
    world.roles.after_call = lambda _: None
    world.desk.revoke(one.id, STEWARD, "over")
    done = world.reconciler.reconcile(ROLE)
    assert (done.deleted, done.drift, done.collected) == ((WEEK_END,), (), (one.id,))


def test_an_error_of_aws_passes_through() -> None:
    world = World()
    world.grant()

    def fail(verb: str) -> None:
        raise AwsUnreachable("IAM did not answer.")

    world.roles.before_call = fail
    with pytest.raises(AwsUnreachable):
        world.reconciler.reconcile(ROLE)


@pytest.mark.parametrize(("moment", "number"), [("read", 3), ("put", 2)])
def test_a_grant_that_others_apply_meanwhile_survives_our_older_view(moment: str, number: int) -> None:
    world = World()
    world.grant()
    writer = Roles()
    writer.documents = world.roles.documents

    def meanwhile(verb: str) -> None:
        if verb == moment and len(world.ledger.requests()) < 3:
            world.grant(f"s3://lake/late-{len(world.ledger.requests())}/")
            Reconciler(world.ledger, writer, world.clock, rules()).reconcile(ROLE)

    world.roles.after_call = meanwhile
    assert world.reconciler.reconcile(ROLE).settled
    grants = [request.grant for request in world.desk.requests()]
    assert len(grants) == number
    assert world.ours() == arrange(ROLE, [grant for grant in grants if grant is not None]).inline
    assert {world.status(request) for request in world.desk.requests()} == {Status.APPLIED}


def test_a_ledger_that_never_rests_is_given_up() -> None:
    world = World()
    world.grant()

    class Restless(MortalLedger):
        def append(self, *args: Any) -> None:
            raise LedgerConflict("somebody was first")

    with pytest.raises(LedgerConflict, match="each time"):
        Reconciler(Restless(world.ledger, world.roles), world.roles, world.clock, rules()).reconcile(ROLE)


def test_a_policy_of_somebody_elses_is_left_alone_whatever_its_name_begins_with() -> None:
    guardrail = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}],
    }
    world = World(Roles({"sm-access-guardrail": guardrail, "sm-access-until-now": guardrail}))
    world.grant()
    done = world.reconciler.reconcile(ROLE)
    assert (done.deleted, done.drift) == ((), ())
    assert world.roles.documents["sm-access-guardrail"] == guardrail
    assert world.roles.documents["sm-access-until-now"] == guardrail


@pytest.mark.parametrize(
    ("rules_then", "fault"),
    [
        ({"reviewers": [f"arn:aws:iam::{ACCOUNT}:role/SomebodyElse"]}, "its approver may not decide on it"),
        ({**RULES, "levels": ["list"]}, "the rules let nobody have it"),
        ({**RULES, "max_duration": "1h"}, "the rules let nobody have it"),
    ],
)
def test_an_approval_that_the_rules_do_not_know_is_named_and_not_applied(rules_then: Any, fault: str) -> None:
    """As in a ledger that somebody wrote an approval into; and as after the rules were narrowed."""
    world = World()
    request = world.grant()
    done = Reconciler(world.ledger, world.roles, world.clock, Rules.from_dict(rules_then)).reconcile(ROLE)
    assert [(each.request_id, each.faults) for each in done.refused] == [(request.id, (fault,))]
    assert world.ours() == {}
    world.reconciler.reconcile(ROLE)
    assert world.ours() != {}
    Reconciler(world.ledger, world.roles, world.clock, Rules.from_dict(rules_then)).reconcile(ROLE)
    assert world.ours() == {}


def test_an_approval_of_the_future_is_not_applied() -> None:
    world = World()
    request = world.grant()
    world.clock.forward(minutes=-6)
    (refused,) = world.reconciler.reconcile(ROLE).refused
    assert (refused.request_id, refused.faults) == (request.id, ("its approval is dated in the future",))
    assert world.ours() == {}
    world.clock.forward(minutes=2)
    assert world.reconciler.reconcile(ROLE).refused == ()


# --- more than fits inline ------------------------------------------------------------------------------------------


def full(count: int = 18, attached_others: int = 2) -> World:
    """A role whose grants do not fit into inline policies alone."""
    world = World(Roles({"own": FOREIGN}, attached_others))
    for number in range(count):
        world.grant(f"s3://lake/team-{number:04d}/raw/", DAY + timedelta(seconds=number), key=KEY)
    return world


def planned(world: World) -> Any:
    grants = [r.grant for r in world.desk.requests() if r.grant is not None and r.in_force_at(world.clock.at)]
    return arrange(ROLE, grants, InUse(planner_characters(FOREIGN), world.roles.attached_others))


def test_the_rest_goes_into_managed_policies_and_leaves_them_again() -> None:
    world = full()
    done = world.reconciler.reconcile(ROLE)
    assert done.settled
    assert world.roles.managed == planned(world).managed != {}
    assert {world.status(request) for request in world.desk.requests()} == {Status.APPLIED}
    again = world.reconciler.reconcile(ROLE)
    assert (again.written, again.deleted, again.drift) == ((), (), ())
    world.clock.forward(days=1, seconds=10)
    done = world.reconciler.reconcile(ROLE)
    assert done.drift == ()
    assert (world.ours(), world.roles.managed) == (planned(world).inline, {})
    assert len(done.collected) == 11
    assert not world.roles.detached


def test_nobody_loses_access_while_grants_move() -> None:
    world = full()
    world.reconciler.reconcile(ROLE)
    world.grant("s3://lake/soonest/", timedelta(hours=1), key=KEY)  # pushes others out of the inline policies
    moving = [request.grant for request in world.desk.requests() if world.status(request) is Status.APPLIED]
    seen: list[bool] = []

    def look(verb: str) -> None:
        statements = [
            statement
            for document in (*world.roles.documents.values(), *world.roles.managed.values())
            for statement in document["Statement"]
        ]
        seen.append(
            all(
                allowed(statements, "s3:GetObject", f"arn:aws:s3:::lake/{grant.target.path}x")
                for grant in moving
                if grant is not None
            )
        )

    world.roles.after_call = look
    world.reconciler.reconcile(ROLE)
    assert len(world.roles.writes()) > 3
    assert all(seen)


def test_where_nothing_more_may_be_attached_what_goes_makes_room() -> None:
    world = full()
    world.reconciler.reconcile(ROLE)
    (name,) = world.roles.managed
    world.roles.managed[f"{name[:-1]}9"] = FOREIGN
    world.roles.managed.pop(name)
    world.roles.attached_others = 9
    done = world.reconciler.reconcile(ROLE)
    assert done.drift == (name, f"{name[:-1]}9")
    assert world.roles.managed == planned(world).managed


def test_what_is_not_attached_any_more_is_attached_again_or_deleted() -> None:
    world = full()
    world.reconciler.reconcile(ROLE)
    (name,) = world.roles.managed
    world.roles.managed.pop(name)
    world.roles.detached |= {name, f"{name[:-1]}7"}
    done = world.reconciler.reconcile(ROLE)
    assert (done.settled, done.drift) == (True, (name,))
    assert world.roles.managed == planned(world).managed
    assert world.roles.detached == set()


def test_a_policy_of_ours_that_somebody_gave_to_others_is_named() -> None:
    world = full()
    world.roles.shared = {"sm-access-notebooks-1"}
    assert world.reconciler.reconcile(ROLE).shared == ("sm-access-notebooks-1",)


def test_drift_is_left_where_that_is_told() -> None:
    world = World()
    one, two = world.grant(), world.grant(duration=DAY)
    world.reconciler.reconcile(ROLE)
    world.roles.documents[WEEK_END] = FOREIGN
    world.clock.forward(days=1)
    done = world.reconciler.reconcile(ROLE, Drift.KEEP)
    assert (done.drift, done.settled, done.unchanged) == ((WEEK_END,), True, ())
    assert world.roles.documents[WEEK_END] == FOREIGN
    assert (world.status(one), world.status(two)) == (Status.APPLIED, Status.COLLECTED)
    assert world.reconciler.reconcile(ROLE).written == (WEEK_END,)


def moving() -> World:
    """A role whose grants move from one policy to another."""
    world = full()
    world.reconciler.reconcile(ROLE)
    world.grant("s3://lake/soonest/", timedelta(hours=1), key=KEY)
    world.clock.forward(seconds=1)
    return world


@pytest.mark.parametrize("when", ["before_call", "after_call"])
@pytest.mark.parametrize("made", [crowded, moving])
def test_killed_at_any_call_and_run_again_it_comes_to_the_same_end(
    when: str, made: Callable[[], World]
) -> None:
    reference = made()
    reference.reconciler.reconcile(ROLE)
    for fuse in itertools.count():
        world = made()
        calls = itertools.count()

        def blow(_: str, calls: Any = calls, fuse: int = fuse) -> None:
            if next(calls) == fuse:
                raise Killed

        setattr(world.roles, when, blow)
        ledger = MortalLedger(world.ledger, world.roles)
        try:
            Reconciler(ledger, world.roles, world.clock, rules()).reconcile(ROLE)
            finished = True
        except Killed:
            finished = False
        setattr(world.roles, when, lambda _: None)
        again = world.reconciler.reconcile(ROLE)
        assert again.settled
        assert set(again.drift) <= {"sm-access-until-20300101T000000Z"}, (
            "an interrupted run is not taken for a stranger's hand"
        )
        assert (world.roles.documents, world.roles.managed) == (
            reference.roles.documents,
            reference.roles.managed,
        )
        assert world.ledger.streams() == reference.ledger.streams()
        if finished:
            break
    assert fuse > 5


def test_the_directory_is_asked_again_about_who_approved() -> None:
    world = World()
    world.grant()
    gone = People(stewards=Facts(reachable=True))
    (refused,) = Reconciler(world.ledger, world.roles, world.clock, rules(), gone).reconcile(ROLE).refused
    assert refused.faults == ("its approver may not decide on it",)
    assert gone.asked == [("stewards", ROLE, "lake", "")]
    assert world.ours() == {}
