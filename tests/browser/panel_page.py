"""The access panel under a cell, as a person uses it."""

from __future__ import annotations

from playwright.sync_api import Locator


class Panel:
    """The live panel inside an output."""

    def __init__(self, output: Locator) -> None:
        self.root = output.locator(".sm-access-panel")
        self.where = self.root.get_by_label("Where")
        self.why = self.root.get_by_label("Why")
        self.duration = self.root.get_by_label("For", exact=True)
        self.check = self.root.get_by_role("button", name="Can I?")
        self.ask = self.root.get_by_role("button", name="Request access")
        self.answer = self.root.locator(".sm-access-answer")
        self.mine = self.root.locator(".sm-access-mine")
