"""The jupyter-server extension: what `jupyter server` loads, and nothing that costs time before it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "sm_access.server"}]


def _load_jupyter_server_extension(server_app: ServerApp) -> None:
    from sm_access.server.handlers import routes

    base_url = server_app.web_app.settings["base_url"]
    server_app.web_app.add_handlers(".*$", routes(base_url))  # type: ignore[no-untyped-call]
    server_app.log.info("sm_access answers under %ssm-access/", base_url)
