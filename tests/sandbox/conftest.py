"""One sandbox for all tests of this folder; its state in a place of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sm_access.sandbox.fixtures import sandbox, sandbox_environment

__all__ = ["sandbox", "sandbox_environment"]


@pytest.fixture(scope="session", autouse=True)
def sandbox_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No test touches the sandboxes of the person who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("sandboxes")
        patch.setenv("SM_ACCESS_SANDBOX_HOME", str(home))
        yield home
