"""Notebooks are executed on a sandbox of their own, by a kernel of this environment."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sm_access.sandbox import Sandbox


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The embedded AWS, with its state, and Jupyter's, in a place of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path_factory.mktemp("sandboxes")))
        for variable in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(variable, str(tmp_path_factory.mktemp(variable.lower())))
        with Sandbox() as running:
            yield running
