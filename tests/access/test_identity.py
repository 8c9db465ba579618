"""What an identity's parts come to together: who disagrees, and whether the role is still the same one."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from sm_access.access.caller import Caller
from sm_access.access.evidence import Unread
from sm_access.access.identity import Authority, CredentialSource, Identity, RoleStatement

ACCOUNT = "111122223333"
SESSION = Caller(f"arn:aws:sts::{ACCOUNT}:assumed-role/notebooks/SageMaker", ACCOUNT, "AROAONE:SageMaker")
USER = Caller(f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, "AIDAONE")


def role(by: Authority, name: str | None, account: str = ACCOUNT, partition: str = "aws") -> RoleStatement:
    arn = f"arn:{partition}:iam::{account}:role/{name}" if name else None
    return RoleStatement(by, arn, "x", None if name else Unread("x", "iam:GetRole"))


def identity(*roles: RoleStatement, caller: Caller | None = SESSION, role_id: str | None = None) -> Identity:
    return Identity(
        caller=caller,
        source=CredentialSource.CONTAINER,
        expires_at=None,
        long_term_key=False,
        region=None,
        read_at=datetime(2026, 11, 24, tzinfo=timezone.utc),
        roles=roles,
        role_id=role_id,
    )


STS = role(Authority.STS, "notebooks")


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        (role(Authority.METADATA, "notebooks"), False),
        (role(Authority.METADATA, "service-role/notebooks"), False),  # a session's ARN tells no path
        (role(Authority.METADATA, None), False),
        (role(Authority.METADATA, "other"), True),
        (role(Authority.METADATA, "notebooks", "444455556666"), True),
        (role(Authority.SDK, "notebooks", ACCOUNT, "aws-cn"), True),
        (RoleStatement(Authority.METADATA, "no ARN at all", "x"), True),
    ],
)
def test_who_names_another_role_than_sts(other: RoleStatement, differs: bool) -> None:
    assert identity(STS, other).other_roles == ((other,) if differs else ())


def test_nobody_or_one_alone_disagrees_with_nobody() -> None:
    assert identity().other_roles == ()
    assert identity(STS).other_roles == ()
    assert identity(role(Authority.STS, None)).other_roles == ()


@pytest.mark.parametrize(
    ("caller", "role_id", "anew"),
    [
        (SESSION, "AROAONE", False),
        (SESSION, "AROATWO", True),
        (SESSION, None, False),
        (USER, "AROATWO", False),
        (None, "AROATWO", False),
        (Caller(SESSION.arn, ACCOUNT), "AROATWO", False),  # the user id was not told
    ],
)
def test_a_role_that_was_made_anew(caller: Caller | None, role_id: str | None, anew: bool) -> None:
    assert identity(STS, caller=caller, role_id=role_id).made_anew is anew


@pytest.mark.parametrize(("role_id", "gone"), [(None, False), ("AROAONE", False), ("", True)])
def test_a_role_that_is_gone(role_id: str | None, gone: bool) -> None:
    found = identity(STS, role_id=role_id)
    assert (found.role_gone, found.made_anew) == (gone, False)
