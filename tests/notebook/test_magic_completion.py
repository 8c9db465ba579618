"""Completion of `%sm_access` in a real IPython shell, and asked for as Jupyter asks a kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from sm_access.commands import completion
from sm_access.sandbox.world import Sandbox


@pytest.fixture
def shell(enter: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    enter("notebook")
    monkeypatch.setattr(completion, "PATIENCE", 30)  # a machine under load is no reason to fail
    InteractiveShell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    shell.run_line_magic("load_ext", "sm_access")
    yield shell
    shell.run_line_magic("unload_ext", "sm_access")
    InteractiveShell.clear_instance()


def offered(shell: Any, text: str) -> list[tuple[int, int, str]]:
    """(from, to, text) of each completion at the end of a cell."""
    with provisionalcompleter():
        return [
            (found.start, found.end, found.text) for found in shell.Completer.completions(text, len(text))
        ]


def after(shell: Any, text: str) -> list[str]:
    """What the cell becomes."""
    return [text[:start] + new + text[end:] for start, end, new in offered(shell, text)]


@pytest.mark.parametrize(
    ("typed", "becomes"),
    [
        ("%sm_access perm", "%sm_access permissions"),
        ("%sm_access can re", "%sm_access can read"),
        ("%sm_access can read s3://acme-m", "%sm_access can read s3://acme-models/"),
        ("%sm_access can read s3:", "%sm_access can read s3://acme-models/"),
        ("%sm_access can read s3://acme-models/ch", "%sm_access can read s3://acme-models/churn/"),
        ("import os\n%sm_access can read s3://acme-m", "import os\n%sm_access can read s3://acme-models/"),
        ("answer = %sm_access can wr", "answer = %sm_access can write"),
        ("  %sm_access can wr", "  %sm_access can write"),
        ("!sm-access can read s3://acme-m", "!sm-access can read s3://acme-models/"),
        ("!sm-access require --read=s3://acme-m", "!sm-access require --read=s3://acme-models/"),
        ("%sm_access request s3://b/ read --dr", "%sm_access request s3://b/ read --dry-run"),
        ("%sm_acc", "%sm_access"),
        ("%sm_access den", "%sm_access denials"),
        ("%sm_access denials o", "%sm_access denials off"),
        ("%%sm_access re", "%%sm_access record"),
    ],
)
def test_a_line_is_completed(shell: Any, typed: str, becomes: str) -> None:
    assert becomes in after(shell, typed)


def test_nothing_of_pythons_is_among_it(shell: Any) -> None:
    assert {text for _, _, text in offered(shell, "%sm_access can ")} == {"list", "read", "write", "delete"}


def test_other_lines_are_left_alone(shell: Any) -> None:
    assert "permissions" not in [text for _, _, text in offered(shell, "perm")]
    assert after(shell, "# %sm_access perm") != ["# %sm_access permissions"]
    assert "%sm_access can read\nimport os" in after(shell, "%sm_access can read\nimport o")


def test_unloading_takes_it_away(shell: Any) -> None:
    shell.run_line_magic("unload_ext", "sm_access")
    assert shell.Completer.custom_matchers == []
    shell.run_line_magic("load_ext", "sm_access")
    assert len(shell.Completer.custom_matchers) == 1


def test_a_failure_within_is_nothing_to_complete(shell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sm_access.notebook import completion as matcher

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(matcher, "completions", fail)
    with provisionalcompleter():
        list(shell.Completer.completions("%sm_access can ", 15))


def test_a_kernel_answers_jupyter(sandbox: Sandbox) -> None:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=sandbox.environment("notebook"))
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        client.execute_interactive("%load_ext sm_access", timeout=60, output_hook=lambda _: None)
        line = "%sm_access can read s3://acme-m"
        for _ in range(10):  # what comes too late for one press of the key is there at the next
            reply = client.complete(line, reply=True, timeout=30)["content"]
            if reply["matches"]:
                break
        assert reply["matches"] == ["s3://acme-models/"]
        assert line[reply["cursor_start"] : reply["cursor_end"]] == "s3://acme-m"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
