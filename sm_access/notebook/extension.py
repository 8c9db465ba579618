"""What `%load_ext sm_access` brings into a kernel, and what takes it out again."""

from __future__ import annotations

from typing import Any

from sm_access.bootstrap import Services
from sm_access.notebook.kernel_comm import KernelComm
from sm_access.notebook.magics import SmAccessMagics, show

_ATTRIBUTE = "_sm_access"


def load(shell: Any) -> None:
    """Register magics and comm target; show who the kernel is. Never raises for what AWS answers."""
    services = Services()
    magics = SmAccessMagics(shell, services)
    shell.register_magics(magics)
    comm = KernelComm(shell, services)
    comm.register()
    setattr(shell, _ATTRIBUTE, comm)
    show(magics.greeting())


def unload(shell: Any) -> None:
    """Take the comm target and the magic away again."""
    comm = getattr(shell, _ATTRIBUTE, None)
    if comm is not None:
        comm.unregister()
        delattr(shell, _ATTRIBUTE)
    shell.magics_manager.magics["line"].pop("sm_access", None)
