"""The widget: the same answers, in controls that every host has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import sm_access
from sm_access.bootstrap import Services

# ipywidgets opens its comms by a kernel where there is one; here a widget is a plain object.


@pytest.fixture
def panel(services_of: Callable[[str], Services]) -> Any:
    return sm_access.AccessPanel("s3://acme-lake/raw/", "read", services=services_of("notebook"))


def test_it_shows_who_i_am_and_my_requests(panel: Any) -> None:
    bundle = panel._repr_mimebundle_()
    assert "acme-ds-notebooks" in bundle["text/html"]
    assert "No access requests yet" in bundle["text/html"]


def test_a_question_and_a_request(panel: Any) -> None:
    panel.check.click()
    assert "may not" in panel.answer.value
    assert not panel.check.disabled
    panel.why.value = "<script>alert(1)</script>"
    panel.duration.value = "1d"
    panel.ask.click()
    assert "Asked" in panel.answer.value
    assert "waiting for a reviewer" in panel.mine.value
    assert "<script" not in panel.answer.value + panel.mine.value


def test_what_is_wrong_is_an_answer(panel: Any) -> None:
    panel.where.value = "s3:/x<b>"
    panel.check.click()
    assert "is not an S3 URI" in panel.answer.value
    assert "<b>" not in panel.answer.value
    panel.where.value = "s3://acme-lake/raw/"
    panel.why.value = ""
    panel.ask.click()
    assert "The reason is empty" in panel.answer.value


def test_without_credentials_it_still_stands(clean_environment: Any) -> None:
    panel = sm_access.AccessPanel()
    assert "No AWS credentials were found" in panel._repr_mimebundle_()["text/html"]
