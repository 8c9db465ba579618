"""Real processes: what is left of a sandbox when somebody is killed, and how many can run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sm_access.errors import SandboxUnavailable
from sm_access.sandbox import Sandbox, state, world

HOLD = """
import sys, time
from sm_access.sandbox import Sandbox
with Sandbox("held") as sandbox:
    print(sandbox.state.pid, flush=True)
    time.sleep(600)
"""


def children(pid: int) -> list[int]:
    """Process ids of the direct children, from Linux's /proc."""
    return [
        int(one)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for one in (task / "children").read_text().split()
    ]


def gone(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return True
    return status.rsplit(")", 1)[1].split()[0] == "Z"  # ended, and merely not yet collected by init


def eventually(what: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return what()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path / "home"))
    yield tmp_path / "home"
    for name in state.names():
        world.stop(name)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_nothing_outlives_a_killed_parent(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        host = int(holder.stdout.readline())
        servers = children(host)
        assert len(servers) == 2
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert eventually(lambda: all(gone(pid) for pid in (host, *servers)))
    assert eventually(lambda: not (home / "held").exists())
    assert state.running("held") is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_the_servers_do_not_outlive_a_killed_host_and_its_state_is_cleaned_up(home: Path) -> None:
    started, now = world.start("default", progress=print)
    assert now
    servers = children(started.pid)
    assert len(servers) == 2
    os.kill(started.pid, signal.SIGKILL)
    assert eventually(lambda: all(gone(pid) for pid in (started.pid, *servers)))
    assert (home / "default" / "state.json").exists()
    with pytest.raises(SandboxUnavailable, match="was killed; what it left behind is cleaned up"):
        Sandbox.attach()
    assert not (home / "default").exists()
    again, now = world.start("default", progress=print)
    assert now
    assert again.pid != started.pid


def test_a_server_that_ends_takes_the_sandbox_with_it(home: Path) -> None:
    started, _ = world.start("default", progress=print)
    os.kill(children(started.pid)[0], signal.SIGKILL)
    assert eventually(lambda: not state.is_alive("default"))
    assert state.running("default") is None


def test_two_at_once_are_two_worlds(home: Path) -> None:
    with Sandbox() as one, Sandbox() as other:
        one.root_session.client("s3").create_bucket(Bucket="only-in-one")
        buckets = other.root_session.client("s3").list_buckets()["Buckets"]
        assert "only-in-one" not in {bucket["Name"] for bucket in buckets}
        assert one.state.directory != other.state.directory
    assert list(home.iterdir()) == []


def test_starting_twice_at_once_starts_one(home: Path) -> None:
    results: list[tuple[state.State, bool]] = []
    threads = [
        threading.Thread(target=lambda: results.append(world.start("default", progress=print)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(now for _, now in results) == [False, False, True]
    assert len({found.pid for found, _ in results}) == 1


def test_a_name_in_use_is_refused_to_a_context_manager(home: Path) -> None:
    with (
        Sandbox("mine"),
        pytest.raises(SandboxUnavailable, match="'mine' is running already"),
        Sandbox("mine"),
    ):
        pass


def test_stopping_ends_it_and_removes_its_state(home: Path) -> None:
    started, _ = world.start("default", progress=print)
    assert world.stop("default")
    assert eventually(lambda: gone(started.pid))
    assert not (home / "default").exists()
    assert not (home / "default.log").exists()
    assert not world.stop("default")


def test_a_closed_sandbox_says_that_it_is(home: Path) -> None:
    with Sandbox() as sandbox:
        pass
    with pytest.raises(SandboxUnavailable, match="is not open"):
        sandbox.session("notebook")
