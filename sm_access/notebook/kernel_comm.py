"""The kernel's side of the status bar: a comm target that tells the front end who this kernel is.

The kernel's identity is the truth for a notebook; the server's own may differ.
"""

from __future__ import annotations

from typing import Any

from sm_access.bootstrap import Services
from sm_access.errors import SmAccessError
from sm_access.presentation.identity import identity_view

TARGET = "sm_access"


class KernelComm:
    """Answers `{"type": "identity"}` with the identity view, and once unasked when a comm opens.

    INVARIANT: nothing but the identity view or an error's words is ever sent.
    """

    def __init__(self, shell: Any, services: Services) -> None:
        self._manager = getattr(getattr(shell, "kernel", None), "comm_manager", None)
        self._services = services

    def register(self) -> None:
        """Where there is a kernel; plain IPython has no front end to tell."""
        if self._manager is not None:
            self._manager.register_target(TARGET, self._opened)

    def unregister(self) -> None:
        if self._manager is not None:
            self._manager.unregister_target(TARGET, self._opened)

    def answer(self) -> dict[str, Any]:
        """The message to send: the identity, or why it cannot be told. STS alone is asked: a front end asks often."""
        try:
            identity = self._services.follow_environment().identity(thorough=False)
        except SmAccessError as error:
            return {"type": "error", "message": str(error)}
        if identity.unasked is not None:
            return {"type": "error", "message": str(identity.unasked)}
        return {"type": "identity", "view": identity_view(identity, self._services.clock.now())}

    def _opened(self, comm: Any, _: Any) -> None:
        comm.on_msg(lambda asked: self._asked(comm, asked))
        comm.send(self.answer())

    def _asked(self, comm: Any, message: Any) -> None:
        if message.get("content", {}).get("data", {}).get("type") == "identity":
            comm.send(self.answer())
