"""What the front end and the kernel say to each other: the identity view or an error's words, nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from comm.base_comm import BaseComm, CommManager

from sm_access.bootstrap import Services
from sm_access.config import Settings
from sm_access.notebook.kernel_comm import TARGET, KernelComm


class Wire(BaseComm):
    """A comm whose messages go into a list."""

    def __init__(self, *arguments: Any, **given: Any) -> None:
        self.sent: list[Any] = []
        super().__init__(*arguments, **given)

    def publish_msg(self, msg_type: str, data: Any = None, **_: Any) -> None:
        if msg_type == "comm_msg":
            self.sent.append(json.loads(json.dumps(data)))  # as the wire does: it must be JSON


VIEW = {
    "name", "kind", "account", "arn", "session_name", "source", "expires_at", "long_term_key", "tone", "warnings",
    "read_at",
}  # fmt: skip


@pytest.fixture
def manager() -> CommManager:
    return CommManager()


@pytest.fixture
def connect(manager: CommManager, services_of: Callable[[str], Services]) -> Callable[..., Wire]:
    """Load into a kernel with this manager, and open a comm from the front end."""

    def open_comm(services: Services | None = None) -> Wire:
        shell = SimpleNamespace(kernel=SimpleNamespace(comm_manager=manager))
        KernelComm(shell, services or services_of("notebook")).register()
        wire = Wire(target_name=TARGET, comm_id="front-end", primary=False)
        manager.register_comm(wire)
        manager.targets[TARGET](wire, {"content": {"data": {}}})
        return wire

    return open_comm


def ask(wire: Wire, data: Any) -> None:
    wire.handle_msg({"content": {"comm_id": "front-end", "data": data}})


def test_the_target_has_the_name_the_front_end_opens() -> None:
    assert TARGET == "sm_access"


def test_opening_is_answered_with_the_identity(connect: Callable[..., Wire]) -> None:
    (message,) = connect().sent
    assert message["type"] == "identity"
    assert set(message["view"]) >= VIEW
    assert message["view"]["name"] == "acme-ds-notebooks"
    assert message["view"]["tone"] == "ok"


def test_asking_again_is_answered_afresh_and_other_words_are_not(connect: Callable[..., Wire]) -> None:
    wire = connect()
    ask(wire, {"type": "identity"})
    assert [message["type"] for message in wire.sent] == ["identity", "identity"]
    for other in ({"type": "credentials"}, {}, {"type": None}, {"type": ["identity"]}):
        ask(wire, other)
    assert len(wire.sent) == 2


def test_no_credentials_is_an_error_in_words(connect: Callable[..., Wire], clean_environment: Any) -> None:
    (message,) = connect(Services(Settings.load())).sent
    assert message["type"] == "error"
    assert "No AWS credentials were found" in message["message"]
    assert set(message) == {"type", "message"}


def test_no_secret_crosses(connect: Callable[..., Wire], sandbox: Any) -> None:
    services_wire = connect()
    credentials = sandbox.session("notebook").get_credentials().get_frozen_credentials()
    sent = json.dumps(services_wire.sent)
    for secret in (credentials.access_key, credentials.secret_key, credentials.token):
        assert secret not in sent


def test_it_is_taken_away_again_and_needs_no_kernel(manager: CommManager) -> None:
    shell = SimpleNamespace(kernel=SimpleNamespace(comm_manager=manager))
    comm = KernelComm(shell, Services())
    comm.register()
    assert TARGET in manager.targets
    comm.unregister()
    assert TARGET not in manager.targets
    without = KernelComm(SimpleNamespace(), Services())
    without.register()
    without.unregister()
