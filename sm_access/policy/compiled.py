"""The fast path: one principal's policies, prepared once for many questions. Same answers as `authorize`.

Every statement of every layer is one bit. What a statement asks of the principal and of the context is settled
once; what remains are two masks, one of the statements that cover the action and one of those that cover the
resource, each found through an index of patterns. A decision is a few ANDs of what both have in common with the
masks of the layers - and as equal masks have equal answers, it is made once and looked up from then on.

Three values are two masks: the statements that certainly match, and those that possibly do. AND and OR keep the
order of both, so what is yes by the certain ones, or no by the possible ones, is so in the plain authorizer. Where
it is neither, the plain authorizer is asked, on behalf of all requests with these masks.

# INVARIANT: requests of one frame with the same masks have one answer. Whatever else of a request could change it
# has to become part of the frame (`_Program.frame`), or give the resource a table of its own (`_Table.own`).
# INVARIANT: every cache has a limit, and losing what it holds at any time changes no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, compress, groupby
from typing import Any, TypeVar

from sm_access.errors import InvalidInput
from sm_access.policy.authorizer import authorize
from sm_access.policy.context import Values
from sm_access.policy.decision import Decision, Layer, Response, StatementRef
from sm_access.policy.layer_masks import Cover, LayerMasks
from sm_access.policy.policy_set import PolicySet
from sm_access.policy.principal import Reach
from sm_access.policy.request import ContextValue, Request, resolve
from sm_access.policy.services import is_ordinary, service_rules
from sm_access.policy.services.public_access import within_public_access
from sm_access.policy.services.resource_control import resource_controlled
from sm_access.policy.services.rules import DEFAULT, ServiceRules, Traits
from sm_access.policy.statement_bits import Binding, StatementBits
from sm_access.policy.truth import YES

MOST_TEXTS = 16_384  # actions, and resources of each service's rules
LONGEST_TEXT = 2_048  # what is longer is answered and forgotten
MOST_KINDS = 1_024  # of actions, of resources, of owners
MOST_BINDINGS = 64
MOST_OWN_TABLES = 256
Actions = Iterable[str] | Callable[[], Iterable[str]]
# How a service's actions are treated, what of an action counts there, whether resource control policies apply.
_Regime = tuple[ServiceRules, Traits, bool]
_FLAGS = bytes.maketrans(b"01", b"\0\1")
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def bind(
    policies: PolicySet,
    *,
    principal: str,
    resource_account: str | None = None,
    context: Mapping[str, ContextValue] | None = None,
    unknown: Collection[str] = (),
    actions: Actions = (),
) -> Bound:
    """`sm_access.policy.compile_policies` for those who know which actions there are."""
    return Bound(policies, _Asker(principal, resource_account, dict(context or {}), tuple(unknown)), actions)


class Bound:
    """Policies bound to a principal and a context: what `sm_access.policy.compile_policies` returns."""

    __slots__ = ("_actions", "_program", "_universe")

    def __init__(self, policies: PolicySet, asker: _Asker, actions: Actions) -> None:
        asker.ask("sts:GetCallerIdentity", "*")  # refuses at once what is no principal
        self._program = _Program(policies, asker)
        self._actions = _Kinds(self._program)
        self._universe: Actions | _Universe = actions

    def decide(self, action: str, resource: str) -> Decision:
        """The decision alone. Raises InvalidInput where Request does."""
        kind = self._actions[action]
        return kind.tables[resource][kind]

    def deciding(self, action: str, resource: str) -> StatementRef | None:
        """The statement that decides: `Response.deciding`."""
        kind = self._actions[action]
        return kind.tables[resource].deciding[kind]

    def authorize(self, action: str, resource: str) -> Response:
        """The whole answer with its reasons, by the plain authorizer."""
        return self._program.answer(action, resource)

    def allowed_actions(self, resource: str) -> tuple[str, ...]:
        """Every action that is ALLOW on `resource`, in the order in which the actions were given; raises
        InvalidInput where none were."""
        universe = self._universe
        if not isinstance(universe, _Universe):
            listed = tuple(universe() if callable(universe) else universe)
            if not listed:
                raise InvalidInput(
                    "Which actions there are is not known here.",
                    remedy="Use compile_policies of sm_access.policy, or give it the actions.",
                )
            universe = self._universe = _Universe(self._program, listed)
        return universe.allowed_on(resource)


@dataclass(frozen=True, slots=True)
class _Asker:
    """All of a request but its action and its resource."""

    principal: str
    resource_account: str | None
    context: Mapping[str, ContextValue]
    unknown: tuple[str, ...]

    def ask(self, action: str, resource: str) -> Request:
        return Request(self.principal, action, resource, self.resource_account, self.context, self.unknown)


class _Program:
    """What all questions share: the policies as bits, and the kinds of actions and resources met so far."""

    __slots__ = (
        "_bindings",
        "_controlled",
        "_frames",
        "_kinds",
        "_kinds_of_resource",
        "_policies",
        "_silent",
        "ask",
        "bits",
        "tables",
    )

    def __init__(self, policies: PolicySet, asker: _Asker) -> None:
        self.ask = asker.ask
        self.bits = StatementBits(policies)
        self._policies = policies
        self._silent = _without_statements(policies)
        self._bindings: dict[tuple[Values, ...], Binding] = {}
        self._frames: dict[object, LayerMasks] = {}
        self._controlled: bool | None = None
        self._kinds: dict[tuple[int, int, _Regime], _Kind] = {}
        self._kinds_of_resource: dict[tuple[LayerMasks, int, int], _Table] = {}
        self.tables: dict[_Regime, _Tables] = {}

    def answer(self, action: str, resource: str) -> Response:
        """The plain authorizer's."""
        return authorize(self._policies, self.ask(action, resource))

    def regime(self, lowered: str) -> _Regime:
        """How an action, in lower case, is treated."""
        rules = service_rules(lowered)
        return rules, rules.traits(lowered), self._resource_controlled(lowered)

    def kind(self, action: str, certain: int, possible: int, regime: _Regime) -> _Kind:
        """Actions that the same statements cover, and that are treated alike, are of one kind."""
        key = (certain, possible, regime)
        found = self._kinds.get(key)
        if found is None:
            if regime not in self.tables:
                self.tables[regime] = _Tables(self, regime[0], regime[1], action, len(self.tables))
            found = _Kind(certain, possible, action, self.tables[regime])
            _keep(self._kinds, key, found, MOST_KINDS)
        return found

    def _resource_controlled(self, lowered: str) -> bool:
        """Whether resource control policies apply to the action, and to this principal."""
        if self._policies.resource_control is None or not resource_controlled(lowered):
            return False
        if self._controlled is None:
            layers = authorize(self._silent, self.ask(lowered, "*")).layers
            self._controlled = any(result.layer is Layer.RESOURCE_CONTROL for result in layers)
        return self._controlled

    def table(self, tables: _Tables, resource: str) -> _Table:
        """The decisions about `resource`, for one regime."""
        text = tables.rules.resource_for(resource)
        frame = self.frame(tables, resource, text)
        certain, possible, filled = frame.binding.match(text)
        if filled:
            found = _Table(self, frame, certain, possible, own=True)
        else:
            key = (frame, certain, possible)
            kept = self._kinds_of_resource.get(key)
            found = _Table(self, frame, certain, possible) if kept is None else kept
            if kept is None:
                _keep(self._kinds_of_resource, key, found, MOST_KINDS)
        if tables.number not in found.samples:
            found.samples[tables.number] = resource
        return found

    def frame(self, tables: _Tables, resource: str, text: str) -> LayerMasks:
        """What holds for `resource` in one regime, beside its match with the statements; `text`: what is matched."""
        rules = tables.rules
        head = (
            _head(text),
            rules.consent_required(text),
            rules.beyond(tables.traits, text).value,
            *rules.derived(text).items(),
        )
        found = tables.frames.get(head)
        if found is None:
            found = self._frame(self.ask(tables.action, resource))
            _keep(tables.frames, head, found, MOST_KINDS)
        return found

    def _frame(self, request: Request) -> LayerMasks:
        """Everything that depends on the resource in another way than by its match with the statements."""
        resolved = resolve(request, bounded=self._policies.permissions_boundary is not None)
        results = authorize(self._silent, request).layers
        layers = {result.layer: result.outcome is Decision.UNDETERMINED for result in results}
        values = tuple(resolved.context.lookup(key) for key in self.bits.keys)
        settings = self._policies.public_access_block
        kept = YES
        if self._policies.resource and request.action.lower().startswith("s3:"):
            everyone = Reach(direct=YES)
            kept = within_public_access(everyone, settings, self._policies.resource, resolved).direct
        key = (
            values,
            resolved.same_account.value,
            resolved.consent_required,
            resolved.beyond.value,
            resolved.unlocked,
            kept.value,
            *layers.items(),
        )
        found = self._frames.get(key)
        if found is None:
            binding = self._bindings.get(values)
            if binding is None:
                binding = Binding(self.bits.statements, resolved)
                _keep(self._bindings, values, binding, MOST_BINDINGS)
            found = LayerMasks(self.bits, binding, resolved, layers, kept.value)
            _keep(self._frames, key, found, MOST_KINDS)
        return found


def _without_statements(policies: PolicySet) -> PolicySet:
    """The same layers with nothing in them, to ask the plain authorizer which of them apply and are not known."""
    empty: Any = {layer.value: () for layer in Layer if isinstance(getattr(policies, layer.value), tuple)}
    return replace(policies, **empty)


def _head(resource: str) -> str:
    """As much of a resource as tells its owner: an ARN up to its fifth colon; the lone star."""
    parts = resource.split(":", 5)
    if len(parts) == 6 and parts[5]:
        return resource[: -len(parts[5])]
    return "*" if resource == "*" else ""


def _keep(cache: dict[_Key, _Value], key: _Key, value: _Value, most: int) -> None:
    """Where there is no room left, everything goes: rare, simple, and it costs the hits nothing."""
    if len(cache) >= most:
        cache.clear()
    cache[key] = value


class _Kind:
    """One kind of action, and where to look up the resources for it. Compared by identity, which is fast."""

    __slots__ = ("certain", "possible", "sample", "tables")

    def __init__(self, certain: int, possible: int, sample: str, tables: _Tables) -> None:
        self.certain = certain
        self.possible = possible
        self.sample = sample
        self.tables = tables


class _Kinds(dict[str, _Kind]):
    """Action -> its kind."""

    __slots__ = ("_program",)

    def __init__(self, program: _Program) -> None:
        super().__init__()
        self._program = program

    def __missing__(self, action: str) -> _Kind:
        self._program.ask(action, "*")  # refuses what is no action
        lowered = action.lower()
        certain, possible, _ = self._program.bits.actions.match(lowered)
        found = self._program.kind(action, certain, possible, self._program.regime(lowered))
        if len(action) <= LONGEST_TEXT:
            _keep(self, action, found, MOST_TEXTS)
        return found


class _Tables(dict[str, "_Table"]):
    """Resource -> the decisions about it, for actions of one regime; `action` is one of them, with its `traits`.

    `frames`: what has been found of owners of resources.
    """

    __slots__ = ("_own", "_program", "action", "frames", "number", "rules", "traits")

    def __init__(
        self, program: _Program, rules: ServiceRules, traits: Traits, action: str, number: int
    ) -> None:
        super().__init__()
        self._program = program
        self._own = 0
        self.rules = rules
        self.traits = traits
        self.action = action
        self.number = number
        self.frames: dict[object, LayerMasks] = {}

    def __missing__(self, resource: str) -> _Table:
        if not resource:
            self._program.ask(self.action, resource)  # refuses it
        found = self._program.table(self, resource)
        if len(resource) <= LONGEST_TEXT:
            self._own += found.own
            if self._own > MOST_OWN_TABLES:
                self._own = int(found.own)
                self.clear()
            _keep(self, resource, found, MOST_TEXTS)
        return found


class _Table(dict[_Kind, Decision]):
    """Kind of action -> the decision, for one kind of resource; each is made when it is first looked up.

    `own`: not a kind but a single resource, because it matches a pattern with a variable that is not known, and
    then the answer hangs on the very text. `samples`: a resource of this kind for each regime.
    """

    __slots__ = ("_allowed", "_certain", "_frame", "_possible", "_program", "deciding", "own", "samples")

    def __init__(
        self, program: _Program, frame: LayerMasks, certain: int, possible: int, *, own: bool = False
    ) -> None:
        super().__init__()
        self._program = program
        self._frame = frame
        self._certain = certain
        self._possible = possible
        self._allowed = (0, 0)
        self.deciding = _Deciding(self)
        self.own = own
        self.samples: dict[int, str] = {}

    def __missing__(self, kind: _Kind) -> Decision:
        found = self._settled(kind)
        if found is None:
            response = self._answer(kind)
            found = response.decision
            _keep(self.deciding, kind, response.deciding, MOST_KINDS)
        _keep(self, kind, found, MOST_KINDS)
        return found

    def _answer(self, kind: _Kind) -> Response:
        return self._program.answer(kind.sample, self.samples[kind.tables.number])

    def _settled(self, kind: _Kind) -> Decision | None:
        """The decision, None where the masks leave it open."""
        frame = self._frame
        certain, possible = kind.certain & self._certain, kind.possible & self._possible | frame.unread

        def surely(mask: int) -> int:
            return certain & mask != 0

        def perhaps(mask: int) -> int:
            return possible & mask != 0

        if frame.denied(surely, frame.lower):
            return Decision.EXPLICIT_DENY
        if not frame.granted(perhaps, frame.upper, 1, surely=False):
            return Decision.IMPLICIT_DENY
        if frame.denied(perhaps, frame.upper) or not frame.granted(surely, frame.lower, 1, surely=True):
            return None
        return Decision.ALLOW

    def statement(self, kind: _Kind) -> StatementRef | None:
        """The statement that decides."""
        decision = self._settled(kind)
        if decision is None:
            return self._answer(kind).deciding
        if decision is Decision.EXPLICIT_DENY:
            return self._frame.denying(kind.certain & self._certain)
        if decision is Decision.ALLOW:
            return self._frame.granting(kind.certain & self._certain, kind.possible & self._possible)
        return None

    def allowed(self, universe: _Universe, these: int) -> int:
        """Which of `these` runs of actions are ALLOW."""
        if self._allowed[0] != these:
            self._allowed = (these, self._found_allowed(universe, these))
        return self._allowed[1]

    def _found_allowed(self, universe: _Universe, these: int) -> int:
        frame = self._frame
        surely = _cover(universe.certain, self._certain)
        if universe.settled and frame.settled and self._certain == self._possible:
            granted = frame.granted(surely, frame.lower, these, surely=True)
            return granted & ~frame.denied(surely, frame.lower) if granted else 0
        perhaps = _cover(universe.possible, self._possible | frame.unread)
        candidates = frame.granted(perhaps, frame.upper, these, surely=False)
        if not candidates:
            return 0
        denied = frame.denied(perhaps, frame.upper)
        found = frame.granted(surely, frame.lower, candidates & ~denied, surely=True)
        for at in _positions(candidates & ~found & ~frame.denied(surely, frame.lower)):
            found |= (self[universe.kinds[at]] is Decision.ALLOW) << at
        return found


class _Deciding(dict[_Kind, StatementRef | None]):
    """Kind of action -> the statement that decides, for one table."""

    __slots__ = ("_table",)

    def __init__(self, table: _Table) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, kind: _Kind) -> StatementRef | None:
        found = self._table.statement(kind)
        _keep(self, kind, found, MOST_KINDS)
        return found


_Group = tuple[
    "_Tables", int, tuple[int, ...]
]  # regimes by one of them: its tables, runs of all, numbers of all


class _Universe:
    """All actions, as runs of one kind that follow each other; one bit for each run.

    `certain`, `possible`: for each statement the runs that it covers. `kinds`: the kind of each run.

    # INVARIANT: regimes that have one frame on an ordinary resource have one on all ordinary resources of its owner
    # (`ServiceRules.marks`), so that one of them answers for all.
    """

    __slots__ = (
        "_groups",
        "_groups_of_owner",
        "_names",
        "_program",
        "_runs",
        "certain",
        "kinds",
        "possible",
        "settled",
    )

    def __init__(self, program: _Program, actions: Iterable[str]) -> None:
        runs = [
            (kind, tuple(action for action, _ in run))
            for kind, run in groupby(_with_kinds(program, actions), lambda found: found[1])
        ]
        self.kinds = tuple(kind for kind, _ in runs)
        self._runs = tuple(names for _, names in runs)
        self._names: dict[int, tuple[str, ...]] = {}
        places: dict[_Kind, int] = {}
        for at, kind in enumerate(self.kinds):
            places[kind] = places.get(kind, 0) | 1 << at
        of_tables = [0] * len(program.tables)
        for kind, mask in places.items():
            of_tables[kind.tables.number] |= mask
        listed = zip(program.tables.values(), of_tables, strict=True)
        self._groups: tuple[_Group, ...] = tuple((found, mask, (found.number,)) for found, mask in listed)
        self._groups_of_owner: dict[str, tuple[_Group, ...]] = {}
        self._program = program
        count = len(program.bits.statements)
        everything = (1 << len(runs)) - 1
        self.certain = _columns(count, ((kind.certain, mask) for kind, mask in places.items()))
        self.possible = _columns(count, ((kind.possible, mask) for kind, mask in places.items()))
        self.settled = self.certain == self.possible  # no action is in doubt
        self.possible += [everything] * len(Layer)  # whatever a layer says that could not be read
        self.certain += [0] * len(Layer)

    def allowed_on(self, resource: str) -> tuple[str, ...]:
        """The actions that are ALLOW, in their order."""
        tables: dict[int, tuple[_Table, int]] = {}
        for listed, mask, numbers in self._groups_on(resource):
            table = listed[resource]
            for number in numbers:
                if number not in table.samples:
                    table.samples[number] = resource
            tables[id(table)] = (table, mask | tables.get(id(table), (table, 0))[1])
        runs = 0
        for table, mask in tables.values():
            runs |= table.allowed(self, mask)
        names = self._names.get(runs)
        if names is None:
            chosen = f"{runs:b}"[::-1].encode().translate(_FLAGS)  # lowest bit first
            names = tuple(chain.from_iterable(compress(self._runs, chosen)))
            _keep(self._names, runs, names, MOST_OWN_TABLES)
        return names

    def _groups_on(self, resource: str) -> tuple[_Group, ...]:
        """The regimes that may differ on `resource`."""
        if not is_ordinary(resource):
            return self._groups
        owner = _head(resource)
        found = self._groups_of_owner.get(owner)
        if found is None:
            together: dict[LayerMasks, list[_Group]] = {}
            for group in self._groups:
                together.setdefault(self._program.frame(group[0], resource, resource), []).append(group)
            found = tuple(
                (
                    groups[0][0],
                    sum(mask for _, mask, _ in groups),
                    tuple(number for _, _, numbers in groups for number in numbers),
                )
                for groups in together.values()
            )
            _keep(self._groups_of_owner, owner, found, MOST_KINDS)
        return found


def _with_kinds(program: _Program, actions: Iterable[str]) -> Iterator[tuple[str, _Kind]]:
    """Each action with its kind; found once for all actions of a service where nothing tells them apart."""
    index = program.bits.actions
    for service, listed in groupby(actions, lambda action: action.partition(":")[0]):
        prefix = f"{service.lower()}:"
        together = index.named.match_all_under(prefix)
        alike = program.regime(prefix) if service_rules(prefix) is DEFAULT else None
        kind = None
        for action in listed:
            if kind is None or together is None or alike is None:
                lowered = action.lower()
                named = index.named.match(lowered) if together is None else together
                certain, possible, _ = index.outcome(named, lowered)
                kind = program.kind(action, certain, possible, alike or program.regime(lowered))
            yield action, kind


def _columns(count: int, kinds: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `count` statements what belongs to it, of pairs (statements, what belongs to them)."""
    columns = [0] * count
    for statements, mask in kinds:
        for at in _positions(statements):
            columns[at] |= mask
    return columns


def _positions(mask: int) -> Iterator[int]:
    """Where the bits are set."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _cover(columns: list[int], hits: int) -> Cover:
    """For many requests at once: the requests that one of the given statements matches."""

    def cover(mask: int) -> int:
        found = 0
        rest = hits & mask
        while rest:
            lowest = rest & -rest
            found |= columns[lowest.bit_length() - 1]
            rest ^= lowest
        return found

    return cover
