"""What `sm-access sandbox lab` opens."""

from __future__ import annotations

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from lab_page import Lab

from sm_access.sandbox import company


def test_it_says_how_to_be_the_approver(lab: Lab) -> None:
    said = (lab.home / "lab.log").read_text()
    assert f"JupyterLab opens as {company.NOTEBOOK_ROLE}" in said
    assert 'eval "$(sm-access sandbox env --as approver)"' in said


def test_its_token_stays_on(lab: Lab) -> None:
    assert lab.token
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{lab.url}api/contents", timeout=10)  # noqa: S310 - our own server's address
    assert refused.value.code == 403
    refused.value.close()
    asked = Request(f"{lab.url}api/contents", headers={"Authorization": f"token {lab.token}"})  # noqa: S310
    with urlopen(asked, timeout=10) as answer:  # noqa: S310
        assert answer.status == 200
