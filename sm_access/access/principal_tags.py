"""The tags that a principal's requests carry as `aws:PrincipalTag`.

A user's requests carry the user's tags. A session's carry the role's and those passed when the role was assumed, which
replace the role's of the same name (IAM User Guide, "Pass session tags in AWS STS"). What was passed, nobody can ask
AWS about. But passing tags takes `sts:TagSession`, and whoever starts a session for an AWS service is authorized by the
role's trust policy alone: where that does not allow tagging, there are none but the role's.
"""

from __future__ import annotations

from collections.abc import Mapping

from sm_access.access.evidence import Policies
from sm_access.policy.action import match_action
from sm_access.policy.policy_set import Unreadable

_TAGGING = "sts:TagSession"


def carried_tags(
    own: Mapping[str, str], trust: Policies | Unreadable | None, *, started_by_aws: bool
) -> Mapping[str, str] | None:
    """The tags for certain; None where others may have been passed.

    own: those of the role or user itself. trust: a role's trust policy, None for a user. started_by_aws: an AWS service
    handed the session out. The trust policy is taken as it is now: a session older than a change to it may differ.
    """
    if trust is None:
        return own
    if isinstance(trust, Unreadable) or not started_by_aws:
        return None
    for policy in trust:
        for statement in policy.document.statements:
            if statement.effect == "Allow" and match_action(statement.action, _TAGGING).value is not False:
                return None
    return own
