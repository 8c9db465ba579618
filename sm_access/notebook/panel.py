"""The live panel: who I am, what I lack, and the request for it - on ipywidgets alone, which every host has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from sm_access.access.level import Level
from sm_access.bootstrap import Services
from sm_access.commands import inspecting, requesting
from sm_access.errors import SmAccessError
from sm_access.presentation.failure import failure_page
from sm_access.presentation.result import Result

DURATIONS = (("1 day", "1d"), ("7 days", "7d"), ("30 days", "30d"))

#: Follows the theme, with fallbacks for hosts that have none. The pages inside lose the frames they have under cells.
_STYLE = """<style>
.sm-access-panel{border:1px solid var(--jp-border-color2,#e0e0e0);border-radius:4px;overflow:hidden;
font-family:var(--jp-ui-font-family,system-ui,sans-serif)}
.sm-access-panel>.sm-access-part{margin:0;padding:12px 14px;border-top:1px solid var(--jp-border-color2,#e0e0e0);
overflow:visible}
.sm-access-panel>.sm-access-part:first-of-type,.sm-access-panel>.sm-access-style+.sm-access-part{border-top:0}
.sm-access-panel>.sm-access-style{display:none}
.sm-access-panel .sm-access{border:0;padding:0;margin:0;max-width:none}
.sm-access-panel .widget-html,.sm-access-panel .widget-html-content{height:auto;margin:0;overflow:visible;
line-height:inherit}
.sm-access-panel .sm-access-title{font-size:var(--jp-ui-font-size0,11px);font-weight:700;letter-spacing:.06em;
text-transform:uppercase;line-height:1.8;color:var(--jp-ui-font-color2,#616161)}
.sm-access-panel .sm-access-row{margin:0;padding:3px 0;overflow:visible;align-items:center}
.sm-access-panel .sm-access-row>.widget-inline-hbox{margin:0;overflow:visible}
.sm-access-panel .widget-label{width:64px;text-align:left;color:var(--jp-ui-font-color2,#616161)}
.sm-access-panel .widget-toggle-buttons .widget-toggle-button{margin:0;border:1px solid var(--jp-border-color1,#bdbdbd);
background:var(--jp-layout-color1,#fff);color:var(--jp-ui-font-color1,#212121);box-shadow:none}
.sm-access-panel .widget-toggle-buttons .widget-toggle-button+.widget-toggle-button{margin-left:-1px}
.sm-access-panel .widget-toggle-buttons .widget-toggle-button.mod-active{background:rgba(128,128,128,.15);
border-color:var(--jp-brand-color1,#1976d2);box-shadow:inset 0 0 0 1px var(--jp-brand-color1,#1976d2);
font-weight:600;z-index:1}
.sm-access-panel .widget-toggle-buttons{display:flex;flex-flow:row nowrap;align-items:center;height:auto}
.sm-access-panel .widget-toggle-buttons>div{display:flex;margin-left:8px}
.sm-access-panel .sm-access-for .widget-label{width:32px}
.sm-access-panel input,.sm-access-panel textarea,.sm-access-panel select{border-radius:2px;font-family:inherit}
.sm-access-panel select{appearance:auto;background-image:none}
body[data-jp-theme-light="false"] .sm-access-panel select{color-scheme:dark}
.sm-access-panel .jupyter-button{border-radius:3px;height:30px;line-height:28px}
.sm-access-panel .sm-access-act .jupyter-button{width:auto;padding:0 14px;margin:0 0 0 6px;box-shadow:none;
border:1px solid var(--jp-border-color1,#bdbdbd);background:var(--jp-layout-color1,#fff);
color:var(--jp-ui-font-color1,#212121)}
.sm-access-panel .sm-access-act .jupyter-button.mod-primary{background:var(--jp-brand-color1,#1976d2);
border-color:var(--jp-brand-color1,#1976d2);color:var(--jp-ui-inverse-font-color1,#fff)}
.sm-access-panel .jupyter-button:focus-visible,.sm-access-panel .jupyter-button:focus{
outline:2px solid var(--jp-brand-color1,#1976d2);outline-offset:1px}
.sm-access-panel .sm-access-answer{background:rgba(128,128,128,.07)}
.sm-access-panel .sm-access-answer .sma-command,
.sm-access-panel .sm-access-mine .sma-head:has(+.sma-blocks .sma-table){display:none}
.sm-access-panel>.sm-access-answer:not(:has(.sm-access)){display:none}
.sm-access-panel .sm-access-link{width:auto;padding:0 4px;margin:0;border:0;background:none;box-shadow:none;height:22px;
line-height:22px;color:var(--jp-content-link-color,#1565c0)}
</style>"""


class AccessPanel(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Identity, a question, and a request form. where, level: filled in at first.

    Without a live kernel a saved notebook shows the text form of the last answers.
    """

    def __init__(self, where: str = "", level: str = "read", *, services: Services | None = None) -> None:
        self._services = services or Services()
        self.identity = widgets.HTML()
        self.where = widgets.Text(
            value=where,
            placeholder="s3://bucket/prefix/",
            description="Where",
            continuous_update=True,  # so that a click does not overtake what was typed
            layout=_wide(),
        )
        self.level = widgets.ToggleButtons(
            options=[each.value for each in Level],
            value=Level(level).value,
            description="Level",
            style={"button_width": "72px"},
            layout=widgets.Layout(width="auto", margin="0"),
        )
        self.duration = widgets.Dropdown(
            options=DURATIONS, value="7d", description="For", layout=widgets.Layout(width="140px", margin="0")
        )
        self.why = widgets.Textarea(
            placeholder="What it is for: the reviewer reads this", description="Why", rows=2, layout=_wide()
        )
        self.check = widgets.Button(
            description="Can I?", tooltip="Ask the policy engine; nothing is requested"
        )
        self.ask = widgets.Button(
            description="Request access", button_style="primary", tooltip="Send it to the reviewers"
        )
        self.answer = widgets.HTML()
        self.mine = widgets.HTML()
        self._said: dict[widgets.HTML, Result] = {}
        self._refresh = widgets.Button(
            description="Refresh", tooltip="Read again who I am and where my requests stand"
        )
        self.check.on_click(
            lambda _: self._show(
                lambda: inspecting.can(self.level.value, self.where.value.strip(), services=self._services)
            )
        )
        self.ask.on_click(lambda _: self._request())
        self._refresh.on_click(lambda _: self.refresh())
        super().__init__(self._parts(), layout=widgets.Layout(max_width="760px", margin="4px 0"))
        self.add_class("sm-access-panel")
        self.refresh()

    def refresh(self) -> None:
        """Read again who this is, and where the requests stand."""
        self._services.follow_environment()
        self._say(self.identity, lambda: inspecting.greeting(services=self._services))
        self._say(self.mine, lambda: requesting.requests(services=self._services))

    def _parts(self) -> list[widgets.Widget]:
        self._refresh.add_class("sm-access-link")
        self.duration.add_class("sm-access-for")
        style = _named(widgets.HTML(_STYLE), "sm-access-style")
        form = [
            _title("What do I need?"),
            _row(self.where),
            _row(self.level, self.duration, spread=True),
            _row(self.why),
            _named(_row(self.check, self.ask, layout={"justify_content": "flex-end"}), "sm-access-act"),
        ]
        return [
            style,
            _part([_row(_title("Who am I"), self._refresh, spread=True), self.identity]),
            _part(form),
            _named(self.answer, "sm-access-part", "sm-access-answer"),
            _part([_title("My requests"), _named(self.mine, "sm-access-mine")]),
        ]

    def _request(self) -> None:
        self._show(
            lambda: requesting.request_access(
                self.where.value.strip(),
                self.level.value,
                duration=self.duration.value,
                why=self.why.value,
                services=self._services,
            )
        )
        self._say(self.mine, lambda: requesting.requests(services=self._services))

    def _show(self, work: Callable[[], Result]) -> None:
        buttons = (self.check, self.ask)
        for button in buttons:
            button.disabled = True
        try:
            self._say(self.answer, work)
        finally:
            for button in buttons:
                button.disabled = False

    def _say(self, place: widgets.HTML, work: Callable[[], Result]) -> None:
        self._said[place] = result = _answer(work)
        place.value = result.to_html()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """The widget, and beside it what the panel says now for viewers without a kernel."""
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        said = [
            result
            for result in map(self._said.get, (self.identity, self.answer, self.mine))
            if result is not None
        ]
        return {
            **bundle,
            "text/plain": "\n".join(result.to_text() for result in said),
            "text/html": "".join(result.to_html() for result in said),
        }


def _answer(work: Callable[[], Result]) -> Result:
    """What the work comes to; every error we know is an answer as well."""
    try:
        return work()
    except SmAccessError as error:
        return Result(failure_page(error), error.exit_code)


def _named(widget: widgets.Widget, *names: str) -> widgets.Widget:
    for name in names:
        widget.add_class(name)
    return widget


def _title(words: str) -> widgets.Widget:
    """A heading of this module's own words; text from elsewhere never comes here."""
    return _named(widgets.HTML(f'<div class="sm-access-title" role="heading" aria-level="3">{words}</div>'))


def _part(children: list[widgets.Widget]) -> widgets.Widget:
    return _named(widgets.VBox(children), "sm-access-part")


def _row(
    *children: widgets.Widget, spread: bool = False, layout: dict[str, str] | None = None
) -> widgets.Widget:
    given = {"justify_content": "space-between", "flex_flow": "row wrap"} if spread else {}
    return _named(widgets.HBox(children, layout=widgets.Layout(**(layout or given))), "sm-access-row")


def _wide() -> widgets.Layout:
    return widgets.Layout(width="100%", margin="0")
