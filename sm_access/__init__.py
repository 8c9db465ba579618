"""Who am I, what may I do, and how do I get what I lack - for people on an assumed IAM role.

Names load when they are first used: importing this package reads no file and brings neither boto3 nor IPython.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "AccessPanel": "sm_access.notebook.panel",
    "AccessRequired": "sm_access.errors",
    "Decision": "sm_access.policy",
    "Level": "sm_access.access.level",
    "Result": "sm_access.presentation.result",
    "SmAccessError": "sm_access.errors",
    "approve": "sm_access.commands.requesting",
    "audit_log": "sm_access.commands.audit_log",
    "can": "sm_access.commands.inspecting",
    "explain": "sm_access.commands.explaining",
    "export_audit_log": "sm_access.commands.audit_log",
    "export_grant": "sm_access.commands.requesting",
    "break_glass": "sm_access.commands.requesting",
    "extend": "sm_access.commands.requesting",
    "inbox": "sm_access.commands.requesting",
    "narrow": "sm_access.commands.requesting",
    "permissions": "sm_access.commands.inspecting",
    "prove": "sm_access.commands.requesting",
    "record": "sm_access.commands.recording",
    "publish_snapshot": "sm_access.commands.publishing",
    "reconcile": "sm_access.commands.requesting",
    "reject": "sm_access.commands.requesting",
    "release": "sm_access.commands.requesting",
    "request_access": "sm_access.commands.requesting",
    "requests": "sm_access.commands.requesting",
    "require": "sm_access.commands.requirements",
    "revoke": "sm_access.commands.requesting",
    "show": "sm_access.commands.requesting",
    "verify_audit_log": "sm_access.commands.audit_log",
    "who_can": "sm_access.commands.who",
    "whoami": "sm_access.commands.inspecting",
    "withdraw": "sm_access.commands.requesting",
}

__all__ = [
    "AccessPanel",
    "AccessRequired",
    "Decision",
    "Level",
    "Result",
    "SmAccessError",
    "__version__",
    "approve",
    "audit_log",
    "break_glass",
    "can",
    "explain",
    "export_audit_log",
    "export_grant",
    "extend",
    "inbox",
    "load_ipython_extension",
    "narrow",
    "permissions",
    "prove",
    "publish_snapshot",
    "reconcile",
    "record",
    "reject",
    "release",
    "request_access",
    "requests",
    "require",
    "revoke",
    "show",
    "unload_ipython_extension",
    "verify_audit_log",
    "who_can",
    "whoami",
    "withdraw",
]

if TYPE_CHECKING:
    from sm_access.access.level import Level
    from sm_access.commands.audit_log import audit_log, export_audit_log, verify_audit_log
    from sm_access.commands.explaining import explain
    from sm_access.commands.inspecting import can, permissions, whoami
    from sm_access.commands.publishing import publish_snapshot
    from sm_access.commands.recording import record
    from sm_access.commands.requesting import (
        approve,
        break_glass,
        export_grant,
        extend,
        inbox,
        narrow,
        prove,
        reconcile,
        reject,
        release,
        request_access,
        requests,
        revoke,
        show,
        withdraw,
    )
    from sm_access.commands.requirements import require
    from sm_access.commands.who import who_can
    from sm_access.errors import AccessRequired, SmAccessError
    from sm_access.notebook.panel import AccessPanel
    from sm_access.policy import Decision
    from sm_access.presentation.result import Result


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'sm_access' has no attribute {name!r}")
    found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext sm_access`: the magics, the kernel's side of the status bar, and one quiet line."""
    from sm_access.notebook.extension import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext sm_access`."""
    from sm_access.notebook.extension import unload

    unload(shell)
