"""What the tests of the joined-up rooms share: one seeded sandbox, and a process that is somebody in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from radosgw import Radosgw

    from sm_access.bootstrap import Services
    from sm_access.sandbox.world import Sandbox

START_OF_VARIABLES = ("AWS_", "SM_ACCESS_")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The embedded AWS, started once, its state in a place of its own."""
    from sm_access.sandbox.world import Sandbox

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path_factory.mktemp("sandboxes")))
        with Sandbox() as running:
            yield running


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radosgw]:
    """Ceph's gateway, started once; a test that asks for it is left out where it cannot run, and says how to get it."""
    from radosgw import Radosgw, missing

    if missing():
        pytest.skip(missing())
    with Radosgw(tmp_path_factory.mktemp("radosgw")) as running:
        yield running


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A person with no AWS settings, no settings of ours, and an empty home: that home."""
    for name in [name for name in os.environ if name.startswith(START_OF_VARIABLES)]:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "home").mkdir(exist_ok=True)
    return tmp_path / "home"


@pytest.fixture
def enter(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, clean_environment: Path, tmp_path: Path
) -> Callable[[str], None]:
    """`enter("notebook")` makes this process that principal until the test ends; the ledger is the test's own."""

    def become(principal: str) -> None:
        for name, value in sandbox.variables(principal).items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        monkeypatch.setenv("SM_ACCESS_LEDGER", f"sqlite://{tmp_path / 'ledger.sqlite'}")
        monkeypatch.setenv("SM_ACCESS_CACHE_SECONDS", "0")  # tests change the world behind our back

    return become


@pytest.fixture
def services_of(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Services]:
    """`services_of("notebook")`: the services of that principal, over a ledger of the test's own, in an empty home."""
    monkeypatch.setenv("HOME", str(tmp_path))  # whoever runs the tests may have a long-term key in theirs
    from sm_access.bootstrap import Services
    from sm_access.config import Settings

    def make(principal: str) -> Services:
        settings = Settings.load(
            {**sandbox.environment(principal), "SM_ACCESS_CACHE_SECONDS": "0"},
            ledger=f"sqlite://{tmp_path / 'ledger.sqlite'}",
        )
        return Services(settings, session=sandbox.session(principal))

    return make
