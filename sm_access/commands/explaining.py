"""Why was that refused? What a notebook's hook, the command `explain` and the library ask.

The answer comes in bounded time and never in the way of the person's own error: AWS's words are read at once, and what
the policies add is collected until a deadline only.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sm_access.access.call import Call
from sm_access.access.denied_call import DeniedCall, denied_call
from sm_access.access.diagnosis import Diagnosis
from sm_access.access.explainer import diagnose
from sm_access.access.level import Level
from sm_access.access.pasted_calls import pasted_calls
from sm_access.access.raised_calls import raised_calls
from sm_access.access.trouble import trouble_of
from sm_access.bootstrap import Services
from sm_access.commands.circumstances import DEADLINE_SECONDS, Circumstantial
from sm_access.errors import InvalidInput, SmAccessError
from sm_access.presentation.denial import denial_page, unexplained_page
from sm_access.presentation.result import Result

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_SHOWN = 3
"""How many denials of one cell are shown; more are counted."""

_last: tuple[Call, ...] = ()


def explain_calls(calls: Sequence[Call], *, services: Services | None = None) -> Result | None:
    """The explanation of what was refused among these calls; None where nothing was. Raises nothing.

    What was refused is remembered: `explain()` tells it again.
    """
    global _last  # noqa: PLW0603 - one process, one last denial
    try:
        troubled = tuple(call for call in calls if trouble_of(call) is not None)
        if not troubled:
            return None
        _last = troubled
        return _explained(troubled, services or Services())
    except Exception as error:  # noqa: BLE001 - the person's own error is what matters, and stands above this
        return Result(unexplained_page(type(error).__name__), 3)


def _explained(troubled: Sequence[Call], at: Services) -> Result:
    kept = _distinct(troubled)
    shown = kept[:MOST_SHOWN]
    circumstances = Circumstantial(at, shown).within(_patience(at, shown))
    found = [diagnose(denied.call, circumstances(denied)) for denied in shown]
    told = _without_covered([_under_rules(made, at) for made in found if made is not None])
    return Result(denial_page(told, at.clock.now(), len(kept) - len(shown)), 1)


def remember(calls: Iterable[Call]) -> None:
    """These were refused and nobody asked why yet: `explain` without an argument is about them."""
    global _last  # noqa: PLW0603 - one process, one last denial
    _last = tuple(calls)


def explain(what: object | None = None, *, services: Services | None = None) -> Result:
    """Why was this refused? what: the text of an error, an exception, a recording; None for the last denial here.

    Raises InvalidInput where nothing in it is a denial.
    """
    calls = _last_calls() if what is None else _calls_of(what)
    found = explain_calls(calls, services=services)
    if found is not None:
        return found
    if what is None:
        raise InvalidInput(
            "No denial was noticed in this process.", remedy="Pass the text of an error, or the exception."
        )
    raise InvalidInput(
        "No denial was found in that.", remedy="Pass the whole message of the error, or the exception."
    )


def _last_calls() -> Sequence[Call]:
    """What was noticed last; else the exception that ended the last line of an interactive Python."""
    error = getattr(sys, "last_value", None)
    return _last or (_calls_of(error) if isinstance(error, BaseException) else ())


def _calls_of(what: object) -> Sequence[Call]:
    from sm_access.commands.recording import Recording

    if isinstance(what, Call):
        return (what,)
    if isinstance(what, Recording):
        return [kind.call for kind in what.denied]
    if isinstance(what, BaseException):
        return _as_recorded(raised_calls(what))
    if isinstance(what, (list, tuple)):
        return [call for each in what for call in _calls_of(each)]
    return pasted_calls(str(what))


def _as_recorded(calls: Sequence[Call]) -> Sequence[Call]:
    """The same calls as the recorder heard them, where it was on: it knows on what they were."""
    from sm_access.aws.recorder import RECORDER

    recorded = {call.request_id: call for call in RECORDER.since(0) if call.request_id}
    return [recorded.get(call.request_id, call) for call in calls]


def _distinct(calls: Iterable[Call]) -> list[DeniedCall]:
    """One call for each place and level: libraries try the same thing several times."""
    found: dict[object, DeniedCall] = {}
    for call in calls:
        denied = denied_call(call)
        found.setdefault((trouble_of(call), denied.ask or (denied.action, denied.place)), denied)
    return list(found.values())


def _patience(at: Services, denied: Sequence[DeniedCall]) -> float:
    """Seconds to wait for the policies: less where AWS gave the reason, for then they only add to it."""
    try:
        most = min(DEADLINE_SECONDS, at.settings.timeout_seconds)
    except SmAccessError:
        most = DEADLINE_SECONDS
    return most / 3 if all(each.said.decider for each in denied) else most


def _under_rules(made: Diagnosis, at: Services) -> Diagnosis:
    if made.ask is None:
        return made
    try:
        return made.asking(made.ask.under(at.rules))
    except SmAccessError:
        return made  # rules that cannot be read are the matter of whoever asks


def _without_covered(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """Without those that the request of another would mend as well: a read includes the listing that failed before."""
    return [
        made
        for made in diagnoses
        if not any(other is not made and _mends(other, made) for other in diagnoses)
    ]


def _mends(other: Diagnosis, made: Diagnosis) -> bool:
    mine, wider = made.ask, other.ask
    if mine is None or wider is None or made.cause is not other.cause or mine == wider:
        return False
    return mine.level in (wider.level, Level.LIST) and wider.target.covers(mine.target)
