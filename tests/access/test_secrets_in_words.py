"""No token, key or password that stood in the words of an error comes back in what is shown, kept or printed."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from sm_access.access.call import Call
from sm_access.access.denial_message import DenialMessage
from sm_access.access.denied_call import DeniedCall
from sm_access.access.diagnosis import Basis, Cause, Diagnosis
from sm_access.access.pasted_calls import pasted_calls
from sm_access.access.raised_calls import raised_calls
from sm_access.access.secrets_in_words import without_secrets
from sm_access.presentation.denial import denial_page
from sm_access.presentation.html import to_html
from sm_access.presentation.text import to_text

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
CANARY = "CANARY01234567890ABCDEF/+="
KEY = "ASIACANARY0123456789"
URL = f"https://lake.s3.amazonaws.com/raw/x?X-Amz-Credential={KEY}%2F20261124&X-Amz-Signature={CANARY}"
LEAKS = (
    f"403 Client Error: Forbidden for url: {URL}&X-Amz-Security-Token={CANARY} Access Denied",
    f"An error occurred (AccessDenied) when calling the GetObject operation: see {URL}",
    f"403 Forbidden for url: https://lake.s3.amazonaws.com/x?AWSAccessKeyId={KEY}&Signature={CANARY} Access Denied",
    f"An error occurred (AccessDenied) when calling the GetObject operation: for {KEY}",
    f"An error occurred (AccessDenied) when calling the GetObject operation: Value '{CANARY}' at 'password' failed",
    f"Access Denied aws_secret_access_key = {CANARY}",
    f"Access Denied aws_session_token={CANARY}",
    f'Access Denied {{"SecretAccessKey": "{CANARY}"}}',
    f"Access Denied x-amz-security-token: {CANARY}",
    f"Access Denied Authorization: AWS4-HMAC-SHA256 Credential={KEY}/x, Signature={CANARY}",
)
KEPT = (
    (
        "User: arn:aws:sts::111122223333:assumed-role/nb/SageMaker is not authorized to perform: sts:GetSessionToken "
        "on resource: arn:aws:secretsmanager:eu-central-1:111122223333:secret:prod/db-AbCdEf because no identity-based "
        "policy allows the secretsmanager:GetSecretValue action"
    ),
    "s3:GetObject on resource: arn:aws:s3:::lake/raw/password=abcdefgh/x",
    "You are not authorized. Encoded authorization failure message: " + "aB3_-" * 100,
    "The AWS Access Key Id you provided does not exist in our records.",
    "Signature expired: 20261124T120000Z is now earlier than 20261124T121500Z (20261124T122000Z - 5 min.)",
    "The provided token has expired.",
)


def shown(call: Call) -> str:
    denied = DeniedCall(call, DenialMessage(), (), "s3:GetObject", "", "lake", "raw/x")
    page = denial_page([Diagnosis(Cause.NOT_GRANTED, Basis.AWS, denied)], NOW)
    return "".join((to_text(page), to_html(page), json.dumps(page.data), repr(page), repr(call)))


@pytest.mark.parametrize("text", LEAKS)
def test_no_card_and_no_call_holds_it(text: str) -> None:
    pasted, raised = pasted_calls(text), raised_calls(ValueError(text))
    assert pasted
    for call in (*pasted, *raised, Call("s3", "GetObject", message=text)):
        assert "CANARY" not in shown(call)


@pytest.mark.parametrize("text", KEPT)
def test_what_a_denial_is_told_by_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize("text", LEAKS)
def test_it_is_taken_away_once(text: str) -> None:
    assert without_secrets(without_secrets(text)) == without_secrets(text)
