"""Progress beneath a cell, as a frontend sees it: from a real kernel, on an AWS that takes its time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from jupyter_client.manager import KernelManager

from sm_access.bootstrap import Services
from sm_access.notebook.progress import shown_progress
from sm_access.sandbox.world import Sandbox

SLOW = """
from sm_access.notebook import progress
progress.AFTER = progress.EVERY = 0
%load_ext sm_access
"""


@contextmanager
def kernel(sandbox: Sandbox) -> Iterator[Any]:
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=sandbox.environment("notebook"))
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_line_changes_and_is_gone_before_the_answer(sandbox: Sandbox) -> None:
    seen: list[dict[str, Any]] = []

    def note(message: dict[str, Any]) -> None:
        if message["msg_type"] in {"display_data", "update_display_data", "execute_result", "error"}:
            seen.append({"kind": message["msg_type"], **message["content"]})

    with kernel(sandbox) as client:
        client.execute_interactive(SLOW, timeout=60, output_hook=lambda _: None)
        client.execute_interactive("%sm_access permissions s3://acme-models/", timeout=60, output_hook=note)
    first, *between, last = seen
    assert first["kind"] == "display_data"
    assert " done: " in first["data"]["text/plain"]
    assert {each["kind"] for each in between} == {"update_display_data"}
    assert {each["transient"]["display_id"] for each in between} == {first["transient"]["display_id"]}
    assert between[-1]["data"] == {"text/plain": ""}
    assert last["kind"] == "execute_result"
    assert "acme-models" in last["data"]["text/plain"]


def test_what_is_quick_shows_nothing_and_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    services = Services()

    class Shell:
        kernel = object()

    with shown_progress(Shell(), services):
        assert services.progress is not None
        services.progress(1, 2, "reading")
    assert services.progress is None
    with shown_progress(object(), services):
        assert services.progress is None  # IPython in a terminal
    assert capsys.readouterr() == ("", "")
