"""Where adapters are handed to services: the only place that knows both. Each part is made at its first use."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sm_access.access.desk import Desk
from sm_access.access.proof import Prover
from sm_access.access.reconciler import Reconciler
from sm_access.access.rules import Rules
from sm_access.config import Settings
from sm_access.errors import (
    InvalidDuration,
    InvalidSetting,
    NoCredentials,
    NotSupportedHere,
    UnusableSnapshot,
)

if TYPE_CHECKING:
    from sm_access.access.caller import Caller
    from sm_access.access.fallback import Fallback
    from sm_access.access.identity import Identity
    from sm_access.access.ports import Directory, Notifier
    from sm_access.aws.collector import Collector
    from sm_access.aws.session import Aws
    from sm_access.aws.snapshot import SnapshotStore
    from sm_access.stores import DynamoLedger, SqliteLedger


class SystemClock:
    """The machine's clock, in UTC: the port `Clock`."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)


class Services:
    """Everything a surface needs. Nothing is read, opened or connected before it is used.

    session: a boto3 session to work with instead of the default chain's.
    """

    def __init__(self, settings: Settings | None = None, *, session: Any = None) -> None:
        self._given_settings = settings
        self._session = session
        self._variables = 0
        self.clock = SystemClock()
        #: Waits for so many seconds.
        self.sleep: Callable[[float], None] = time.sleep
        #: Told of each step of a long reading: how many are done, of how many, and of what. By any thread.
        self.progress: Callable[[int, int, str], None] | None = None

    def follow_environment(self) -> Services:
        """Begin anew where a cell has set other variables of AWS's or ours since the last time: itself.

        A kernel keeps its services; who its own next boto3 session would be must not be told wrongly.
        """
        given = (
            (name, value) for name, value in os.environ.items() if name.startswith(("AWS_", "SM_ACCESS_"))
        )
        now = hash(frozenset(given))  # of the values nothing else is kept: some are secrets
        if self._given_settings is None and self._session is None and now != self._variables:
            self._variables = now
            for name, part in vars(type(self)).items():
                if isinstance(part, cached_property):
                    self.__dict__.pop(name, None)
        return self

    @cached_property
    def settings(self) -> Settings:
        return self._given_settings or Settings.load()

    @cached_property
    def aws(self) -> Aws:
        from sm_access.aws.session import Aws

        return Aws(self._session, timeout_seconds=self.settings.timeout_seconds)

    def collector(self, *, refresh: bool = False) -> Collector:
        """What reads for one question. refresh: nothing that was read before."""
        from sm_access.aws.cache import PROCESS
        from sm_access.aws.collector import Collector

        return Collector(
            self.aws,
            PROCESS,
            keep_seconds=self.settings.cache_seconds,
            refresh=refresh,
            progress=self.progress,
        )

    @cached_property
    def workflow(self) -> Settings:
        """The settings for requests: over what the account publishes, where there is no settings file.

        A stand-in without a parameter store publishes nothing, and neither does an account that nobody is signed in to.
        """
        settings = self.settings
        if settings.source is not None:
            return settings
        from sm_access.aws.parameters import collect_parameter
        from sm_access.deployment.team_account import PARAMETER

        try:
            text = collect_parameter(self.aws, PARAMETER)
        except (NoCredentials, NotSupportedHere):
            text = None
        return settings if text is None else settings.with_published(text)

    @cached_property
    def rules(self) -> Rules:
        tables = self.workflow.rules
        beside = {key: tables.get(key, {}) for key in ("bucket", "role")}
        return Rules.from_dict({**tables.get("review", {}), **beside})

    @cached_property
    def ledger(self) -> SqliteLedger | DynamoLedger:
        settings = self.settings if self.settings.ledger_is_given else self.workflow
        table = settings.ledger_table()
        if table is not None:
            from sm_access.aws.dynamodb import DynamoTable
            from sm_access.stores.dynamodb import DynamoLedger

            return DynamoLedger(DynamoTable(self.aws, *table), self.caller)
        from sm_access.stores.sqlite import SqliteLedger

        return SqliteLedger(settings.ledger_path())

    @property
    def desk(self) -> Desk:
        """A desk for one piece of work: what it is told about people and buckets is read anew for the next."""
        return Desk(self.ledger, self.rules, self.clock, self._directory(), self.notifier)

    @cached_property
    def notifier(self) -> Notifier:
        """Who is told what happens to requests. Raises InvalidSetting."""
        from sm_access.notify.notifiers import Channel, Log, Notifiers
        from sm_access.notify.webhook import Webhook
        from sm_access.presentation.notification import notification

        def channel(name: str) -> Channel:
            if name == "log":
                return Log()
            if name.startswith("arn:"):
                from sm_access.aws.sns import SnsTopic

                return SnsTopic(self.aws, name)
            return Webhook(name)

        return Notifiers([channel(name) for name in self.workflow.notify], notification)

    def _directory(self) -> Directory:
        from sm_access.aws.directory import AwsDirectory

        return AwsDirectory(self.aws)

    def rehearsal(self) -> Desk:
        """A desk with the same rules over a ledger that is forgotten at once: for dry runs."""
        from sm_access.stores.memory import MemoryLedger

        return Desk(MemoryLedger(), self.rules, self.clock)

    @property
    def reconciler(self) -> Reconciler:
        from sm_access.aws.role_writer import IamRoleWriter

        return Reconciler(
            self.ledger, IamRoleWriter(self.aws), self.clock, self.rules, self._directory(), self.notifier
        )

    @cached_property
    def prover(self) -> Prover:
        from sm_access.aws.prober import S3Prober

        def pause(seconds: int) -> None:
            if self.progress is not None:
                self.progress(0, 1, f"IAM is making a change known; asking again in {seconds} s")
            self.sleep(seconds)

        return Prover(self.ledger, S3Prober(self.aws), self.clock, pause)

    @cached_property
    def snapshot_max_age(self) -> timedelta:
        """How old a published snapshot may be to be relied on."""
        from sm_access.access.duration import parse_duration

        try:
            return parse_duration(self.settings.snapshot_max_age)
        except InvalidDuration as error:
            raise InvalidSetting(
                f"The setting snapshot_max_age is {self.settings.snapshot_max_age!r}, which is no length of time.",
                remedy="Write it like 12h or 7d.",
            ) from error

    def snapshots(self, account: str, place: str | None = None) -> SnapshotStore:
        """Where snapshots of the account's roles are published; place: instead of where the setting says."""
        from sm_access.aws.snapshot import SnapshotStore

        return SnapshotStore(self.aws, account, place or self.settings.snapshot)

    def fallback(self, caller: Caller, *, probe: bool) -> Fallback:
        """The sources to ask where the caller's policies may not be read. probe: somebody agreed to real calls."""
        from sm_access.access.fallback import Fallback
        from sm_access.access.snapshot import Snapshot, decode, file_name
        from sm_access.aws.deadline import Deadline
        from sm_access.aws.observer import S3Observer
        from sm_access.aws.sagemaker_site import read_metadata
        from sm_access.aws.simulator import IamSimulator

        deadline = Deadline(self.settings.timeout_seconds)  # for all of them together

        def snapshot() -> Snapshot:
            if ":role/" not in caller.principal:
                raise UnusableSnapshot("Snapshots are published of roles alone.")
            content = self.snapshots(caller.account).read(file_name(caller.account, caller.principal))
            return decode(content, caller, self.clock.now())

        role = read_metadata(self.settings.resource_metadata).get("ExecutionRoleArn", "")
        return Fallback(
            self.clock,
            snapshot=lambda: deadline.start(snapshot, "reading the published snapshot").result(),
            max_age=self.snapshot_max_age,
            simulator=IamSimulator(self.aws, role, deadline),
            observer=S3Observer(self.aws, self.clock, deadline) if probe else None,
        )

    def caller(self) -> Caller:
        """Who AWS says is calling. Raises NoCredentials, ExpiredCredentials, AwsUnreachable."""
        from sm_access.aws.identity import collect_caller

        return collect_caller(self.aws)

    def identity(self, *, thorough: bool = True) -> Identity:
        """Who this process is. thorough: IAM and SageMaker are asked as well, not STS alone.

        Where STS does not answer, `caller` is None. Raises NoCredentials, InvalidSetting.
        """
        from sm_access.aws.identity import collect_identity

        return collect_identity(self.aws, self.settings.resource_metadata, thorough=thorough)


def identity_view() -> dict[str, Any]:
    """This process's identity as JSON, read afresh: what the Jupyter server answers about itself.

    Raises what kept AWS from telling who this is.
    """
    from sm_access.presentation.identity import identity_view as view

    services = Services()
    identity = services.identity(thorough=False)
    if identity.unasked is not None:
        raise identity.unasked
    return view(identity, services.clock.now())
