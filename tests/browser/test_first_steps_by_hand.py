"""The first notebook in a browser: asked for by the panel's button, approved by somebody else, in both themes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lab_page import LabPage
from panel_page import Panel
from playwright.sync_api import Locator, expect

from sm_access.sandbox import Sandbox

PICTURES = os.environ.get("SM_ACCESS_SCREENSHOTS")


@pytest.mark.timeout(180)
def test_denied_asked_for_approved_and_read(first_steps: LabPage, world: Sandbox) -> None:
    for cell in ("load", "whoami", "read-public"):
        first_steps.run(cell)
    expect(first_steps.output("read-public")).to_contain_text("Switzerland")
    expect(first_steps.run("read-denied")).to_contain_text("PermissionError")
    why = first_steps.run("why")
    expect(why).to_contain_text("may not read s3://acme-lake/raw/")
    expect(why).to_contain_text("a grant would be enough")
    first_steps.run("permissions-before")
    first_steps.run("panel")
    picture(first_steps, "first_steps", first_steps.cell("read-denied"))

    panel = Panel(first_steps.output("panel"))
    expect(panel.where).to_have_value("s3://acme-lake/raw/")
    panel.check.click()
    expect(panel.answer).to_contain_text("may not read s3://acme-lake/raw/")
    picture(first_steps, "panel-denied", first_steps.cell("panel"))
    panel.duration.select_option("1 day")
    panel.why.fill("churn model")
    panel.ask.click()
    expect(panel.answer).to_contain_text("Asked: read s3://acme-lake/raw/")
    expect(panel.mine).to_contain_text("waiting for a reviewer")
    picture(first_steps, "panel-requested", first_steps.cell("panel"), block="end")

    (waiting,) = sm_access(world, "approver", "inbox")["inbox"]
    assert (waiting["reason"], waiting["duration_seconds"]) == ("churn model", 86_400)
    approved = sm_access(world, "approver", "approve", waiting["id"], "--terms", waiting["terms_sha256"])
    assert approved["status"] == "applied"

    expect(first_steps.run("pick-up")).to_contain_text("applied")
    expect(first_steps.output("pick-up").locator("tbody tr")).to_have_count(1)  # the button's, not one more
    expect(first_steps.run("read-allowed")).to_contain_text("2019-04-02")
    expect(first_steps.run("prove")).to_contain_text("Proven: it works, and no wider")
    expect(first_steps.run("permissions-after")).to_contain_text("yes")
    picture(first_steps, "granted", first_steps.cell("read-allowed"))

    expect(first_steps.run("revoke")).to_contain_text("Revoked")
    expect(first_steps.run("read-over")).to_contain_text("PermissionError")
    expect(first_steps.run("record")).to_contain_text("ended, and cleared from the role")


def sm_access(world: Sandbox, principal: str, *words: str) -> Any:
    """What `sm-access WORDS --json` prints for a principal in a shell of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "sm_access", *words, "--json"],
        env=world.environment(principal),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def picture(page: LabPage, name: str, of: Locator, block: str = "start") -> None:
    """The page with a cell at the top (or, by `block`, end) of the notebook, in both themes, where asked for."""
    if PICTURES is None:
        return
    page.show_only_the_notebook()
    for theme in ("Light", "Dark"):
        page.use_theme(f"JupyterLab {theme}")
        page.page.mouse.move(640, 5)
        of.evaluate("(cell, block) => cell.scrollIntoView({ block })", block)
        page.page.wait_for_timeout(400)  # fonts, and the theme's style sheet
        Path(PICTURES).mkdir(parents=True, exist_ok=True)
        page.page.screenshot(path=Path(PICTURES) / f"{name}-{theme.lower()}.png")
    page.use_theme("JupyterLab Light")
