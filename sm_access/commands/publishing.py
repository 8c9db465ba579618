"""What an admin publishes for notebooks that may not read IAM: a snapshot of each role's policies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sm_access.access.snapshot import decode, encode, file_name, published
from sm_access.bootstrap import Services
from sm_access.errors import AccessDenied, CannotTell, InvalidInput, SmAccessError, UnusableSnapshot
from sm_access.policy import Arn
from sm_access.presentation.result import Result
from sm_access.presentation.snapshot import Publication, publish_page, snapshot_page

if TYPE_CHECKING:
    from sm_access.access.holder import Holder


def publish_snapshot(
    *roles: str, to: str | None = None, dry_run: bool = False, services: Services | None = None
) -> Result:
    """Publish what IAM says of these roles, for notebooks that may not read it; without any: of the roles that
    SageMaker works on. to: `s3://BUCKET/PREFIX` or a directory, and to S3 also told to the whole account; without it,
    where the setting or the account's parameter says.
    """
    from sm_access.aws.notebook_roles import collect_notebook_roles
    from sm_access.aws.organization import organization_unread

    at = services or Services()
    caller = at.caller()
    store = at.snapshots(caller.account, to)
    if not dry_run:
        try:
            store.place()
        except UnusableSnapshot as error:
            raise InvalidInput(
                "It is not said where to publish.",
                remedy="Add --to s3://BUCKET/PREFIX, in a bucket that notebooks may read and not write.",
            ) from error
    used = None if roles else collect_notebook_roles(at.aws)
    names = [_name(role, caller.account) for role in (roles or (() if used is None else used.used_by))]
    if not names:
        raise InvalidInput(
            "SageMaker works on no role that can be seen here, so there is nothing to publish.",
            remedy="Name the roles: sm-access snapshot publish ROLE...",
        )
    held = _read(at, caller.account, list(dict.fromkeys(names)))
    unread = tuple(organization_unread(at.aws))
    made = []
    for name, holder in held.items():
        if isinstance(holder, SmAccessError):
            made.append(Publication(name, None, problem=holder))
            continue
        snapshot = published(holder, caller.account, caller.arn, at.clock.now(), unread)
        content = encode(snapshot)
        where, problem = "", None
        if not dry_run:
            try:
                where = store.write(file_name(caller.account, holder.arn), content)
            except SmAccessError as error:
                problem = error
        made.append(Publication(name, snapshot, where, len(content), problem))
    announced = ""
    if to is not None and "://" in to and not dry_run and any(each.where for each in made):
        announced = store.announce(to)
    noted = () if used is None else tuple(used.unread)
    page = publish_page(made, at.clock.now(), dry_run=dry_run, announced=announced, unread=noted)
    return Result(page, 1 if any(each.problem for each in made) else 0)


def show_snapshot(*, services: Services | None = None) -> Result:
    """The snapshot that was published of this process's role, and whether it would be used.

    Raises UnusableSnapshot, which says why there is none.
    """
    at = services or Services()
    caller = at.caller()
    content = at.snapshots(caller.account).read(file_name(caller.account, caller.principal))
    snapshot = decode(content, caller, at.clock.now())
    return Result(snapshot_page(snapshot, at.clock.now(), at.snapshot_max_age))


def _name(role: str, account: str) -> str:
    """The name of a role that is given by name or ARN. Raises InvalidInput for a role of another account."""
    if not role.startswith("arn:"):
        return role.rsplit("/", 1)[-1]
    arn = Arn.parse(role)
    if arn.account != account or not arn.resource.startswith("role/"):
        raise InvalidInput(
            f"{role} is not a role of account {account}.", remedy="Give the name of a role of this account."
        )
    return arn.name


def _read(at: Services, account: str, names: list[str]) -> dict[str, Holder | SmAccessError]:
    """The roles by name: everybody in a few pages where that is allowed, else one by one."""
    from sm_access.access.holder import HolderKind
    from sm_access.aws.account import collect_account, read_role

    def single(name: str) -> Holder | SmAccessError:
        try:
            return read_role(at.aws, name)
        except (AccessDenied, CannotTell) as error:
            return error

    try:
        everybody = collect_account(at.aws, account, kinds=(HolderKind.ROLE,))
    except AccessDenied:
        with ThreadPoolExecutor(4) as pool:
            return dict(zip(names, pool.map(single, names), strict=True))
    found = {holder.name.lower(): holder for holder in everybody.holders}
    return {name: found.get(name.lower()) or single(name) for name in names}
