"""The matrix of a saved notebook, in a real browser and without a kernel: by keyboard alone, and in a narrow column."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from sm_access.bootstrap import Services
from sm_access.commands import inspecting
from sm_access.config import Settings
from sm_access.sandbox import Sandbox


@pytest.fixture(scope="module")
def saved(world: Sandbox) -> str:
    notebook = Services(Settings.load(world.environment("notebook")), session=world.session("notebook"))
    return inspecting.permissions(services=notebook).to_html()


def test_a_cell_opens_its_reason_by_keyboard(page: Page, saved: str) -> None:
    page.set_content(saved)
    reason = page.get_by_text("no because of the key").first
    expect(reason).to_be_hidden()
    vault = page.get_by_role("row", name="acme-vault")
    chip = vault.locator("summary").nth(1)
    expect(chip).to_have_text("✕no")
    page.keyboard.press("Tab")
    for _ in range(60):
        if chip.evaluate("each => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(chip).to_be_focused()
    page.keyboard.press("Enter")
    expect(reason).to_be_visible()
    expect(
        page.get_by_text("May not write to acme-vault.")
    ).to_be_hidden()  # that one's neighbour stays closed
    page.keyboard.press("Space")
    expect(reason).to_be_hidden()


@pytest.mark.parametrize("width", [280, 420, 900])
def test_no_width_makes_the_page_scroll_sideways(page: Page, saved: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 600})
    page.set_content(f'<body style="margin:0">{saved}</body>')
    for summary in page.locator("tr:nth-child(1) summary, div > details > summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    word = page.locator(".sma-matrix .sma-word").first
    assert (word.bounding_box() or {"width": 0})["width"] > 1 or width < 480  # words where there is room
