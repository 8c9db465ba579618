"""JupyterLab as a person uses it: what can be clicked, typed and read on one notebook's page."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import Locator, Page, expect

#: The session is ready, and the kernel connected and idle. What the page itself shows says so too early.
KERNEL_READY = """() => {
  const context = window.jupyterapp?.shell?.currentWidget?.context?.sessionContext;
  const kernel = context?.session?.kernel;
  return !!context?.isReady && kernel?.connectionStatus === 'connected' && kernel?.status === 'idle';
}"""
EXECUTED_WITHIN_MS = 40_000


@dataclass(frozen=True, slots=True)
class Lab:
    """A running JupyterLab. work: the folder it shows. home: the folder with everything it writes."""

    url: str
    token: str
    work: Path
    home: Path

    def copy(self, notebook: Path, name: str) -> Path:
        path = self._path(name, notebook.name)
        path.write_bytes(notebook.read_bytes())
        return path

    def new(self, name: str) -> Path:
        path = self._path(name, "Untitled.ipynb")
        kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
        notebook = new_notebook(cells=[new_code_cell()], metadata={"kernelspec": kernel})
        path.write_text(nbformat.writes(notebook))
        return path

    def _path(self, test: str, name: str) -> Path:
        """A folder for each test: what one leaves open is not another's."""
        folder = self.work / re.sub(r"\W+", "-", test).strip("-")
        folder.mkdir()
        return folder / name


class LabPage:
    """One notebook in the browser. Cells are named by their id where the file gives one, else by position."""

    def __init__(self, page: Page, lab: Lab) -> None:
        self.page = page
        self.lab = lab
        self.status = page.locator(".jp-smAccess-status")
        self._cells = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell")
        self._executed = 0
        self._ids: list[str] = []
        self.path = Path()

    def open(self, path: Path) -> LabPage:
        """Open the notebook, alone, and wait until its kernel answers."""
        self.path = path
        self._ids = [cell.id for cell in nbformat.read(path, as_version=4).cells]
        at = path.relative_to(self.lab.work)
        self.page.goto(f"{self.lab.url}lab/workspaces/{at.parent}/tree/{at}?reset&token={self.lab.token}")
        expect(self._cells).to_have_count(len(self._ids), timeout=40_000)
        self.wait_for_kernel()
        return self

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(KERNEL_READY, timeout=40_000)

    def cell(self, name: str | int) -> Locator:
        return self._cells.nth(name if isinstance(name, int) else self._ids.index(name))

    def output(self, name: str | int) -> Locator:
        return self.cell(name).locator(".jp-Cell-outputWrapper")

    def run(self, name: str | int) -> Locator:
        """Click into the cell, press Ctrl+Enter, wait until it is done; its output."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        self._executed += 1
        expect(self.cell(name).locator(".jp-InputArea-prompt")).to_have_text(
            f"[{self._executed}]:", timeout=EXECUTED_WITHIN_MS
        )
        return self.output(name)

    def type_and_run(self, code: str) -> Locator:
        """Put the code into the last cell, run it, and leave an empty cell below; its output."""
        last = self._cells.count() - 1
        editor = self.cell(last).locator(".cm-content")
        editor.click()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        expect(self._cells).to_have_count(last + 2)
        return self.run(last)

    def restart_kernel(self) -> None:
        # Not awaited: the command ends only when its dialog is answered.
        self.page.evaluate("() => void window.jupyterapp.commands.execute('kernelmenu:restart')")
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        self._executed = 0

    def save(self) -> str:
        """Save as a person does; what is in the file then."""
        before = self.path.stat().st_mtime_ns
        self.page.keyboard.press("Control+s")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
        assert self.path.stat().st_mtime_ns > before
        return self.path.read_text("utf-8")

    def use_theme(self, name: str) -> None:
        """`JupyterLab Light` or `JupyterLab Dark`."""
        self.page.evaluate(
            "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", name
        )
        light = json.dumps(name.endswith("Light"))
        self.page.wait_for_function(
            f"() => document.body.dataset.jpThemeLight === '{light}' && document.body.dataset.jpThemeName === '{name}'"
        )

    def show_only_the_notebook(self) -> None:
        """Close the file browser, as people do who read."""
        self.page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
