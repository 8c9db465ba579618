"""What is committed is the story, not one telling of it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from notebook_execution import NOTEBOOKS

EVERY = sorted(NOTEBOOKS.glob("*.ipynb"))
MEANT_TO_FAIL = {
    "01_first_steps.ipynb": ["read-denied", "read-over"],
    "02_what_may_i_do.ipynb": ["require-missing"],
    "03_denied.ipynb": ["denied-read", "denied-for-good", "denied-by-key", "missing"],
}


def test_there_are_notebooks() -> None:
    assert EVERY


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.name)
def test_it_is_valid_and_carries_no_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None), cell.id


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.name)
def test_only_a_cell_that_is_meant_to_fail_says_so(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    tagged = [cell.id for cell in notebook.cells if "raises-exception" in cell.metadata.get("tags", [])]
    assert tagged == MEANT_TO_FAIL.get(path.name, [])
