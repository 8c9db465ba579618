"""One sandbox and a real IPython shell for every library; what stands beneath a cell, as words and as data."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sm_access.presentation.result import Result
    from sm_access.sandbox.world import Sandbox

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Other people's libraries warn as they like; sagemaker 2 says that it is going away."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@dataclass(frozen=True)
class Beneath:
    """error: what the cell raised; shown: what was shown beneath it; printed: what it printed."""

    error: BaseException | None
    shown: tuple[Result, ...]
    printed: str

    @property
    def card(self) -> dict[str, Any]:
        """The only explanation, of the only denial."""
        (result,) = self.shown
        (denial,) = result.to_dict()["denials"]
        return dict(denial)


Cell = Callable[[str], Beneath]


@pytest.fixture(scope="session")
def shell(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """IPython with the extension, as the notebook's role, for all tests: libraries take long to import."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("AWS_", "SM_ACCESS_"))]:
            if name != "SM_ACCESS_SANDBOX_HOME":
                patch.delenv(name)
        for name, value in sandbox.variables("notebook").items():
            if value is not None:
                patch.setenv(name, value)
        patch.setenv("HOME", str(home))
        patch.setenv("SM_ACCESS_LEDGER", f"sqlite://{home / 'ledger.sqlite'}")
        patch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
        patch.chdir(home)
        InteractiveShell.clear_instance()
        config = Config()
        config.HistoryManager.enabled = False
        shell = InteractiveShell.instance(config=config)
        shell.run_line_magic("xmode", "Minimal")
        shell.run_line_magic("load_ext", "sm_access")
        yield shell
        shell.run_line_magic("unload_ext", "sm_access")
        InteractiveShell.clear_instance()


@pytest.fixture
def cell(shell: Any, capsys: pytest.CaptureFixture[str]) -> Cell:
    """Run a cell, whatever it raises."""
    from sm_access.notebook.denial_hook import DenialHook

    hook: Any = next(part for part in shell._sm_access if isinstance(part, DenialHook))

    def run(code: str) -> Beneath:
        shown: list[Result] = []
        hook._show = shown.append
        hook._told.clear()
        capsys.readouterr()
        done = shell.run_cell(code)
        said = capsys.readouterr()
        assert "Error in callback" not in said.out + said.err
        return Beneath(done.error_before_exec or done.error_in_exec, tuple(shown), said.out + said.err)

    return run
