"""A real IPython shell, for each test a new one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


@pytest.fixture
def bare_shell(clean_environment: Path) -> Iterator[Any]:
    """IPython without a kernel, its history kept nowhere; what was loaded is unloaded again."""
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("xmode", "Minimal")
    yield shell
    if "sm_access" in shell.extension_manager.loaded:
        shell.extension_manager.unload_extension("sm_access")
    InteractiveShell.clear_instance()
