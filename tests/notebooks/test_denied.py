"""The third notebook, headless: under each refusal stands why, and the recording's policy is the least that would do."""

from __future__ import annotations

import json

import pytest
from notebook_execution import NOTEBOOKS, Execution, execute

from sm_access.sandbox import Sandbox

RAW = "s3://acme-lake/raw/"


@pytest.fixture(scope="module")
def denied(world: Sandbox) -> Execution:
    return execute(NOTEBOOKS / "03_denied.ipynb", world.environment("notebook"))


def test_the_card_stands_beneath_the_traceback(denied: Execution) -> None:
    said = denied.text("denied-read")
    assert denied.error("denied-read") == "PermissionError"
    assert said.index("Forbidden") < said.index(f"✕ Denied: read {RAW}customers.csv")
    assert "decided by our engine" in said
    assert f"sm-access request {RAW} read" in said
    assert 'class="sm-access' in denied.html("denied-read")
    assert "RequestButton" not in said


@pytest.mark.parametrize(("cell", "words"), [("denied-for-good", "acme-hr"), ("denied-by-key", "key")])
def test_what_cannot_be_asked_away_offers_no_request(denied: Execution, cell: str, words: str) -> None:
    said = denied.text(cell)
    assert "✕ Denied: read s3://acme-" in said
    assert words in said
    assert "sm-access request" not in said


def test_what_is_no_denial_stays_as_it_is(denied: Execution) -> None:
    assert denied.error("missing") == "NoSuchKey"
    assert "✕" not in denied.text("missing")


def test_what_the_code_gets_over_is_a_line(denied: Execution) -> None:
    assert denied.error("in-passing") is None
    said = denied.text("in-passing")
    assert f"1 call to AWS was denied in this cell: GetObject on {RAW}events/2026-11-01.json." in said
    assert "✕" not in said
    assert f"✕ Denied: read {RAW}events/2026-11-01.json" in denied.text("explain")


def test_it_can_be_turned_off(denied: Execution) -> None:
    assert "left to their tracebacks" in denied.text("off")
    assert "explained under the cell" in denied.text("on")


def test_the_recording_tells_calls_and_the_least_policy(denied: Execution) -> None:
    said = denied.text("record")
    assert "denied" in said.splitlines()[0]
    assert '"arn:aws:s3:::acme-lake/raw/*"' in said
    assert "lower bound" in said
    assert json.loads(denied.text("record-block")) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Recorded1",
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::acme-models/churn/2026-10/*",
            },
            {
                "Sid": "Recorded2",
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::acme-models",
                "Condition": {"StringLike": {"s3:prefix": "churn/2026-10/*"}},
            },
        ],
    }
    assert denied.text("check") == "()"
