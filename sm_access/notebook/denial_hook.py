"""Under a cell that AWS refused: why. IPython's `pre_run_cell` and `post_run_cell`, and nothing else, call it.

# INVARIANT: no exception leaves the hook, and the kernel never waits longer than the deadline: the person's own error
# stands above, untouched. What is found out is found on a daemon thread; only showing it happens on the cell's own.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sm_access.access.call import Call, NoticedBy
from sm_access.access.printed_calls import calls_in
from sm_access.bootstrap import Services
from sm_access.commands import explaining
from sm_access.notebook.noticing import Noticed, notice
from sm_access.notebook.printed import Printed
from sm_access.presentation.noticing import in_passing_page, late_page
from sm_access.presentation.result import Result

DEADLINE_SECONDS = 12.0
"""When the kernel goes on at the latest; the explanation itself stops reading after ten seconds."""

MOST_TOLD = 1000
MOST_CELLS = 50
_FILLED_IN = re.compile(r"\{(\w{1,100})\}|\$(\w{1,100})")
_RUNS_COMMANDS = re.compile(r"^\s*(?:!|%%(?:bash|sh|script|system|sx|!)|%(?:sx|system)\b)", re.MULTILINE)


@dataclass(eq=False)
class _Cell:
    """A cell that is running. `printed`: what its commands print, where it has commands."""

    info: Any
    mark: int
    printed: Printed | None = None


@dataclass
class _Finding:
    """What the daemon thread comes to; `noticed` at once, `result` when the reasons are there."""

    noticed: Noticed | None = None
    result: Result | None = None
    done: threading.Event = field(default_factory=threading.Event)


class DenialHook:
    """show: displays a result under the cell; offer: beneath it, a way to ask for access.

    `on`: whether anything is shown.
    """

    def __init__(
        self,
        shell: Any,
        services: Services,
        show: Callable[[Result], None],
        offer: Callable[[Result], None] | None = None,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self.on = True
        self._shell = shell
        self._services = services
        self._show = show
        self._offer = offer
        self._deadline = deadline_seconds
        self._cells: dict[int, _Cell] = {}
        self._told: set[tuple[str, ...]] = set()

    def register(self) -> None:
        from sm_access.aws.recorder import RECORDER

        self._recorder = RECORDER
        self._recorder.start()
        self._shell.events.register("pre_run_cell", self.before)
        self._shell.events.register("post_run_cell", self.after)

    def unregister(self) -> None:
        for event, callback in (("pre_run_cell", self.before), ("post_run_cell", self.after)):
            with suppress(ValueError):  # somebody has taken it away already
                self._shell.events.unregister(event, callback)
        while self._cells:
            self._forget(next(reversed(self._cells)))
        self._recorder.stop()

    # --- IPython's events

    def before(self, info: Any) -> None:
        try:
            if not self.on:
                return
            while len(self._cells) >= MOST_CELLS:  # cells whose end never came
                self._forget(next(iter(self._cells)))
            self._forget(id(info))
            cell = _Cell(info, self._recorder.mark())
            if _RUNS_COMMANDS.search(str(getattr(info, "raw_cell", ""))):
                cell.printed = Printed()
                cell.printed.start()
            self._cells[id(info)] = cell
        except Exception:  # noqa: BLE001 - the cell runs, whatever becomes of us
            return

    def after(self, result: Any) -> None:
        try:
            cell = self._forget(id(getattr(result, "info", None)))
            if cell is not None and self.on:
                self._tell(result, cell)
        except KeyboardInterrupt:  # the person does not want to wait for it
            return
        except Exception:  # noqa: BLE001 - their traceback stands above, and is not to be buried under ours
            return

    def _forget(self, key: int) -> _Cell | None:
        cell = self._cells.pop(key, None)
        if cell is not None and cell.printed is not None:
            cell.printed.stop()
        return cell

    # --- what to say

    def _tell(self, result: Any, cell: _Cell) -> None:
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        calls = self._recorder.since(cell.mark)
        printed = cell.printed.text if cell.printed is not None else ""
        if error is None and not calls and not printed:
            return
        finding = _Finding()
        command = self._as_run(str(getattr(cell.info, "raw_cell", "")))
        failed = error is not None or self._exit_code() != 0
        work = (finding, error, calls, printed, command, failed)
        threading.Thread(target=self._find, args=work, name="sm_access-denials", daemon=True).start()
        in_time = finding.done.wait(self._deadline)
        noticed = finding.noticed
        if noticed is None or not (noticed.failed or noticed.in_passing):
            return
        for other in self._cells.values():  # a cell around this one has been told with it
            other.mark = self._recorder.mark()
        if noticed.failed:
            shown = finding.result if in_time else Result(late_page(noticed.failed, self._deadline), 3)
            if shown is not None:
                self._show(shown)
                if self._offer is not None:
                    self._offer(shown)
            return
        new = [call for call in noticed.in_passing if self._is_new(call)]
        if new:
            self._show(Result(in_passing_page(new)))

    def _find(
        self,
        finding: _Finding,
        error: BaseException | None,
        calls: Sequence[Call],
        printed: str,
        command: str,
        failed: bool,
    ) -> None:
        try:
            said = calls_in(printed, noticed_by=NoticedBy.OUTPUT, command=command) if printed else ()
            noticed = notice(error, calls if failed or not said else (*calls, *said), said if failed else ())
            finding.noticed = noticed
            if noticed.failed:
                finding.result = explaining.explain_calls(
                    noticed.failed, services=self._services.follow_environment()
                )
            elif noticed.in_passing:
                explaining.remember(noticed.in_passing)
        except Exception:  # noqa: BLE001 - on a thread of our own; nobody hears of it, and the cell is not held up
            return
        finally:
            finding.done.set()

    def _as_run(self, command: str) -> str:
        """With `$name` and `{name}` as IPython filled them in, where they are texts. Nothing is evaluated again."""
        if command.lstrip().startswith("%%"):  # there, `$` is the shell's
            return command

        def value(found: re.Match[str]) -> str:
            held = self._shell.user_ns.get(found[1] or found[2])
            return held if isinstance(held, str) else found[0]

        return _FILLED_IN.sub(value, command)

    def _exit_code(self) -> int:
        found = self._shell.user_ns.get("_exit_code", 0)
        return found if isinstance(found, int) else 0

    def _is_new(self, call: Call) -> bool:
        """Said once in a session: a loop that goes on after each refusal is not told of it in each cell."""
        key = (
            call.service,
            call.operation,
            call.parameters.get("Bucket", ""),
            call.parameters.get("Key", ""),
        )
        if key in self._told or len(self._told) >= MOST_TOLD:
            return False
        self._told.add(key)
        return True
