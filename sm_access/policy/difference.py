"""What one set of policies newly allows or denies against another, by action and resource pattern.

How it stays exact without trying every resource: whether a statement covers a resource is decided by its
Resource patterns alone. The patterns of both sets cut the resources of an action into cells (`partition.py`),
one example of each is decided by the engine under both sets, and the cells where the answers differ are put
back into patterns. Likewise, actions that no Action pattern tells apart are decided once.

Everything else - principal, account of the resource, context - is what the caller gives. Two limits, both named in
`Change.depends_on`: a variable in a Resource whose value is not known is anything, so that one example
stands for many values; and where both answers are UNDETERMINED they are taken for equal if they depend on the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sm_access.errors import InvalidInput
from sm_access.policy.action import ActionElement, match_action
from sm_access.policy.arn import Arn
from sm_access.policy.authorizer import authorize
from sm_access.policy.context import RequestContext
from sm_access.policy.decision import Decision, Response
from sm_access.policy.partition import Cell, Piece, Run, Shape, partition
from sm_access.policy.pattern import parse_template
from sm_access.policy.policy_set import Levels, Policies, PolicySet, Unreadable
from sm_access.policy.principal import Principal
from sm_access.policy.request import ContextValue, Request, resolve
from sm_access.policy.services import service_rules
from sm_access.policy.services.resource_control import resource_controlled
from sm_access.policy.statement import Statement

Shapes = Callable[[str], Sequence[Shape]]
_DENIED = (Decision.EXPLICIT_DENY, Decision.IMPLICIT_DENY)
_ALL_RESOURCES = Shape("*", ("*",))  # the resource of actions that have none: this one character


def _arns(partition_name: str | None, service: str | None, start: str) -> Shape:
    """All ARNs of a partition and service whose resource starts with `start`; None for any."""
    segments = [partition_name, service, None, None]
    text = ":".join(["arn", *(segment or "*" for segment in segments), f"{start}*"])
    pieces: list[Piece] = [*"arn:"]
    for segment in segments:
        pieces += [*(segment or (Run(":"),)), ":"]
    return Shape(text, (*pieces, *start, Run()))


# What services look at beside the patterns (policy/services): a cell must not straddle it.
_DIVIDING = (
    _arns(None, "kms", "key/"),
    _arns(None, "kms", "alias/"),
    _arns(None, "iam", "role/"),
    _arns(None, "s3", "accesspoint/"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """For `action`, on every resource that matches all of `within` and none of `outside`, the answer was
    `before` and is `after`. `example` is one such resource. `depends_on`: on what an UNDETERMINED one depends."""

    action: str
    within: tuple[str, ...]
    outside: tuple[str, ...]
    example: str
    before: Decision
    after: Decision
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """`undetermined`: what changes and is UNDETERMINED before or after, so that nobody can say whether it is
    an allowance. A denial that becomes explicit, or no longer is, is no change."""

    newly_allowed: tuple[Change, ...] = ()
    newly_denied: tuple[Change, ...] = ()
    undetermined: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.newly_allowed or self.newly_denied or self.undetermined)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What an example gets under both sets."""

    before: Decision
    after: Decision
    depends_on: tuple[str, ...]


def diff(
    before: PolicySet,
    after: PolicySet,
    *,
    principal: str,
    actions: Iterable[str],
    shapes: Shapes | None = None,
    resource_account: str | None = None,
    context: Mapping[str, ContextValue] | None = None,
    unknown: Collection[str] = (),
) -> Difference:
    """Compare both sets for `principal`, over `actions` and all of their resources.

    `shapes(action)`: the resources on which the action works, `catalog.resource_shapes` for those AWS has; without
    it, any ARN of the principal's partition, and `*`. `resource_account`: whose resources, None for the principal's
    own. Raises InvalidInput for what is no principal or action, CannotTell where there are too many cells.
    """
    who = Principal.parse(principal)
    owner = resource_account or who.account
    if owner is None:
        raise InvalidInput(
            f"{principal} belongs to no account, so whose resources are meant cannot be told.",
            remedy="Give resource_account.",
        )
    arn = Arn.read(principal)
    all_arns = _arns(arn.partition if arn else "aws", None, "")
    shapes_of = shapes or (lambda _action: (all_arns, _ALL_RESOURCES))

    def asked(action: str, resource: str) -> Request:
        return Request(principal, action, resource, owner, context or {}, unknown)

    listed = tuple(asked(action, "*").action for action in dict.fromkeys(actions))
    statements = [*_statements(before), *_statements(after)]
    compared = _Compared(before, after, asked)
    found: dict[str, list[Change]] = {"newly_allowed": [], "newly_denied": [], "undetermined": []}
    for alike in _alike(listed, statements, shapes_of):
        # What does not cover the action decides nothing for it, and neither do the resources that it names.
        if _covering(before, alike[0]) == _covering(after, alike[0]):
            continue
        covering = [s for s in statements if match_action(s.action, alike[0]).value is not False]
        patterns = _patterns(covering, asked)
        for shape in shapes_of(alike[0]):
            for kind, change in compared.changes(alike[0], shape, patterns):
                found[kind].extend(_for(action, change) for action in alike)
    order = {action: place for place, action in enumerate(listed)}
    return Difference(**{kind: _sorted(changes, order) for kind, changes in found.items()})


def _for(action: str, change: Change) -> Change:
    return Change(
        action, change.within, change.outside, change.example, change.before, change.after, change.depends_on
    )


def _sorted(changes: list[Change], order: Mapping[str, int]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: order[change.action]))


class _Compared:
    """Both sets; the cells of a shape are worked out once for the same patterns."""

    def __init__(self, before: PolicySet, after: PolicySet, asked: Callable[[str, str], Request]) -> None:
        self._before = before
        self._after = after
        self._asked = asked
        self._cells: dict[tuple[Shape, tuple[Shape, ...]], tuple[Cell, ...]] = {}

    def changes(self, action: str, shape: Shape, patterns: tuple[Shape, ...]) -> Iterator[tuple[str, Change]]:
        """The changes on one shape of resource, each with the field of Difference that it belongs to."""
        cells = self._cells.get((shape, patterns))
        if cells is None:
            cells = self._cells[shape, patterns] = partition(shape, patterns)
        groups: dict[tuple[str, _Answer], list[int]] = {}
        for place, cell in enumerate(cells):
            request = self._asked(action, cell.example)
            one, other = authorize(self._before, request), authorize(self._after, request)
            kind = _kind(one, other)
            if kind:
                depends_on = tuple(dict.fromkeys(other.depends_on + one.depends_on))
                answer = _Answer(one.decision, other.decision, depends_on)
                groups.setdefault((kind, answer), []).append(place)
        for (kind, answer), places in groups.items():
            for within, outside, example in _described(shape, patterns, cells, frozenset(places)):
                yield (
                    kind,
                    Change(action, within, outside, example, answer.before, answer.after, answer.depends_on),
                )


def _described(
    shape: Shape, patterns: tuple[Shape, ...], cells: tuple[Cell, ...], changed: frozenset[int]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Patterns for the cells of `changed`: as few and as wide ones as cover them and nothing else.

    # INVARIANT: a cell in what is yielded is in `changed`: it matches all patterns that the first cell of
    # the region matches, and an unchanged one also matches another, by which it is left out.
    """
    everywhere = frozenset(range(len(cells)))
    covers = {
        number: frozenset(place for place, cell in enumerate(cells) if number in cell.matched)
        for number in range(len(patterns))
    }
    covers = {number: cover for number, cover in covers.items() if cover != everywhere}  # the shape says it
    left = set(changed)
    while left:
        first = min(left)
        matched = cells[first].matched & covers.keys()
        narrowest = [n for n in matched if not any(covers[m] < covers[n] for m in matched)]
        narrowest = _distinct(narrowest, covers)
        region = everywhere.intersection(*(covers[n] for n in narrowest))
        wider = [n for n in matched if covers[n] <= changed]
        if everywhere <= changed:
            narrowest, region = [], everywhere
        elif wider:
            narrowest = [max(sorted(wider), key=lambda n: len(covers[n]))]
            region = covers[narrowest[0]]
        wrong = region - changed
        others = [n for n in covers if n not in matched and covers[n] & wrong]
        widest = [n for n in others if not any(covers[n] & region < covers[m] & region for m in others)]
        outside = _distinct(widest, covers)
        left -= region.difference(*(covers[n] for n in outside))
        yield (
            tuple(patterns[n].text for n in narrowest) or (shape.text,),
            tuple(patterns[n].text for n in outside),
            cells[first].example,
        )


def _distinct(numbers: Iterable[int], covers: Mapping[int, frozenset[int]]) -> list[int]:
    """One pattern for each set of cells: a policy's own before one that stands here only to divide."""
    chosen: dict[frozenset[int], int] = {}
    for number in sorted(numbers):
        chosen.setdefault(covers[number], number)
    return sorted(chosen.values())


def _kind(before: Response, after: Response) -> str:
    """The field of Difference where a change belongs; empty where nothing changes."""
    one, other = before.decision, after.decision
    if Decision.UNDETERMINED in (one, other):
        same = one is other and set(before.depends_on) == set(after.depends_on)
        return "" if same else "undetermined"
    if (one in _DENIED) == (other in _DENIED):
        return ""
    return "newly_denied" if other in _DENIED else "newly_allowed"


def _layers(policies: PolicySet) -> list[Policies | None]:
    """Every layer; of control policies every level as one of its own."""
    return [
        policies.identity,
        policies.permissions_boundary,
        policies.session,
        policies.resource,
        policies.vpc_endpoint,
        *_levels(policies.service_control),
        None,  # where service control ends, so that no level is taken for one of the other kind
        *_levels(policies.resource_control),
    ]


def _levels(levels: Levels | None) -> list[Policies | None]:
    if levels is None or isinstance(levels, Unreadable):
        return [levels]
    return [attached for _, attached in levels]


def _statements(policies: PolicySet) -> Iterator[Statement]:
    for layer in _layers(policies):
        if layer is not None and not isinstance(layer, Unreadable):
            for policy in layer:
                yield from policy.document.statements


def _covering(policies: PolicySet, action: str) -> list[object]:
    """What decides about `action`: equal for two sets where they cannot differ on it."""
    found: list[object] = [policies.public_access_block, policies.object_ownership]
    for layer in _layers(policies):
        if layer is None or isinstance(layer, Unreadable):
            found.append(layer)
            continue
        found.append(
            [
                replace(statement, index=0, path="", sid=None)
                for policy in layer
                for statement in policy.document.statements
                if match_action(statement.action, action).value is not False
            ]
        )
    return found


def _patterns(statements: Iterable[Statement], asked: Callable[[str, str], Request]) -> tuple[Shape, ...]:
    """Every Resource pattern of the statements, its variables filled in, and those by which services divide."""
    context = resolve(asked("sts:GetCallerIdentity", "*")).context
    found: dict[tuple[object, ...], Shape] = {}
    texts = [
        (text, statement.resource.variables)
        for statement in statements
        if statement.resource is not None
        for text in statement.resource.patterns
    ]
    for shape in (*(_filled(text, variables, context) for text, variables in texts), *_DIVIDING):
        found.setdefault(shape.pieces, shape)
    return tuple(found.values())


def _filled(text: str, variables: bool, context: RequestContext) -> Shape:
    return Shape.of(text, parse_template(text, variables=variables).resolve(context).within_segments())


def _alike(actions: Sequence[str], statements: Sequence[Statement], shapes: Shapes) -> Iterable[list[str]]:
    """The actions in groups that no statement, service or shape tells apart."""
    elements: list[ActionElement] = list(dict.fromkeys(statement.action for statement in statements))
    groups: dict[tuple[object, ...], list[str]] = {}
    for action in actions:
        covered = tuple(match_action(element, action).value for element in elements)
        lowered = action.lower()
        rules = service_rules(action)
        treated = (lowered.partition(":")[0], rules.traits(lowered), resource_controlled(lowered))
        groups.setdefault((covered, treated, tuple(shapes(action))), []).append(action)
    return groups.values()
