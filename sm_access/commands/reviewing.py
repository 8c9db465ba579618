"""What a reviewer is shown beside a request: all of it read or worked out by their own side, each thing once."""

from __future__ import annotations

from sm_access.access.caller import same_principal
from sm_access.access.evidence import BucketEvidence, PrincipalEvidence
from sm_access.access.gain import Gain, gain
from sm_access.access.model import AccessRequest, Status
from sm_access.access.owner_half import OwnerHalf, owner_half
from sm_access.access.planner import InUse, RolePlan, arrange
from sm_access.access.reconciler import in_use
from sm_access.access.terms import terms_of, would_be_grant
from sm_access.bootstrap import Services
from sm_access.errors import CannotTell, Refused, SmAccessError
from sm_access.policy import Arn
from sm_access.presentation import requests as words


def role_in_use(at: Services, role_arn: str) -> InUse | None:
    """What the role carries beside our grants; None where it may not be read."""
    from sm_access.aws.role_writer import IamRoleWriter

    try:
        return in_use(IamRoleWriter(at.aws).read(role_arn))
    except (Refused, CannotTell):
        return None


class Reviewing:
    """Reads for one page. Nothing is raised for what could not be read: it is said."""

    def __init__(self, at: Services) -> None:
        self._at = at
        self._desk = at.desk
        self._now = at.clock.now()
        self._roles: dict[str, PrincipalEvidence | None] = {}
        self._working: tuple[frozenset[str], dict[str, tuple[str, ...]]] | None = None

    def of(self, request: AccessRequest, *, thorough: bool = False) -> words.Review:
        """The facts about one request. thorough: also how much lies in the place."""
        from sm_access.aws.width import collect_width

        at = self._at
        beside = role_in_use(at, request.role_arn)
        bucket = self._bucket(request)
        waiting = request.status is Status.SUBMITTED
        notebooks, studio = self._who_works_on(request.role_arn)
        width = collect_width(at.aws, request.target) if thorough and waiting else None
        return words.Review(
            request,
            request.grant.statements if request.grant else terms_of(request),
            notebooks,
            None if bucket is None else bucket.owner_account,
            None if beside is None else self._plan_with(request, beside),
            at.rules.quorum(request.target.bucket),
            None if bucket is None else self._half(request, bucket),
            studio=studio,
            gain=self._gain(request, bucket) if waiting and bucket is not None else None,
            unreachable=self._unreachable(request) if waiting else True,
            width=None if width is None else (width.objects, width.size, width.complete),
        )

    def _who_works_on(self, role_arn: str) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
        """Notebook instances, and what of Studio; None where SageMaker did not tell."""
        from sm_access.aws.notebook_roles import collect_notebook_roles

        if self._working is None:
            found = collect_notebook_roles(self._at.aws)
            self._working = (frozenset(each.permission for each in found.unread), {})
            self._found = found
        unread, known = self._working
        used = known.setdefault(role_arn, self._found.on(role_arn))
        instances = tuple(each.removeprefix("notebook ") for each in used if each.startswith("notebook "))
        others = tuple(each for each in used if not each.startswith("notebook "))
        return (
            None if "sagemaker:ListNotebookInstances" in unread else instances,
            None if "sagemaker:ListDomains" in unread else others,
        )

    def _gain(self, request: AccessRequest, bucket: BucketEvidence) -> Gain | None:
        from sm_access.aws.principals import collect_principal

        role = request.role_arn
        if role not in self._roles:
            try:
                self._roles[role] = collect_principal(self._at.aws, role)
            except SmAccessError:
                self._roles[role] = None
        principal = self._roles[role]
        if principal is None:
            return None
        made = would_be_grant(request, self._now).statements
        return gain(principal, bucket, request.terms, made, self._now)

    def _unreachable(self, request: AccessRequest) -> bool | None:
        """Whether who asked can surely not become who is looking; None where IAM did not tell."""
        caller = self._at.caller()
        if any(same_principal(caller.arn, own) for own in (request.requester.arn, request.role_arn)):
            return True
        reachable = self._desk.facts(caller, request).reachable
        return None if reachable is None else not reachable

    def _half(self, request: AccessRequest, bucket: BucketEvidence) -> OwnerHalf | None:
        """The owner's half of what is granted or may be; None of what is over or will never be."""
        if request.grant is None and request.status is Status.SUBMITTED:
            return owner_half(request.terms, would_be_grant(request, self._now), bucket)
        if request.grant is not None and request.in_force_at(self._now):
            return owner_half(request.terms, request.grant, bucket)
        return None

    def _plan_with(self, request: AccessRequest, beside: InUse) -> RolePlan:
        """What the role would carry with this request granted, whether or not that fits."""
        grants = [
            other.grant
            for other in self._desk.requests(role_arn=request.role_arn)
            if other.grant is not None and other.in_force_at(self._now)
        ]
        if request.grant is None:
            grants.append(would_be_grant(request, self._now))
        return arrange(request.role_arn, grants, beside)

    def _bucket(self, request: AccessRequest) -> BucketEvidence | None:
        from sm_access.aws.buckets import collect_bucket

        try:
            return collect_bucket(self._at.aws, request.target.bucket, Arn.parse(request.role_arn).account)
        except CannotTell:
            return None
