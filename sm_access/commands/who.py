"""For an admin: who in the account may do this there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from sm_access.access.holder import AccountHolders
from sm_access.access.target import S3Target
from sm_access.access.who import who_can as ask
from sm_access.bootstrap import Services
from sm_access.commands.inspecting import asked_of
from sm_access.errors import AccessDenied
from sm_access.policy import Arn
from sm_access.presentation.who import Who, who_page


def who_can(what: str, where: str, *, everybody: bool = False, services: Services | None = None) -> Who:
    """Which roles, groups and users of the account may do `what` (a level or an action) at `where` (an S3 URI)?

    For somebody who may read the account's policies. everybody: list those who may not as well. Raises AccessDenied
    where neither `iam:GetAccountAuthorizationDetails` nor `iam:ListRoles` is allowed, and what `can` raises.
    """
    from sm_access.aws.account import collect_account
    from sm_access.aws.buckets import collect_bucket
    from sm_access.aws.notebook_roles import collect_notebook_roles
    from sm_access.aws.organization import organization_unread

    at = services or Services()
    asked, target = asked_of(what), S3Target.parse(where)
    caller = at.caller()
    with ThreadPoolExecutor(4) as pool:
        bucket = pool.submit(collect_bucket, at.aws, target.bucket, caller.account)
        notebooks = pool.submit(collect_notebook_roles, at.aws)
        organization = pool.submit(organization_unread, at.aws)
        try:
            holders = collect_account(at.aws, caller.account)
        except AccessDenied:
            holders = _roles_alone(at, caller.account)
        used = notebooks.result()
        holders = replace(holders, unread=(*holders.unread, *organization.result(), *used.unread))

        def told(done: int, of: int) -> None:
            if at.progress is not None:
                at.progress(done, of, "principals asked about")

        found = ask(
            holders,
            bucket.result(),
            target,
            asked,
            now=at.clock.now(),
            used_by=used.on,
            told=told,
            partition=Arn.parse(caller.arn).partition,
        )
    return Who(who_page(found, at.clock.now(), everybody=everybody))


def _roles_alone(at: Services, account: str) -> AccountHolders:
    from sm_access.aws.account import DETAILS, collect_roles

    try:
        return collect_roles(at.aws, account)
    except AccessDenied as error:
        raise AccessDenied(
            "Who else is in this account, and with which policies, may not be read by this principal.",
            remedy=f"It needs {DETAILS}. What you may do yourself: sm-access permissions.",
        ) from error
