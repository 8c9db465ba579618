"""Beneath an explained denial: one button, and behind it the panel filled in. The card says the same in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sm_access.bootstrap import Services
from sm_access.presentation.result import Result


def asked_for(result: Result) -> tuple[str, str] | None:
    """Place and level of the request that the explanation ends in; None where a request cannot help."""
    for denial in result.to_dict().get("denials", ()):
        asked = denial.get("request") if isinstance(denial, Mapping) else None
        if asked:
            return str(asked["where"]), str(asked["level"])
    return None


def offer(shell: Any, services: Services, display: Callable[[Any], Any]) -> Callable[[Result], None] | None:
    """What shows the button, where there is a kernel whose front end can have widgets; None in a terminal."""
    if getattr(shell, "kernel", None) is None:
        return None

    def show(result: Result) -> None:
        asked = asked_for(result)
        if asked is None:
            return
        try:
            display(_button(*asked, services))
        except ImportError:  # ipywidgets is taken out, or too old: the card has the command
            return

    return show


def _button(where: str, level: str, services: Services) -> Any:
    import ipywidgets as widgets

    class RequestButton(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
        """Becomes the panel when it is pressed."""

        def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
            """For viewers without a kernel there is nothing to press, and the card has said it all."""
            bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
            return {**bundle, "text/plain": ""}

    button = widgets.Button(
        description="Request access",
        tooltip=f"Opens a request for {level} on {where}; nothing is sent yet",
        button_style="primary",
        layout=widgets.Layout(width="auto"),
    )
    box = RequestButton([button])

    def opened(_: Any) -> None:
        from sm_access.notebook.panel import AccessPanel

        button.disabled = True
        box.children = [AccessPanel(where, level, services=services)]

    button.on_click(opened)
    return box
