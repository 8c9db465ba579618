"""The live panel: who I am, what I lack, and the request for it - on ipywidgets alone, which every host has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from sm_access.access.level import Level
from sm_access.bootstrap import Services
from sm_access.commands import verbs
from sm_access.errors import SmAccessError
from sm_access.presentation.failure import failure_page
from sm_access.presentation.html import to_html
from sm_access.presentation.result import Result

DURATIONS = (("1 day", "1d"), ("7 days", "7d"), ("30 days", "30d"))


class AccessPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Identity, a question, and a request form. where, level: filled in at first.

    Without a live kernel a saved notebook shows the text form of the last answers.
    """

    def __init__(self, where: str = "", level: str = "read", *, services: Services | None = None) -> None:
        self._services = services or Services()
        self._identity = widgets.HTML()
        self.where = widgets.Text(
            value=where,
            placeholder="s3://bucket/prefix/",
            description="Where",
            continuous_update=False,
            layout=widgets.Layout(width="auto"),
        )
        self.level = widgets.ToggleButtons(
            options=[each.value for each in Level],
            value=Level(level).value,
            description="Level",
            style={"button_width": "72px"},
        )
        self.duration = widgets.Dropdown(
            options=DURATIONS, value="7d", description="For", layout=widgets.Layout(width="220px")
        )
        self.why = widgets.Textarea(
            placeholder="What it is for: the reviewer reads this",
            description="Why",
            rows=2,
            layout=widgets.Layout(width="auto"),
        )
        self.check = widgets.Button(
            description="Can I?", tooltip="Ask the policy engine; nothing is requested"
        )
        self.ask = widgets.Button(
            description="Request access", button_style="primary", tooltip="Send it to the reviewers"
        )
        self.answer = widgets.HTML()
        self.mine = widgets.HTML()
        self._refresh = widgets.Button(
            description="Refresh", icon="refresh", tooltip="Read again who I am and my requests"
        )
        self.check.on_click(
            lambda _: self._show(
                lambda: verbs.can(self.level.value, self.where.value.strip(), services=self._services)
            )
        )
        self.ask.on_click(lambda _: self._request())
        self._refresh.on_click(lambda _: self.refresh())
        super().__init__(
            [
                self._identity,
                self.where,
                self.level,
                self.duration,
                self.why,
                widgets.HBox([self.check, self.ask, self._refresh]),
                self.answer,
                self.mine,
            ],
            layout=widgets.Layout(max_width="780px"),
        )
        self.add_class("sm-access-panel")
        self.refresh()

    def refresh(self) -> None:
        """Read again who this is, and where the requests stand."""
        self._identity.value = _html(lambda: verbs.whoami(services=self._services))
        self.mine.value = _html(lambda: verbs.requests(services=self._services))

    def _request(self) -> None:
        self._show(
            lambda: verbs.request_access(
                self.where.value.strip(),
                self.level.value,
                duration=self.duration.value,
                why=self.why.value,
                services=self._services,
            )
        )
        self.mine.value = _html(lambda: verbs.requests(services=self._services))

    def _show(self, work: Callable[[], Result]) -> None:
        buttons = (self.check, self.ask)
        for button in buttons:
            button.disabled = True
        try:
            self.answer.value = _html(work)
        finally:
            for button in buttons:
                button.disabled = False

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and beside it what the panel says now for viewers without a kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        return {**bundle, "text/html": self._identity.value + self.answer.value + self.mine.value}


def _html(work: Callable[[], Result]) -> str:
    try:
        return work().to_html()
    except SmAccessError as error:
        return to_html(failure_page(error))
