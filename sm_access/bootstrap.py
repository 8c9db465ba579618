"""Where adapters are handed to services: the only place that knows both. Each part is made at its first use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sm_access.access.desk import Desk
from sm_access.access.proof import Prover
from sm_access.access.reconciler import Reconciler
from sm_access.access.rules import Rules
from sm_access.config import Settings
from sm_access.errors import InvalidDuration, InvalidSetting, UnusableSnapshot

if TYPE_CHECKING:
    from sm_access.access.caller import Caller
    from sm_access.access.fallback import Fallback
    from sm_access.access.identity import Identity
    from sm_access.aws.session import Aws
    from sm_access.aws.snapshot import SnapshotStore
    from sm_access.stores.sqlite import SqliteLedger


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
        self.clock = SystemClock()
        #: Told of each step of a long reading: how many are done, of how many, and of what. By any thread.
        self.progress: Callable[[int, int, str], None] | None = None

    @cached_property
    def settings(self) -> Settings:
        return self._given_settings or Settings.load()

    @cached_property
    def aws(self) -> Aws:
        from sm_access.aws.session import Aws

        return Aws(self._session, timeout_seconds=self.settings.timeout_seconds)

    @cached_property
    def rules(self) -> Rules:
        tables = self.settings.rules
        return Rules.from_dict({**tables.get("review", {}), "bucket": tables.get("bucket", {})})

    @cached_property
    def ledger(self) -> SqliteLedger:
        from sm_access.stores.sqlite import SqliteLedger

        return SqliteLedger(self.settings.ledger_path())

    @cached_property
    def desk(self) -> Desk:
        return Desk(self.ledger, self.rules, self.clock)

    def rehearsal(self) -> Desk:
        """A desk with the same rules over a ledger that is forgotten at once: for dry runs."""
        from sm_access.stores.memory import MemoryLedger

        return Desk(MemoryLedger(), self.rules, self.clock)

    @cached_property
    def reconciler(self) -> Reconciler:
        from sm_access.aws.role_writer import IamRoleWriter

        return Reconciler(self.ledger, IamRoleWriter(self.aws), self.clock, self.rules)

    @cached_property
    def prover(self) -> Prover:
        from sm_access.aws.prober import S3Prober

        return Prover(self.ledger, S3Prober(self.aws), self.clock)

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
        from sm_access.aws.identity import read_metadata
        from sm_access.aws.prober import S3Observer
        from sm_access.aws.simulator import IamSimulator

        def snapshot() -> Snapshot:
            if ":role/" not in caller.principal:
                raise UnusableSnapshot("Snapshots are published of roles alone.")
            content = self.snapshots(caller.account).read(file_name(caller.account, caller.principal))
            return decode(content, caller, self.clock.now())

        role = read_metadata(self.settings.resource_metadata).get("ExecutionRoleArn", "")
        return Fallback(
            self.clock,
            snapshot=snapshot,
            max_age=self.snapshot_max_age,
            simulator=IamSimulator(self.aws, role),
            observer=S3Observer(self.aws, self.clock) if probe else None,
        )

    def caller(self) -> Caller:
        """Who AWS says is calling. Raises NoCredentials, ExpiredCredentials, AwsUnreachable."""
        from sm_access.aws.identity import collect_caller

        return collect_caller(self.aws)

    def identity(self) -> Identity:
        """Who this process is. Raises NoCredentials, ExpiredCredentials, AwsUnreachable."""
        from sm_access.aws.identity import collect_identity

        return collect_identity(self.aws, self.settings.resource_metadata)


def identity_view() -> dict[str, Any]:
    """This process's identity as JSON, read afresh: what the Jupyter server answers about itself."""
    from sm_access.presentation.identity import identity_view as view

    services = Services()
    return view(services.identity(), services.clock.now())
