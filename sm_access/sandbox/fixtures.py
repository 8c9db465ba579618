"""pytest fixtures: `pytest_plugins = ["sm_access.sandbox.fixtures"]`.

sandbox              one sandbox for the whole test session
sandbox_environment  a function: puts this test's process into the sandbox as a principal
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sm_access.sandbox.world import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """The embedded AWS, started once. Tests that change the company must put back what they changed."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox_environment(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    """`sandbox_environment("notebook")` changes os.environ until the test ends, and returns what it
    became.
    """

    def enter(principal: str) -> dict[str, str]:
        changes = sandbox.variables(principal)
        for key, value in changes.items():
            if value is None:
                monkeypatch.delenv(key, raising=False)
            else:
                monkeypatch.setenv(key, value)
        return {key: value for key, value in changes.items() if value is not None}

    return enter
