"""A run of its own, `pytest tests/server`: pytest-jupyter owns the event loop, which Playwright cannot share."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytest_jupyter.jupyter_server"]


@pytest.fixture
def jp_server_config() -> dict[str, object]:
    """A server that loads the extension as an installation does."""
    return {"ServerApp": {"jpserver_extensions": {"sm_access.server": True}}}
