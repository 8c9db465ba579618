"""A long-term key that was left behind is found in a real IPython shell and its notebook, and is on no surface.

The key is made up, and searched for, part by part, in everything that is said.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from comm.base_comm import CommManager
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import sm_access
from sm_access.bootstrap import Services, identity_view
from sm_access.notebook.kernel_comm import KernelComm
from sm_access.presentation.result import Result

if TYPE_CHECKING:
    from sm_access.sandbox.world import Sandbox

ID = "AKIA" + "CANARYCANARY2345"
SECRET = "canary/canary+canary0canary1canary2canary"[:40]
CELL = f"key = '{ID}'\naws_secret_access_key = '{SECRET}'"


@pytest.fixture
def shell(clean_environment: Path, enter: Callable[[str], None]) -> Iterator[InteractiveShell]:
    """IPython without a kernel, as the notebook's role in the sandbox."""
    enter("notebook")
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.hist_file = ":memory:"
    shell = InteractiveShell.instance(config=config)
    yield shell
    if shell.history_manager:
        shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> Any:
    done = shell.run_cell(cell, store_history=True)
    assert done.success
    return done.result


def surfaces(result: Result) -> str:
    """Everything that a result can be turned into."""
    return "".join(
        [
            result.to_text(),
            result.to_html(),
            json.dumps(result.to_dict()),
            repr(result),
            str(result.page),
            json.dumps(result._repr_mimebundle_()),
            repr(pickle.dumps(result.to_dict())),
        ]
    )


def assert_not_told(said: str) -> None:
    assert "canary" not in said.lower()
    assert "AKIAC" not in said


@pytest.fixture
def pasted(
    shell: InteractiveShell, clean_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> InteractiveShell:
    """The key everywhere that it can lie: executed, in the notebook's file, in a variable, in `~/.aws`."""
    notebook = tmp_path / "churn.ipynb"
    output = {"output_type": "stream", "name": "stdout", "text": [f"{ID}\n"]}
    cells = [{"cell_type": "code", "source": [f"key = '{ID}'"], "outputs": [output]}]
    notebook.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    monkeypatch.setenv("JPY_SESSION_NAME", str(notebook))
    monkeypatch.setenv("PARTNER_KEY", ID)
    (clean_environment / ".aws").mkdir()
    (clean_environment / ".aws" / "credentials").write_text(
        f"[partner]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n"
    )
    run(shell, CELL)
    return shell


def test_it_is_found_in_every_place_and_told_on_no_surface(
    pasted: InteractiveShell, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="sm_access")
    run(pasted, "%load_ext sm_access")
    card = run(pasted, "%sm_access whoami")
    assert {found["kind"] for found in card.to_dict()["long_term_keys"]["found"]} == {
        "environment-variable",
        "file",
        "cell",
        "cell-output",
        "executed-cell",
    }
    assert card.to_dict()["tone"] == "error"
    assert "what this kernel ran as [1]" in " ".join(card.to_text().split())
    assert_not_told(surfaces(card))
    assert_not_told(surfaces(run(pasted, "import sm_access; sm_access.whoami()")))
    loaded = capsys.readouterr()
    assert "a long-term access key was found" in loaded.out
    assert_not_told(loaded.out + loaded.err + caplog.text)


def test_it_is_not_in_what_the_front_end_or_the_server_are_told(pasted: InteractiveShell) -> None:
    manager = CommManager()
    comm = KernelComm(SimpleNamespace(kernel=SimpleNamespace(comm_manager=manager)), Services())
    message = comm.answer()
    assert message["view"]["tone"] == "error"
    assert "access key" in message["view"]["warnings"][0]
    assert_not_told(json.dumps(message))
    view = identity_view()
    assert view["tone"] == "error"
    assert_not_told(json.dumps(view))


def test_it_is_not_in_the_values_within(pasted: InteractiveShell) -> None:
    identity = Services().identity()
    assert identity.keys.found
    assert_not_told(repr(identity) + repr(pickle.dumps(identity)))


def test_a_library_call_in_a_plain_process_finds_them_too(
    pasted: InteractiveShell, clean_environment: Path
) -> None:
    """Neither IPython nor Jupyter is there, as in a training container."""
    program = (
        "import sys\nclass No:\n  def find_spec(self, name, *_):\n"
        "    if name.split('.')[0] in {'IPython', 'ipykernel', 'jupyter_server'}: raise ImportError(name)\n"
        "sys.meta_path.insert(0, No())\nimport sm_access\nr = sm_access.whoami()\nprint(r)\nprint(r.to_dict()['name'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip().endswith("acme-ds-notebooks")
    assert "the variable PARTNER_KEY" in " ".join(done.stdout.split())
    assert_not_told(done.stdout + done.stderr)


def test_nothing_lies_about_in_a_clean_kernel(shell: InteractiveShell) -> None:
    run(shell, "import os")
    card = sm_access.whoami().to_dict()
    assert card["long_term_keys"] == {"found": [], "unsearched": []}
    assert card["tone"] == "ok"


def test_variables_that_a_cell_sets_are_followed(
    shell: InteractiveShell, enter: Callable[[str], None], sandbox: Sandbox
) -> None:
    """As boto3's next session in this kernel would be: by the card, by a question, by the status bar, by the panel."""
    run(shell, "%load_ext sm_access")
    assert run(shell, "%sm_access whoami").to_dict()["name"] == "acme-ds-notebooks"
    comm = KernelComm(SimpleNamespace(), Services())
    assert comm.answer()["view"]["name"] == "acme-ds-notebooks"
    for name, value in sandbox.variables("legacy").items():
        if value is not None:
            run(shell, f"import os; os.environ[{name!r}] = {value!r}")
    assert run(shell, "%sm_access whoami").to_dict()["name"] == "legacy-notebook-role"
    assert (
        run(shell, "%sm_access permissions s3://acme-lake/")
        .to_dict()["principal"]
        .endswith("legacy-notebook-role/SageMaker")
    )
    assert comm.answer()["view"]["name"] == "legacy-notebook-role"


def test_services_that_were_given_a_session_keep_it(
    services_of: Callable[[str], Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = services_of("notebook")
    aws = services.aws
    monkeypatch.setenv("AWS_PROFILE", "other")
    assert services.follow_environment().aws is aws


def test_loading_does_not_hang_where_sts_does(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("SM_ACCESS_TIMEOUT_SECONDS", "0.5")
        began = time.monotonic()
        run(shell, "%load_ext sm_access")
        assert time.monotonic() - began < 10
    (line,) = capsys.readouterr().out.strip().splitlines()
    assert line.startswith("? AWS could not be asked who this is")
    assert "sm_access" in shell.magics_manager.magics["line"]
