"""A run of its own, `pytest tests/browser`: a real JupyterLab on the embedded AWS, in a real browser.

JupyterLab is opened by `sm-access sandbox lab`, as a person opens it, with a home and Jupyter folders of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_page import Lab, LabPage
from playwright.sync_api import Page, Playwright, expect

from sm_access.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
IN_A_CONTAINER = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
#: Nothing that asks or moves by itself, and every cell in the page, seen or not.
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}
READY_WITHIN_SECONDS = 60.0
expect.set_options(timeout=20_000)  # a slow machine is not a failure


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], playwright: Playwright
) -> dict[str, Any]:
    """The machine's own Chromium where there is one, else Playwright's."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None and not Path(playwright.chromium.executable_path).exists():
        pytest.exit(
            "No Chromium: `apt-get install chromium` (Debian, as root) or `playwright install chromium`."
        )
    given = {**browser_type_launch_args, "args": list(IN_A_CONTAINER)}
    return given if found is None else {**given, "executable_path": found}


@pytest.fixture(scope="session")
def base_url() -> None:
    """None: every address here is whole. (pytest-base-url's own fixture is of a kind that pytest 9 warns of.)"""


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "viewport": {"width": 1280, "height": 800}, "reduced_motion": "reduce"}


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The embedded AWS, by its usual name and in a place of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SM_ACCESS_SANDBOX_HOME", str(tmp_path_factory.mktemp("sandboxes")))
        patch.delenv("SM_ACCESS_SANDBOX", raising=False)
        with Sandbox("default") as running:
            yield running


@pytest.fixture(scope="session")
def lab(world: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("home")
    work = home / "work"
    work.mkdir()
    for name, settings in SETTINGS.items():
        file = home / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings))
    folders = {
        "HOME": "",
        "IPYTHONDIR": "ipython",
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    }
    environment = {**os.environ, **{key: str(home / folder) for key, folder in folders.items()}}
    command = [sys.executable, "-m", "sm_access", "sandbox", "lab", str(work), "--"]
    options = [
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        "--port=0",
        "--LabApp.expose_app_in_browser=True",
    ]
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen([*command, *options], env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        url, token = _address(home / "runtime", server, home / "lab.log")
        yield Lab(url, token, work, home)
    finally:
        server.terminate()
        server.wait(30)


def _address(runtime: Path, server: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                said = json.loads(file.read_text())
            except ValueError:
                continue  # half written
            return said["url"], said["token"]
        time.sleep(0.1)
    pytest.exit(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture
def first_steps(page: Page, lab: Lab, request: pytest.FixtureRequest) -> LabPage:
    """The first notebook, opened on a kernel of its own."""
    return LabPage(page, lab).open(lab.copy(ROOT / "notebooks" / "01_first_steps.ipynb", request.node.name))


@pytest.fixture
def empty_notebook(page: Page, lab: Lab, request: pytest.FixtureRequest) -> LabPage:
    """A notebook with one empty cell."""
    return LabPage(page, lab).open(lab.new(request.node.name))
