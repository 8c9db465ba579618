"""How the layers combine, as masks: the rules of `authorizer.py` for one request or for thousands at a time.

An answer is an integer with one bit for each request in question. All is AND and OR of what the statements cover,
so the same lines are right of what is certain and of what is possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from sm_access.policy.decision import Layer, StatementRef
from sm_access.policy.principal import PrincipalKind
from sm_access.policy.request import ResolvedRequest
from sm_access.policy.statement_bits import Binding, Reach, Side, StatementBits

_GUARDS = (Layer.RESOURCE_CONTROL, Layer.SERVICE_CONTROL, Layer.VPC_ENDPOINT)
_LIMITS = (Layer.PERMISSIONS_BOUNDARY, Layer.SESSION)
Cover = Callable[[int], int]  # some statements -> the requests in question that one of them matches


class LayerMasks:
    """The layers that apply to resources of one owner, in one context.

    `layers`: those that apply, and whether they are not known. `public`: whether what a bucket policy grants
    counts, None where that is open (`public_access.py`). `unread`: the bits of the layers that are not known,
    which possibly match everything. `settled`: nothing but the match with action and resource can be open.
    """

    __slots__ = (
        "_beyond",
        "_consent",
        "_counts",
        "_denies",
        "_denying",
        "_guards",
        "_has_account",
        "_identity",
        "_limits",
        "_references",
        "_resource",
        "_root",
        "_same_account",
        "binding",
        "lower",
        "settled",
        "unread",
        "upper",
    )

    def __init__(
        self,
        bits: StatementBits,
        binding: Binding,
        request: ResolvedRequest,
        layers: Mapping[Layer, bool],
        public: bool | None,
    ) -> None:
        unread = {layer: bits.unread(layer) for layer, unknown in layers.items() if unknown}
        sides = [side for side in bits.sides if side.layer in layers]
        denying = [layer for layer in layers if not (request.unlocked and layer is Layer.RESOURCE)]
        self.binding = binding
        self.unread = sum(unread.values())
        self.lower: Reach = binding.lower
        direct, role, account = binding.upper
        self.upper: Reach = (direct | self.unread, role | self.unread, account | self.unread)
        self._denying = tuple(side for side in sides if side.layer in denying)
        self._references = bits.references
        self._denies = sum(side.denies for side in self._denying) | sum(
            bit for layer, bit in unread.items() if layer in denying
        )
        self._guards = tuple(
            mask for layer in _GUARDS if layer in layers for mask in _levels(sides, layer, unread)
        )
        self._limits = tuple(_allows(sides, layer, unread) for layer in _LIMITS if layer in layers)
        self._identity = _allows(sides, Layer.IDENTITY, unread)
        self._resource = _allows(sides, Layer.RESOURCE, unread)
        self._counts = {True: public is True, False: public is not False}  # surely, perhaps
        self._beyond = {True: request.beyond.value is True, False: request.beyond.value is not False}
        self._root = request.principal.kind is PrincipalKind.ROOT
        self._has_account = request.principal.account is not None
        self._consent = request.consent_required
        self._same_account = request.same_account.value
        self.settled = self.lower == self.upper and None not in (
            public,
            request.beyond.value,
            self._same_account,
        )

    def denied(self, cover: Cover, reach: Reach) -> int:
        """The requests to which a Deny applies."""
        direct, role, account = reach
        return cover((direct | role | account) & self._denies)

    def granted(self, cover: Cover, reach: Reach, everything: int, *, surely: bool) -> int:
        """The requests of `everything` that all allow who have to. `surely`: by certain statements alone."""
        direct, role, account = reach
        whole = direct | role | account
        found = everything if self._beyond[surely] else 0
        for guard in self._guards:
            found &= cover(whole & guard)
        resource = self._resource if self._counts[surely] else 0
        as_itself = cover(direct & resource)
        if not self._has_account:
            return found & as_itself
        limits = everything
        for limit in self._limits:
            limits &= cover(whole & limit)
        identity = everything if self._root else cover(whole & self._identity) & limits
        consent = everything
        if self._consent:  # root is the account, which does not delegate to itself
            consent = 0 if self._root else cover(account & resource)
        within = as_itself | (cover(role & resource) & limits) | (consent & identity)
        across = identity & cover(whole & resource)
        if self._same_account is None:
            return found & (within & across if surely else within | across)
        return found & (within if self._same_account else across)

    def denying(self, certain: int) -> StatementRef | None:
        """The Deny to show, of statements that certainly match."""
        found = (self._closest(certain & side.denies) for side in self._denying)
        return next((reference for reference in found if reference is not None), None)

    def granting(self, certain: int, possible: int) -> StatementRef | None:
        """The Allow to show: the identity policies' before the resource policy's, a certain before a possible
        one."""
        direct, role, account = self.upper
        reached = possible & (direct | role | account) & ~self.unread
        sides = (self._identity, self._resource)
        found = (
            *(self._closest(certain & side) for side in sides),
            *(self._reference(reached & side) for side in sides),
        )
        return next((reference for reference in found if reference is not None), None)

    def _closest(self, hits: int) -> StatementRef | None:
        """The first of those that name the principal most closely."""
        direct, role, account = self.lower
        return self._reference((hits & direct & role) or (hits & direct) or (hits & role) or (hits & account))

    def _reference(self, hits: int) -> StatementRef | None:
        return self._references[(hits & -hits).bit_length() - 1] if hits else None


def _levels(sides: Iterable[Side], layer: Layer, unread: Mapping[Layer, int]) -> tuple[int, ...]:
    """Each of them has to allow; where there is none, nothing does."""
    found = tuple(side.allows for side in sides if side.layer is layer)
    return (unread[layer],) if layer in unread else found or (0,)


def _allows(sides: Iterable[Side], layer: Layer, unread: Mapping[Layer, int]) -> int:
    return sum(side.allows for side in sides if side.layer is layer) | unread.get(layer, 0)
