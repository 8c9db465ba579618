"""One notebook, executed from top to bottom by a real kernel, and what its cells then say."""

from __future__ import annotations

import os
import re
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Execution:
    """The outputs of an executed notebook, by the id of the cell."""

    def __init__(self, notebook: Any) -> None:
        self.cells = {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}

    def text(self, cell: str) -> str:
        """All that a person without a browser reads under the cell: streams, plain text, errors."""
        said = []
        for output in self.cells[cell].outputs:
            if output.output_type == "stream":
                said.append(output.text)
            elif output.output_type == "error":
                said.append(f"{output.ename}: {output.evalue}")
            else:
                said.append(output.data.get("text/plain", ""))
        shown = filter(None, said)  # a line of progress leaves an empty output behind
        return _COLOUR.sub("", "\n".join(shown)).replace("\r\n", "\n")

    def html(self, cell: str) -> str:
        """All HTML under the cell."""
        outputs = self.cells[cell].outputs
        return "".join(output.data.get("text/html", "") for output in outputs if "data" in output)

    def error(self, cell: str) -> str | None:
        """The name of the exception that the cell raised, or None."""
        names = [output.ename for output in self.cells[cell].outputs if output.output_type == "error"]
        return names[0] if names else None


def execute(path: Path, environment: Mapping[str, str]) -> Execution:
    """Run all cells as the principal whose environment this is. A cell that fails without saying so is an error."""
    notebook = nbformat.read(path, as_version=4)
    scripts = sysconfig.get_path("scripts")
    env = {**environment, "PATH": os.pathsep.join([scripts, environment.get("PATH", os.defpath)])}
    client = NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": path.parent}}
    )
    client.execute(env=env)
    return Execution(notebook)
