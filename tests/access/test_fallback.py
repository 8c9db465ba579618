"""Other sources, in order, until one settles it - and none of them makes a yes of a no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sm_access.access.evidence import BucketEvidence, PrincipalEvidence, Unread
from sm_access.access.fallback import SIMULATE, Fallback
from sm_access.access.holder import HeldPolicy, Holder, HolderKind
from sm_access.access.level import Level
from sm_access.access.levels import Check
from sm_access.access.observation import Call, Observation, Plan, Source, plan_for, seen
from sm_access.access.probe import Outcome
from sm_access.access.simulated import SimulatedDecision, Simulation, example_of, stands_for_many
from sm_access.access.snapshot import Snapshot
from sm_access.access.target import S3Target
from sm_access.access.verdict import Verdict, context_of, decide, judge
from sm_access.errors import AccessDenied, CannotTell, UnusableSnapshot
from sm_access.policy import UNREADABLE, Decision, NamedPolicy, parse_policy

ACCOUNT, OTHER = "111122223333", "444455556666"
NOW = datetime(2026, 11, 24, 21, tzinfo=timezone.utc)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/notebooks"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker"
KEY = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
RAW, ONE, WHOLE = S3Target("lake", "raw/"), S3Target("lake", "raw/x.csv"), S3Target("lake")
Statement = Mapping[str, Any]


def allow(action: Any = "s3:*", resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "s3:*", resource: Any = "*", **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def document(*statements: Statement) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def policy(*statements: Statement, name: str = "inline") -> NamedPolicy:
    return NamedPolicy(name, parse_policy(document(*statements), name=name), "inline")


def principal(*statements: Statement, **changes: Any) -> PrincipalEvidence:
    found = PrincipalEvidence(SESSION, ROLE, ACCOUNT, (policy(*statements),) if statements else (), None, NOW)
    return replace(found, **changes)


def hidden(**changes: Any) -> PrincipalEvidence:
    """Somebody who may read nothing of IAM."""
    unread = (
        Unread("the policies of the role", "iam:ListRolePolicies"),
        Unread("the organization's policies"),
    )
    return principal(
        **{"identity": UNREADABLE, "boundary": UNREADABLE, "iam_arn": None, "unread": unread, **changes}
    )


def bucket(**changes: Any) -> BucketEvidence:
    found = BucketEvidence("lake", ACCOUNT, None, True, None, None, "eu-central-1", NOW)
    return replace(found, **changes)


class Clock:
    def now(self) -> datetime:
        return NOW


@dataclass
class World:
    """What is really so, behind all sources. The simulator and the observer are doubles: of what
    SimulatePrincipalPolicy is documented to look at, and of S3 when the call carries no key that is not known."""

    principal: PrincipalEvidence
    bucket: BucketEvidence
    keys: tuple[str, ...] = ("raw/x.csv",)
    asked: list[str] = field(default_factory=list)
    organization: bool | None = None

    def simulate(
        self, who: PrincipalEvidence, where: BucketEvidence, checks: Sequence[Check], now: datetime
    ) -> Sequence[Simulation | None]:
        self.asked.append("simulate")
        return [self._simulate(where, check, now) for check in checks]

    def _simulate(self, where: BucketEvidence, check: Check, now: datetime) -> Simulation:
        real = replace(check, resource_arn=example_of(check.resource_arn))
        alone = replace(where, policy=None, kms_policy=(_TRUSTS,), owner_account=ACCOUNT)
        context, unknown = context_of(self.principal, alone, real, now)
        del context
        response = decide(self.principal, alone, real, now, absent=unknown)
        words = {
            Decision.ALLOW: SimulatedDecision.ALLOWED,
            Decision.EXPLICIT_DENY: SimulatedDecision.EXPLICIT_DENY,
        }
        bounded = None
        if self.principal.boundary is not None:
            fence = replace(self.principal, identity=(policy(allow("*")),))
            bounded = decide(fence, alone, real, now, absent=unknown).decision is Decision.ALLOW
        told = response.deciding
        return Simulation(
            words.get(response.decision, SimulatedDecision.IMPLICIT_DENY),
            now,
            () if told is None else (told.policy,),
            tuple(unknown),
            bounded,
            self.organization,
            stands_for_many(check.resource_arn),
        )

    def list(self, bucket: str, prefix: str) -> Observation:
        self.asked.append(f"list {prefix}")
        context = {"s3:prefix": prefix} if prefix else {}
        return self._call(Call.LIST, prefix, Check("s3:ListBucket", "arn:aws:s3:::lake", context))

    def first_key(self, bucket: str, prefix: str) -> str | None:
        return next((key for key in self.keys if key.startswith(prefix)), None)

    def read(self, bucket: str, key: str) -> Observation:
        self.asked.append(f"read {key}")
        found = self._call(Call.READ, key, Check("s3:GetObject", f"arn:aws:s3:::lake/{key}"))
        if found.outcome is Outcome.ALLOWED and self.bucket.kms_key_arn:
            via = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}
            return self._call(Call.READ, key, Check("kms:Decrypt", self.bucket.kms_key_arn, via))
        return found

    def _call(self, call: Call, name: str, check: Check) -> Observation:
        _, unknown = context_of(self.principal, self.bucket, check, NOW)
        allowed = decide(self.principal, self.bucket, check, NOW, absent=unknown).decision is Decision.ALLOW
        return Observation(call, "lake", name, Outcome.ALLOWED if allowed else Outcome.DENIED, NOW)


_TRUSTS = policy(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), name="key policy")


def nothing() -> Snapshot:
    raise UnusableSnapshot("No snapshot was published in this account.")


def snapshot_of(*statements: Statement, age: timedelta = timedelta(hours=2)) -> Snapshot:
    holder = Holder(HolderKind.ROLE, ROLE, (HeldPolicy("data", "inline", document(*statements)),))
    return Snapshot(holder, ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/ada", NOW - age)


class Denying:
    def simulate(self, *_: Any) -> Sequence[Simulation | None]:
        raise AccessDenied("AWS denied SimulatePrincipalPolicy.")


def sources(world: Any = None, *, snapshot: Snapshot | None = None, probe: bool = False) -> Fallback:
    def read() -> Snapshot:
        return snapshot or nothing()

    return Fallback(
        Clock(),
        snapshot=read,
        max_age=timedelta(days=7),
        simulator=world or Denying(),
        observer=world if probe else None,
    )


def told(verdict: Verdict) -> list[Source]:
    return [origin.source for origin in verdict.origins]


class TestOrder:
    def test_readable_policies_need_no_other_source(self) -> None:
        world = World(principal(), bucket())
        found = sources(world, snapshot=snapshot_of(allow())).judge(principal(), bucket(), RAW, Level.READ)
        assert found.decision is Decision.IMPLICIT_DENY
        assert found.origins == ()
        assert world.asked == []

    def test_a_deny_that_is_known_is_not_asked_about(self) -> None:
        closed = bucket(policy=(policy(deny(Principal="*")),))
        world = World(principal(allow()), closed)
        found = sources(world, snapshot=snapshot_of(allow()), probe=True).judge(
            hidden(), closed, RAW, Level.LIST
        )
        assert found.decision is Decision.EXPLICIT_DENY
        assert world.asked == []

    def test_a_snapshot_comes_before_a_simulation(self) -> None:
        world = World(principal(allow()), bucket())
        found = sources(world, snapshot=snapshot_of(allow())).judge(hidden(), bucket(), RAW, Level.READ)
        assert found.decision is Decision.ALLOW
        assert told(found) == [Source.SNAPSHOT]
        assert found.origins[0].by.endswith("/ada")
        assert found.read_at == NOW - timedelta(hours=2)
        assert world.asked == []
        assert not any(item.permission.startswith("iam:") for item in found.unread)
        assert any("organization" in item.what for item in found.unread)

    def test_a_simulation_comes_before_a_call(self) -> None:
        world = World(principal(allow()), bucket())
        found = sources(world, probe=True).judge(hidden(), bucket(), RAW, Level.LIST)
        assert found.decision is Decision.ALLOW
        assert told(found) == [Source.SIMULATION]
        assert world.asked == ["simulate"]
        assert [attempt.source for attempt in found.attempts] == [Source.SNAPSHOT]

    def test_what_is_still_open_is_said_with_what_would_settle_it(self) -> None:
        found = sources().judge(hidden(), bucket(), RAW, Level.READ)
        assert found.decision is Decision.UNDETERMINED
        assert [(attempt.source, attempt.permission) for attempt in found.attempts] == [
            (Source.SNAPSHOT, ""),
            (Source.SIMULATION, SIMULATE),
        ]
        assert found.plan == Plan("lake", lists=("raw/",), finds=("raw/",))

    def test_in_part_is_an_answer(self) -> None:
        world = World(principal(), bucket())
        who = principal(allow(), deny("s3:GetObject", "arn:aws:s3:::lake/raw/secret/*"))
        found = sources(world, probe=True).judge(who, bucket(), RAW, Level.READ)
        assert found.exceptions
        assert world.asked == []

    def test_who_is_refused_once_is_not_asked_again(self) -> None:
        calls = []

        class Counting(Denying):
            def simulate(self, *given: Any) -> Sequence[Simulation | None]:
                calls.append(given)
                return super().simulate(*given)

        fallback = sources(Counting())
        for target in (RAW, ONE, WHOLE):
            assert fallback.judge(hidden(), bucket(), target, Level.READ).decision is Decision.UNDETERMINED
        assert len(calls) == 1

    def test_all_levels_are_simulated_at_once(self) -> None:
        world = World(principal(allow()), bucket())
        found = sources(world).judge_levels(hidden(), bucket(), RAW)
        assert found[Level.LIST].decision is Decision.ALLOW
        assert world.asked == ["simulate"]
        whole = sources(world).judge_levels(principal(allow()), bucket(), RAW)
        assert {verdict.decision for verdict in whole.values()} == {Decision.ALLOW}
        world.asked.clear()
        kept = sources(world, snapshot=snapshot_of(allow())).judge_levels(hidden(), bucket(), RAW)
        assert {verdict.decision for verdict in kept.values()} == {Decision.ALLOW}
        assert world.asked == []


class TestSnapshot:
    def test_too_old_settles_nothing_and_says_what_it_would(self) -> None:
        old = snapshot_of(allow(), age=timedelta(days=8))
        found = sources(snapshot=old).judge(hidden(), bucket(), RAW, Level.READ)
        assert found.decision is Decision.UNDETERMINED
        assert found.origins == ()
        (attempt, _) = found.attempts
        assert attempt.would_say is Decision.ALLOW
        assert "too old" in attempt.why

    @pytest.mark.parametrize("age", [timedelta(hours=2), timedelta(days=8)])
    def test_it_names_the_places_worth_asking_about_unless_it_is_too_old(self, age: timedelta) -> None:
        kept = snapshot_of(allow(), age=age)
        known = sources(snapshot=kept).known(hidden())
        assert (known.identity is UNREADABLE) is (age > timedelta(days=7))
        assert sources().known(hidden()).identity is UNREADABLE
        whole = principal(allow())
        assert sources(snapshot=kept).known(whole) is whole

    def test_a_layer_that_was_read_is_kept(self) -> None:
        fence = (policy(allow("ec2:*")),)
        found = sources(snapshot=snapshot_of(allow())).judge(
            hidden(boundary=fence), bucket(), RAW, Level.READ
        )
        assert found.decision is Decision.IMPLICIT_DENY
        assert told(found) == []  # the boundary alone closes it, whatever the identity policies say

    def test_one_with_a_hole_leaves_the_rest_to_the_simulation(self) -> None:
        whole = snapshot_of(allow())
        torn = replace(
            whole,
            role=replace(whole.role, boundary=HeldPolicy("fence", "boundary", None, "iam:GetPolicyVersion")),
        )
        world = World(principal(allow()), bucket())
        found = sources(world, snapshot=torn).judge(hidden(), bucket(), RAW, Level.LIST)
        assert found.decision is Decision.ALLOW
        assert told(found) == [Source.SNAPSHOT, Source.SIMULATION]


class TestSimulation:
    def test_a_key_allows_where_key_policy_and_role_do(self) -> None:
        encrypted = bucket(kms_key_arn=KEY, kms_policy=(_TRUSTS,))
        yes = World(principal(allow(), allow("kms:*")), encrypted)
        assert sources(yes).judge(hidden(), encrypted, ONE, Level.READ).decision is Decision.ALLOW
        without = World(principal(allow()), encrypted)
        found = sources(without).judge(hidden(), encrypted, ONE, Level.READ)
        assert found.decision is Decision.IMPLICIT_DENY
        assert found.with_grant is Decision.UNDETERMINED  # there may be a boundary
        unbounded = sources(without).judge(hidden(boundary=None), encrypted, ONE, Level.READ)
        assert unbounded.with_grant is Decision.ALLOW

    def test_of_a_place_one_object_stands_for_no_other(self) -> None:
        world = World(principal(allow()), bucket())
        found = sources(world).judge(hidden(), bucket(), RAW, Level.READ)
        assert found.decision is Decision.UNDETERMINED
        assert "a part of s3://lake/raw/" in found.unsettled
        assert sources(world).judge(hidden(), bucket(), ONE, Level.READ).decision is Decision.ALLOW

    def test_a_part_that_is_closed_is_not_overlooked(self) -> None:
        world = World(principal(allow(), deny("s3:GetObject", "*.secret")), bucket())
        assert sources(world).judge(hidden(), bucket(), RAW, Level.READ).decision is Decision.UNDETERMINED

    def test_of_the_objects_that_are_named_to_a_key_one_stands_for_no_other(self) -> None:
        encrypted = bucket(kms_key_arn=KEY, kms_policy=(_TRUSTS,), bucket_key=False)
        world = World(principal(allow("kms:*")), encrypted)
        found = sources(world).judge(hidden(), encrypted, RAW, "kms:Decrypt")
        assert found.decision is Decision.UNDETERMINED
        assert "a part of s3://lake/raw/" in found.unsettled
        by_bucket = replace(encrypted, bucket_key=True)
        assert sources(world).judge(hidden(), by_bucket, RAW, "kms:Decrypt").decision is Decision.ALLOW

    def test_the_buckets_side_still_decides(self) -> None:
        world = World(principal(allow()), bucket())
        unread = bucket(policy=UNREADABLE)
        assert sources(world).judge(hidden(), unread, ONE, Level.READ).decision is Decision.UNDETERMINED
        elsewhere = bucket(owner_account=OTHER)
        assert sources(world).judge(hidden(), elsewhere, ONE, Level.READ).decision is Decision.IMPLICIT_DENY

    def test_a_bucket_policy_can_grant_what_the_role_lacks(self) -> None:
        granting = bucket(
            policy=(policy(allow("s3:GetObject", "arn:aws:s3:::lake/*", Principal={"AWS": ROLE})),)
        )
        world = World(principal(), granting)
        found = sources(world).judge(hidden(boundary=None), granting, ONE, Level.READ)
        assert found.decision is Decision.ALLOW
        fenced = World(principal(boundary=(policy(allow("ec2:*")),)), granting)
        found = sources(fenced).judge(hidden(), granting, ONE, Level.READ)
        assert found.decision is Decision.IMPLICIT_DENY

    def test_a_boundary_that_does_not_allow_is_told_from_policies_that_do_not(self) -> None:
        fenced = World(principal(allow(), boundary=(policy(allow("ec2:*")),)), bucket())
        simulation = fenced.simulate(hidden(), bucket(), [Check("s3:GetObject", "arn:aws:s3:::lake/k")], NOW)[
            0
        ]
        assert simulation is not None
        assert simulation.by_boundary is False
        found = sources(fenced).judge(hidden(), bucket(), ONE, Level.READ)
        assert found.decision is Decision.IMPLICIT_DENY
        assert found.with_grant is Decision.IMPLICIT_DENY

    @pytest.mark.parametrize(
        "statement",
        [
            allow(Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
            deny(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}),
        ],
    )
    def test_a_key_that_only_the_real_call_has_leaves_it_open(self, statement: Statement) -> None:
        world = World(principal(allow("ec2:*"), statement), bucket())
        found = sources(world).judge(hidden(), bucket(), ONE, Level.READ)
        assert found.decision is Decision.UNDETERMINED
        assert "aws:sourcevpce" in found.deciding.response.depends_on[0].lower()

    def test_a_key_of_another_action_does_not(self) -> None:
        class Odd(World):
            def _simulate(self, *given: Any) -> Simulation:
                found = super()._simulate(*given)
                return replace(
                    found,
                    missing=("iam:PassedToService", "s3:prefix", "kms:ViaService", "dynamodb:LeadingKeys"),
                )

        world = Odd(principal(allow()), bucket())
        assert sources(world).judge(hidden(), bucket(), ONE, Level.READ).decision is Decision.ALLOW
        assert sources(world).judge(hidden(), bucket(), WHOLE, Level.LIST).decision is Decision.ALLOW

    @pytest.mark.parametrize(
        "key", ["ec2:SourceInstanceArn", "lambda:SourceFunctionArn", "glue:RoleAssumedBy"]
    )
    def test_a_key_that_a_session_carries_does(self, key: str) -> None:
        class Odd(World):
            def _simulate(self, *given: Any) -> Simulation:
                return replace(super()._simulate(*given), missing=(key,))

        world = Odd(principal(allow()), bucket())
        assert sources(world).judge(hidden(), bucket(), ONE, Level.READ).decision is Decision.UNDETERMINED

    @pytest.mark.parametrize("decision", SimulatedDecision)
    def test_an_organization_that_denies_leaves_it_open(self, decision: SimulatedDecision) -> None:
        class Bound(World):
            def _simulate(self, *given: Any) -> Simulation:
                return replace(super()._simulate(*given), decision=decision, by_organization=False)

        found = sources(Bound(principal(allow()), bucket())).judge(hidden(), bucket(), ONE, Level.READ)
        assert found.decision is Decision.UNDETERMINED
        assert "service control policies" in found.deciding.response.depends_on[0]

    def test_an_organization_that_allows_leaves_its_conditions_unread(self) -> None:
        world = World(principal(allow()), bucket(), organization=True)
        found = sources(world).judge(hidden(), bucket(), ONE, Level.READ)
        assert found.decision is Decision.ALLOW
        assert [item.what for item in found.unread] == [
            "conditions of the organization's service control policies, and its resource control policies"
        ]

    def test_a_simulated_no_is_never_a_yes(self) -> None:
        """Statements that matched, a boundary that allows, and still no: for a reason that is not told."""

        class Odd(World):
            def _simulate(self, *given: Any) -> Simulation:
                return Simulation(SimulatedDecision.IMPLICIT_DENY, NOW, ("wide",), (), True)

        found = sources(Odd(principal(allow()), bucket())).judge(hidden(), bucket(), ONE, Level.READ)
        assert found.decision is Decision.IMPLICIT_DENY

    def test_no_answer_is_none(self) -> None:
        class Silent:
            def simulate(self, who: Any, where: Any, checks: Any, now: Any) -> Sequence[Simulation | None]:
                return [None for _ in checks]

        found = sources(Silent()).judge(hidden(), bucket(), RAW, Level.READ)
        assert found.decision is Decision.UNDETERMINED
        assert "did not say" in found.attempts[-1].why

    def test_one_answer_of_two_leaves_the_other_open(self) -> None:
        class Half(World):
            def simulate(self, *given: Any) -> Sequence[Simulation | None]:
                return [found if at == 0 else None for at, found in enumerate(super().simulate(*given))]

        encrypted = bucket(kms_key_arn=KEY, kms_policy=(_TRUSTS,))
        world = Half(principal(allow(), allow("kms:*")), encrypted)
        assert sources(world).judge(hidden(), encrypted, ONE, Level.READ).decision is Decision.UNDETERMINED

    def test_a_simulation_that_failed_is_said(self) -> None:
        class Broken:
            def simulate(self, *_: Any) -> Sequence[Simulation | None]:
                raise CannotTell("AWS answered ServiceFailure.")

        found = sources(Broken()).judge(hidden(), bucket(), RAW, Level.READ)
        assert found.attempts[-1].why == "AWS answered ServiceFailure."

    def test_no_level_means_it_and_no_grant_is_weighed(self) -> None:
        world = World(principal(), bucket())
        found = sources(world).judge(hidden(), bucket(), ONE, "s3:GetObjectTagging")
        assert found.decision is Decision.IMPLICIT_DENY
        assert found.with_grant is None


class TestProbe:
    def seen(self, world: World, target: S3Target, level: Level | str, who: PrincipalEvidence) -> Verdict:
        fallback = Fallback(
            Clock(), snapshot=nothing, max_age=timedelta(days=7), simulator=Denying(), observer=world
        )
        return fallback.judge(who, world.bucket, target, level)

    def test_a_listing_that_worked_is_a_yes_for_that_prefix(self) -> None:
        world = World(principal(allow("s3:ListBucket")), bucket())
        found = self.seen(world, RAW, Level.LIST, hidden())
        assert found.decision is Decision.ALLOW
        assert told(found) == [Source.PROBE]
        assert world.asked == ["list raw/"]
        assert found.all_seen

    def test_a_listing_that_was_refused_is_a_no(self) -> None:
        world = World(principal(), bucket())
        found = self.seen(world, RAW, Level.READ, hidden())
        assert found.decision is Decision.IMPLICIT_DENY
        assert world.asked == ["list raw/"]  # the first key could not be found out

    def test_one_object_that_was_read_says_nothing_of_the_others(self) -> None:
        world = World(principal(allow()), bucket())
        found = self.seen(world, RAW, Level.READ, hidden())
        assert world.asked == ["list raw/", "read raw/x.csv"]
        assert found.decision is Decision.UNDETERMINED
        assert not found.all_seen

    def test_one_object_that_was_refused_closes_the_place(self) -> None:
        world = World(principal(allow("s3:ListBucket")), bucket())
        assert self.seen(world, RAW, Level.READ, hidden()).decision is Decision.IMPLICIT_DENY

    def test_nothing_there_shows_nothing(self) -> None:
        world = World(principal(allow()), bucket(), keys=())
        assert self.seen(world, RAW, Level.READ, hidden()).decision is Decision.UNDETERMINED

    def test_the_object_that_was_asked_about_is_a_yes_with_its_key(self) -> None:
        encrypted = bucket(kms_key_arn=KEY, kms_policy=UNREADABLE)
        world = World(principal(allow(), allow("kms:*")), replace(encrypted, kms_policy=(_TRUSTS,)))
        fallback = Fallback(
            Clock(), snapshot=nothing, max_age=timedelta(days=7), simulator=Denying(), observer=world
        )
        assert fallback.judge(hidden(), encrypted, ONE, Level.READ).decision is Decision.ALLOW
        assert fallback.judge(hidden(), encrypted, RAW, Level.READ).decision is Decision.UNDETERMINED
        assert world.asked.count("read raw/x.csv") == 1  # each call is made once
        unread = bucket(encryption_read=False)
        assert (
            self.seen(World(principal(allow()), unread), ONE, Level.READ, hidden()).decision is Decision.ALLOW
        )

    def test_a_named_object_that_was_refused_may_not_be_there(self) -> None:
        world = World(principal(), bucket())
        found = self.seen(world, ONE, Level.READ, hidden())
        assert found.decision is Decision.UNDETERMINED
        assert told(found) == []

    @pytest.mark.parametrize(
        "asked", [Level.WRITE, Level.DELETE, "s3:PutObject", "kms:Decrypt", "s3:GetObjectTagging"]
    )
    def test_nothing_is_ever_written_deleted_or_decrypted_to_see(self, asked: Level | str) -> None:
        encrypted = bucket(kms_key_arn=KEY, kms_policy=(_TRUSTS,))
        world = World(principal(allow("*")), encrypted)
        found = self.seen(world, ONE, asked, hidden())
        assert found.decision is Decision.UNDETERMINED
        assert world.asked == []
        assert found.plan is None

    def test_a_condition_that_only_a_real_call_meets_can_be_seen(self) -> None:
        """The policies are read, and hang on where the call comes from: a call shows it."""
        who = principal(allow(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}))
        world = World(who, bucket())
        assert self.seen(world, RAW, Level.LIST, who).decision is Decision.ALLOW

    def test_what_was_refused_outweighs_what_policies_say(self) -> None:
        """An organization that cannot be read: every policy allows, S3 refuses."""
        who = hidden()
        world = World(principal(), bucket())
        verdict = judge(principal(allow()), bucket(), RAW, Level.LIST, now=NOW)
        refused = replace(verdict, observations=(world.list("lake", "raw/"),))
        assert verdict.decision is Decision.ALLOW
        assert refused.decision is Decision.IMPLICIT_DENY
        closed = judge(principal(deny()), bucket(), RAW, Level.LIST, now=NOW)
        opened = Observation(Call.LIST, "lake", "raw/", Outcome.ALLOWED, NOW)
        assert replace(closed, observations=(opened,)).decision is Decision.EXPLICIT_DENY
        refusal = replace(opened, outcome=Outcome.DENIED)
        assert replace(closed, observations=(refusal,)).decision is Decision.EXPLICIT_DENY
        assert who.iam_arn is None

    def test_another_listing_is_another_question(self) -> None:
        check = Check("s3:ListBucket", "arn:aws:s3:::lake", {"s3:prefix": "raw/"})
        for name in ("", "raw", "raw/x/"):
            assert seen(check, (Observation(Call.LIST, "lake", name, Outcome.ALLOWED, NOW),)) is None
        other = Observation(Call.LIST, "lake2", "raw/", Outcome.ALLOWED, NOW)
        assert seen(check, (other,)) is None
        assert seen(Check("kms:Decrypt", KEY), (other,)) is None
        failed = replace(other, bucket="lake", outcome=Outcome.FAILED)
        assert seen(check, (failed,)) is None

    def test_the_plan_names_each_call_once(self) -> None:
        checks = [
            Check("s3:ListBucket", "arn:aws:s3:::lake"),
            Check("s3:ListBucket", "arn:aws:s3:::lake"),
            Check("s3:GetObject", "arn:aws:s3:::lake/k"),
            Check("s3:GetObject", "arn:aws:s3:::lake/*"),
            Check("s3:PutObject", "arn:aws:s3:::lake/*"),
        ]
        assert plan_for("lake", checks) == Plan("lake", ("",), ("k",), ("",))
        assert not plan_for("lake", checks[-1:])


# --- the law ----------------------------------------------------------------------------------------------------------

ALL = allow("*")
VPCE = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
IDENTITIES: list[list[Statement]] = [
    [],
    [ALL],
    [allow("s3:*")],
    [allow("s3:ListBucket"), allow("kms:*")],
    [ALL, deny("s3:GetObject", "arn:aws:s3:::lake/raw/secret/*")],
    [ALL, deny("s3:GetObject", "arn:aws:s3:::lake/*.csv")],
    [ALL, deny("s3:ListBucket", Condition={"StringLike": {"s3:prefix": "raw/*"}})],
    [ALL, deny("s3:*", Condition=VPCE)],
    [ALL, deny("s3:*", Condition={"StringNotEquals": VPCE["StringEquals"]})],
    [allow("*", Condition=VPCE)],
    [
        allow("s3:*", "arn:aws:s3:::lake/raw/x.csv"),
        allow("s3:ListBucket", Condition={"StringEquals": {"s3:prefix": ""}}),
    ],
]
BOUNDARIES: list[list[Statement] | None] = [
    None,
    [ALL],
    [allow("ec2:*")],
    [ALL, deny("s3:GetObject", "arn:aws:s3:::lake/raw/y*")],
    [ALL, deny("kms:*")],
    [allow("*", Condition=VPCE)],
]
RESOURCES: list[list[Statement] | None] = [
    None,
    [allow("s3:*", Principal={"AWS": ROLE})],
    [allow("s3:*", Principal={"AWS": SESSION})],
    [deny("s3:GetObject", Principal="*")],
    [deny("s3:*", "arn:aws:s3:::lake/raw/z/*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})],
]


@pytest.mark.parametrize("identity", IDENTITIES, ids=range(len(IDENTITIES)))
@pytest.mark.parametrize("source", ["snapshot", "simulator", "calls"])
def test_no_source_makes_a_yes_of_a_no(identity: list[Statement], source: str) -> None:
    """For the same true policies, whichever layers cannot be read and whichever sources there are."""
    start = IDENTITIES.index(
        identity
    )  # each meets every boundary and every resource policy, if not each pair of them
    for at, boundary in enumerate(BOUNDARIES):
        resource, encrypted = RESOURCES[(start + at) % len(RESOURCES)], at % 2 == 0
        who = replace(
            principal(*identity), boundary=None if boundary is None else (policy(*boundary, name="fence"),)
        )
        where = bucket(
            policy=None if resource is None else (policy(*resource, name="bucket policy"),),
            kms_key_arn=KEY if encrypted else None,
            kms_policy=(_TRUSTS,) if encrypted else None,
        )
        role = Holder(
            HolderKind.ROLE,
            ROLE,
            (HeldPolicy("inline", "inline", document(*identity)),) if identity else (),
            None if boundary is None else HeldPolicy("fence", "boundary", document(*boundary)),
        )
        world = World(who, where)
        fallback = Fallback(
            Clock(),
            snapshot=lambda held=role: (
                Snapshot(held, ACCOUNT, ROLE, NOW) if source == "snapshot" else nothing()
            ),
            max_age=timedelta(days=7),
            simulator=world if source == "simulator" else Denying(),
            observer=world if source == "calls" else None,
        )
        hidings = (
            (replace(who, identity=UNREADABLE, boundary=UNREADABLE), where),
            (replace(who, boundary=UNREADABLE), replace(where, policy=UNREADABLE)),
        )
        for target, level in ((RAW, Level.LIST), (RAW, Level.READ), (ONE, Level.READ)):
            known = judge(who, where, target, level, now=NOW)
            truth = known.decision
            for seen_who, seen_where in hidings:
                found = fallback.judge(seen_who, seen_where, target, level)
                observed = bool(found.observations)
                assert not (found.decision is Decision.ALLOW and (truth in NO or known.exceptions))
                assert observed or found.decision is not Decision.ALLOW or truth is Decision.ALLOW
                assert observed or found.decision not in NO or truth is not Decision.ALLOW


NO = {Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY}
