"""The routes under `{base_url}sm-access/`: authenticated, read-only, and free of secrets.

    GET identity    the identity view of the *server's* own credentials (a kernel's own may differ)

INVARIANT: no GET has a side effect and no answer holds a credential. Some hosts run the server without a
token and allow every origin, so a page of another site may be able to call these routes.
"""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from sm_access.errors import SmAccessError
from sm_access.server.problem import MEDIA_TYPE, problem_of, problem_of_status
from sm_access.server.shared_call import SharedCall

View = dict[str, object]


def _identity_view() -> View:
    from sm_access.bootstrap import identity_view

    return identity_view()


#: One for the process: however many browser tabs ask at once, AWS is asked once.
_identity = SharedCall(_identity_view)


class ProblemHandler(APIHandler):
    """An API handler whose every error is a problem document."""

    auth_resource = "sm_access"

    async def prepare(self, **options: Any) -> None:
        """Refuse another site's page even where the server is configured to allow every origin."""
        await super().prepare(**options)
        if self.request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise web.HTTPError(403, "A page of another site asked.")

    def set_default_headers(self) -> None:
        """Identity goes stale and is nobody else's business: no cache keeps it."""
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Called by tornado for everything that is raised; `exc_info` holds what."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, web.HTTPError) or error is None:
            detail = (getattr(error, "log_message", None) or "") if status_code < 500 else ""
            document = problem_of_status(status_code, detail)
        else:
            document = problem_of(error)
        self.set_status(int(document["status"]))
        self.finish(json.dumps(document), set_content_type=MEDIA_TYPE)

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """An error that has words of its own needs no traceback in the server's log."""
        if isinstance(value, SmAccessError):
            self.log.warning("sm_access: %s", value)
        else:
            super().log_exception(typ, value, tb)


class IdentityHandler(ProblemHandler):
    """GET: who this Jupyter server is to AWS."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """200 with the identity view, or a problem document that says why it cannot be told."""
        view = await _identity.result()
        self.finish(json.dumps(view))


class UnknownRouteHandler(ProblemHandler):
    """Whatever else is asked for under `sm-access/`."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """404, as a problem document and only to whoever is signed in."""
        raise web.HTTPError(404, f"There is nothing at {self.request.path}.")

    head = post = put = patch = delete = get


def routes(base_url: str) -> list[tuple[str, type[ProblemHandler]]]:
    """What `ServerApp.web_app.add_handlers` takes. The first pattern that matches answers."""
    root = url_path_join(base_url, "sm-access")
    return [(f"{root}/identity", IdentityHandler), (f"{root}(?:/.*)?", UnknownRouteHandler)]
