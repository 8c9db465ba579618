"""The extension as it is installed, and what it says of the active notebook's kernel."""

from __future__ import annotations

import re
import subprocess
import sys

from lab_page import LabPage
from playwright.sync_api import expect

from sm_access.sandbox import company

KNOWN = re.compile(rf"^{company.NOTEBOOK_ROLE} · (\d+ h )?\d+ min$")


def test_the_extension_is_installed_and_enabled() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list"], capture_output=True, text=True, check=True
    )
    assert re.search(r"sm-access v\S+ .*enabled.*OK", listed.stdout + listed.stderr)


def test_it_follows_the_kernel(first_steps: LabPage) -> None:
    status = first_steps.status
    expect(status).to_have_text("sm_access not loaded")

    first_steps.run("load")
    expect(status).to_have_text(KNOWN)
    assert "assumed role" in (status.get_attribute("aria-label") or "")

    first_steps.restart_kernel()
    expect(status).to_have_text("sm_access not loaded")
    first_steps.wait_for_kernel()

    first_steps.run("load")
    expect(status).to_have_text(KNOWN)


def test_a_click_shows_the_card_with_the_servers_own_identity(first_steps: LabPage) -> None:
    first_steps.run("load")
    expect(first_steps.status).to_have_text(KNOWN)
    first_steps.status.click()
    card = first_steps.page.get_by_role("dialog")
    expect(card).to_contain_text(f"assumed-role/{company.NOTEBOOK_ROLE}/SageMaker")
    expect(card).to_contain_text("Uses the same identity as this kernel.")
    first_steps.page.keyboard.press("Escape")
    expect(card).to_have_count(0)
