"""What `%load_ext sm_access` brings into a kernel, and what takes it out again."""

from __future__ import annotations

from typing import Any

from IPython.display import display

from sm_access.bootstrap import Services
from sm_access.errors import SmAccessError
from sm_access.notebook.completion import Completion
from sm_access.notebook.denial_hook import DenialHook
from sm_access.notebook.kernel_comm import KernelComm
from sm_access.notebook.magics import SmAccessMagics, show
from sm_access.notebook.request_button import offer

_ATTRIBUTE = "_sm_access"


def load(shell: Any) -> None:
    """Register magics, completion, comm target and denial hook; show who the kernel is. Never raises for what AWS
    answers.
    """
    services = Services()
    unload(shell)
    hook = DenialHook(shell, services, show, offer(shell, services, display))
    hook.on = _wanted(services)
    magics = SmAccessMagics(shell, services, hook)
    shell.register_magics(magics)
    parts = (KernelComm(shell, services), Completion(shell, services), hook)
    for part in parts:
        part.register()
    setattr(shell, _ATTRIBUTE, parts)
    show(magics.greeting())


def unload(shell: Any) -> None:
    """Take all of it away again; nothing stays."""
    for part in getattr(shell, _ATTRIBUTE, ()):
        part.unregister()
    if hasattr(shell, _ATTRIBUTE):
        delattr(shell, _ATTRIBUTE)
    for kind in ("line", "cell"):
        shell.magics_manager.magics[kind].pop("sm_access", None)


def _wanted(services: Services) -> bool:
    """The setting; the greeting tells what is wrong with settings that cannot be read."""
    try:
        return services.settings.denials
    except SmAccessError:
        return True
