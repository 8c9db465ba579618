"""Every error a person can meet, as one tree.

    SmAccessError
    |- InvalidInput            the caller's words are wrong                          exit 2
    |  |- InvalidS3Uri
    |  |- UnknownLevel
    |  |- UnknownAction
    |  |- InvalidDuration
    |  |- InvalidSetting
    |  |- PolicySyntaxError    with the JSON path and what was expected there
    |  |- InvalidScenario      likewise, of a decision under test
    |  |- UnreadableFile       with its name, and the line
    |  |- UnknownAccessRequest
    |  `- MissingExtra
    |- Refused                 understood, and not done                              exit 1
    |  |- NotAReviewer
    |  |- SelfReview
    |  |- BeyondCeiling
    |  |- IllegalTransition
    |  |- TermsChanged
    |  |- LedgerConflict
    |  |- AccessRequired       what a program needs and does not have, all of it
    |  |- AccessDenied         AWS refused a call that the work needs
    |  `- QuotaExceeded
    `- CannotTell              the answer could not be found out                     exit 3
       |- NoCredentials
       |- ExpiredCredentials
       |- AwsUnreachable
       |- NotSupportedHere     the stand-in behind this endpoint has no such call
       |- UnusableSnapshot
       |- LedgerUnavailable
       |  `- LedgerTampered    it is not as it was written
       `- SandboxUnavailable

A message says what happened, to what, and - in `remedy` - what to do, in that order. Exit codes are those of the
command line: 0 yes, 1 no, 2 wrong use, 3 cannot tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class SmAccessError(Exception):
    """What every surface catches and shows as one paragraph. `remedy` is the sentence or command that helps.

    code: AWS's own code for what went wrong, e.g. `NoSuchEntity`, where AWS answered.
    """

    exit_code = 3
    code = ""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class InvalidInput(SmAccessError):
    """The caller's words cannot be understood; nothing was done."""

    exit_code = 2


class InvalidS3Uri(InvalidInput):
    """Not an S3 URI that a grant or a question can be about."""


class UnknownLevel(InvalidInput):
    """Not one of list, read, write, delete."""


class UnknownAction(InvalidInput):
    """No AWS service has an action of this name."""


class InvalidDuration(InvalidInput):
    """Not a length of time such as 30m, 8h, 7d."""


class InvalidSetting(InvalidInput):
    """A setting, or the file it comes from, cannot be used."""


class PolicySyntaxError(InvalidInput):
    """A policy document that AWS's grammar does not allow. `path` is the JSON path of the place."""

    def __init__(self, path: str, expected: str, *, policy: str = "policy") -> None:
        super().__init__(f"{policy} is not a valid policy document: at {path}, {expected}.")
        self.path = path
        self.expected = expected


class InvalidScenario(InvalidInput):
    """A decision under test that cannot be read. `path` is the JSON path of the place."""

    def __init__(self, path: str, expected: str) -> None:
        super().__init__(f"At {path}, {expected}.")
        self.path = path
        self.expected = expected


class UnreadableFile(InvalidInput):
    """A file that is not there, too large, or not what was asked for; the message begins with its name and line."""


class UnknownAccessRequest(InvalidInput):
    """The ledger holds no access request of this id."""


class MissingExtra(InvalidInput):
    """A part of sm_access that needs libraries which are not installed."""


class Refused(SmAccessError):
    """Understood, and not done: a rule, a state or AWS says no."""

    exit_code = 1


class NotAReviewer(Refused):
    """This principal may not decide on this access request."""


class SelfReview(Refused):
    """Nobody decides on what their own role asked for."""


class BeyondCeiling(Refused):
    """More, wider or longer than the rules let anyone have."""


class IllegalTransition(Refused):
    """The access request is not in a state from which this can happen."""


class TermsChanged(Refused):
    """What would be applied is not, byte for byte, what was reviewed."""


class LedgerConflict(Refused):
    """Somebody else wrote to the same access request first; nothing of this write was kept."""


class AccessRequired(Refused):
    """A program needs access that it does not have, or that could not be confirmed.

    gaps: each with `level`, `place`, `answer` (no, in part, depends, cannot tell), `reason` and `request`, the command
    that asks for it ('' where asking would not help). confirmed: at least one is surely missing; where none is, the
    exit code is that of "cannot tell".
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        gaps: Sequence[Mapping[str, str]] = (),
        confirmed: bool = True,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.gaps = tuple(gaps)
        self.confirmed = confirmed
        self.exit_code = Refused.exit_code if confirmed else CannotTell.exit_code

    def __str__(self) -> str:
        lines = [super().__str__()]
        for gap in self.gaps:
            lines.append(f"  {gap['level']} {gap['place']} - {gap['answer']}: {gap['reason']}")
            lines += [f"    {gap['request']}"] if gap["request"] else []
        return "\n".join(lines)


class AccessDenied(Refused):
    """AWS refused a call that the work needs."""


class QuotaExceeded(Refused):
    """The grants would not fit into what AWS lets a role carry."""


class CannotTell(SmAccessError):
    """The answer could not be found out; it is neither yes nor no."""

    exit_code = 3


class NoCredentials(CannotTell):
    """The SDK's credential chain found nothing."""


class ExpiredCredentials(CannotTell):
    """The temporary credentials are past their end."""


class AwsUnreachable(CannotTell):
    """The endpoint did not answer in time, or not in AWS's language."""


class NotSupportedHere(CannotTell):
    """The stand-in for AWS behind this endpoint has no such call."""


class UnusableSnapshot(CannotTell):
    """A published snapshot that is not there, not of this role, or not what it should be; it is ignored."""


class LedgerUnavailable(CannotTell):
    """The ledger cannot be read or written."""


class LedgerTampered(LedgerUnavailable):
    """The ledger is not as it was written; nothing is decided or applied from it."""


class SandboxUnavailable(CannotTell):
    """The embedded AWS is not there, or could not be started."""
