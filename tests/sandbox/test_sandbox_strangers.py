"""What another user of the machine left in a shared directory is neither run nor believed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_access.errors import SandboxUnavailable
from sm_access.sandbox import Sandbox, installation, state, world
from sm_access.sandbox.isolated_python import module_command, search_path


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working and temporary directory full of modules that tell when they are run; nobody's may be."""
    place, told = tmp_path / "shared", tmp_path / "told"
    place.mkdir()
    for name in (
        "json",
        "runpy",
        "socket",
        "logging",
        "moto",
        "boto3",
        "werkzeug",
        "pip",
        "venv",
        "sm_access",
    ):
        (place / f"{name}.py").write_text(f"open({str(told)!r}, 'a').write({name!r} + '\\n')\n")
    monkeypatch.chdir(place)
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path / "home"))
    yield place
    assert not told.exists(), told.read_text()


def test_a_start_runs_nothing_from_the_working_or_temporary_directory(trap: Path) -> None:
    with Sandbox() as sandbox:
        pids = [sandbox.state.pid]
        if sys.platform.startswith("linux"):
            pids += map(int, Path(f"/proc/{pids[0]}/task/{pids[0]}/children").read_text().split())
            assert len(pids) == 3
            home = str(state.home())
            assert all(str(Path(f"/proc/{pid}/cwd").readlink()).startswith(home) for pid in pids)
    assert state.running("default") is None


@pytest.mark.parametrize("written", ["", ".", "here"])
def test_a_module_is_not_looked_for_where_one_stands(
    trap: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """As in a notebook's kernel, whose sys.path begins with its folder."""
    monkeypatch.setattr(sys, "path", [str(trap) if written == "here" else written, *sys.path])
    assert str(trap) not in search_path()
    command = [*module_command("pip"), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=trap)
    assert done.stdout.startswith("pip ")


def test_the_package_and_pythons_own_places_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    import sm_access

    parent = Path(sm_access.__file__).parent.parent
    for place in (parent, Path(os.__file__).parent, Path(pytest.__file__).parent.parent):
        monkeypatch.chdir(place)
        assert {str(parent), str(place)} <= set(search_path())
    monkeypatch.setattr(sys, "path", [""])
    assert search_path() == [str(parent)]


def test_the_installation_runs_nothing_from_the_working_directory(
    trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(installation, "_requirements", lambda: b"")
    assert installation.enforcer_python(print).exists()


class TestAPlace:
    @pytest.fixture
    def started(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[state.State]:
        monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path / "home"))
        yield world.start("default", progress=print)[0]
        world.stop("default")

    def test_that_others_can_change_is_refused(self, started: state.State) -> None:
        directory = Path(started.directory)
        for path in (directory.parent, directory, directory / "state.json"):
            mode = path.stat().st_mode
            for more in (0o020, 0o002):
                path.chmod(mode | more)
                for use in (state.require_running, world.stop, Sandbox.attach):
                    with pytest.raises(SandboxUnavailable, match=r"Other users can change .*chmod go-w "):
                        use("default")
            path.chmod(mode)
        assert state.is_alive("default")

    def test_of_another_user_is_refused(self, started: state.State, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "getuid", lambda: Path(started.directory).stat().st_uid + 1)
            for use in (state.require_running, world.stop, Sandbox.attach):
                with pytest.raises(SandboxUnavailable, match=r"another user .*SM_ACCESS_SANDBOX_HOME"):
                    use("default")

    def test_to_start_in_is_refused_too(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        home = tmp_path / "home"
        home.mkdir()
        home.chmod(0o777)
        monkeypatch.setenv("SM_ACCESS_SANDBOX_HOME", str(home))
        with pytest.raises(SandboxUnavailable, match="Other users can change"), Sandbox():
            pass
        assert list(home.iterdir()) == []

    @pytest.mark.parametrize("inner", [False, True])
    def test_of_the_enforcers_environment_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: bool
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        python = installation._directory() / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.touch()
        (installation._directory() if inner else installation.cache_directory()).chmod(0o777)
        with pytest.raises(SandboxUnavailable, match=r"Other users can change .*XDG_CACHE_HOME"):
            installation.enforcer_python(print)

    def test_that_is_made_is_for_this_user_alone_whatever_the_umask(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr(installation, "_install", lambda directory: (directory / "bin").mkdir())
        before = os.umask(0o002)
        try:
            installation.enforcer_python(print)
        finally:
            os.umask(before)
        assert installation.installed_python() is None  # looked at, and not refused

    def test_whose_state_names_another_process_does_not_have_it_ended(self, started: state.State) -> None:
        path = Path(started.directory) / "state.json"
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
            path.write_text(json.dumps(json.loads(path.read_text()) | {"pid": bystander.pid}))
            assert world.stop("default")
            assert bystander.poll() is None
            assert bystander.stdin is not None
            bystander.stdin.write(b"\n")
        assert bystander.returncode == 0

    def test_whose_lock_names_nobody_ends_nobody(self, started: state.State) -> None:
        lock = state.home() / "default.lock"
        held = lock.read_text()
        assert int(held) == started.pid
        for text in ("", "x", "-1", "0", "1"):
            lock.write_text(text)
            with pytest.raises(SandboxUnavailable, match="cannot be told, so none was ended"):
                world.stop("default")
        lock.write_text(held)
        assert state.is_alive("default")
