"""In which order the policies of a role are written and deleted, so that nobody loses access in between.

A grant that moves is written to its new policy before the old one is changed. Within that, what goes makes room for
what comes: deletions first, then what shrinks, then what grows. Where AWS's quotas leave no room for a grant in both
places at once, room goes before access: the end is the same, and the next call puts the grant back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sm_access.access.planner import ATTACHED_LIMIT, INLINE_LIMIT, InUse, RolePlan, characters, is_ours
from sm_access.access.ports import Document


@dataclass(frozen=True, slots=True)
class Step:
    """One write: the document that a policy is to have, or None to delete it."""

    name: str
    document: Document | None

    @property
    def inline(self) -> bool:
        return is_ours(self.name)


def ordered(
    names: Iterable[str],
    planned: RolePlan,
    ours: Mapping[str, Document],
    before: Mapping[str, str],
    in_use: InUse,
) -> list[Step]:
    """The steps for these names. `ours`: what is there now. `before`: id of each grant -> where it is now."""
    waiting = {name: Step(name, planned.documents.get(name)) for name in sorted(names)}
    present = dict(ours)
    done: list[Step] = []
    while waiting:
        steps = sorted(waiting.values(), key=lambda step: (_growth(step, present), step.name))
        room = [step for step in steps if _has_room(step, present, in_use)]
        keeping = [step for step in room if not _takes_away(step, waiting, planned.places, before)]
        step = (keeping or [step for step in steps if _growth(step, present) <= 0] or room or steps)[0]
        del waiting[step.name]
        if step.document is None:
            present.pop(step.name, None)
        else:
            present[step.name] = step.document
        done.append(step)
    return done


def _takes_away(
    step: Step, waiting: Mapping[str, Step], after: Mapping[str, str], before: Mapping[str, str]
) -> bool:
    """Whether it takes a grant from where it is before it has come to where it will be."""
    return any(
        there == step.name and after.get(grant, there) != there and after[grant] in waiting
        for grant, there in before.items()
    )


def _growth(step: Step, present: Mapping[str, Document]) -> int:
    now = characters(present[step.name]) if step.name in present else 0
    return (0 if step.document is None else characters(step.document)) - now


def _has_room(step: Step, present: Mapping[str, Document], in_use: InUse) -> bool:
    if step.document is None:
        return True
    if step.inline:
        used = sum(characters(document) for name, document in present.items() if is_ours(name))
        return in_use.characters + used + _growth(step, present) <= INLINE_LIMIT
    attached = in_use.attached + sum(not is_ours(name) for name in present)
    return step.name in present or attached < ATTACHED_LIMIT
