"""The ways in which a context key that is not known may turn out, as far as a set of tests can tell them apart.

Each way gives every test of the key a truth value. Ways that cannot occur ("is a" and "is b" both true of one
value) are left out where that can be seen; where it cannot, they stay.

# INVARIANT: every value a key can really have is covered by one of the ways, so that what holds in all of
# them holds. One way too many makes an answer less definite; one too few would make it wrong.

Assumed: a key that policies compare without a set operator has one value, of the operator's type.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations, pairwise, product

from sm_access.policy.conditions.date import epoch_seconds
from sm_access.policy.conditions.ip_address import address_range
from sm_access.policy.conditions.numeric import number
from sm_access.policy.conditions.operator import text_of
from sm_access.policy.conditions.registry import OPERATORS
from sm_access.policy.formula import Doubt, Fact, KeyTest, Relation
from sm_access.policy.pattern import Pattern, Wildcard

Way = dict[Fact, bool]
Test = tuple[str, Pattern]  # the name of an operator that is not negated, and one value of the policy
Vector = tuple[bool, ...]  # what each of some tests says of one value
MOST_FREE = 6
MOST_VECTORS = 6


class TooManyWays(Exception):
    """The tests of one key are too many to go through."""


def ways_of(tests: Sequence[Fact]) -> list[Way]:
    """The ways for all tests of one key, or for one doubt; raises TooManyWays."""
    found: list[Way] = []
    keyed = [test for test in tests if not isinstance(test, Doubt)]
    if len(keyed) < len(tests):
        return [dict.fromkeys(tests, value) for value in (True, False)]
    absent = [test for test in keyed if test.relation is Relation.ABSENT]
    plain = [test for test in keyed if test.relation is Relation.ONE]
    sets = [test for test in keyed if test.relation in (Relation.SOME, Relation.ALL)]
    found.append({test: test.relation in (Relation.ABSENT, Relation.ALL) for test in keyed})
    ones = list(_of_one_value(plain))
    manys = list(_of_values(sets))
    found.extend(dict.fromkeys(absent, False) | one | many for one, many in product(ones, manys))
    return found


def _of_one_value(tests: Sequence[KeyTest]) -> Iterator[Way]:
    for vector in _vectors([(test.operator, test.patterns[0]) for test in tests]):
        yield dict(zip(tests, vector, strict=True))


def _of_values(tests: Sequence[KeyTest]) -> Iterator[Way]:
    """Every set of different values; first the empty one, which is not the same as an absent key."""
    single = list(dict.fromkeys((test.operator, pattern) for test in tests for pattern in test.patterns))
    vectors = _vectors(single)
    if len(vectors) > MOST_VECTORS:
        raise TooManyWays
    for size in range(len(vectors) + 1 if tests else 1):
        for chosen in combinations(vectors, size):
            yield {
                test: _of_set(test, [dict(zip(single, vector, strict=True)) for vector in chosen])
                for test in tests
            }


def _of_set(test: KeyTest, values: list[dict[Test, bool]]) -> bool:
    matched = (any(value[test.operator, pattern] for pattern in test.patterns) for value in values)
    return any(matched) if test.relation is Relation.SOME else all(matched)


def _vectors(tests: Sequence[Test]) -> list[Vector]:
    """What the tests may say of one value that is there."""
    families = {_family(operator) for operator, _ in tests}
    if len(families) != 1:  # none, or types that do not go together
        return list(_free(len(tests)))
    (family,) = families
    return list(dict.fromkeys(_OF_FAMILY[family](tests)))


def _free(count: int) -> Iterable[Vector]:
    if count > MOST_FREE:
        raise TooManyWays
    return product((False, True), repeat=count)


def _family(operator: str) -> str:
    return next(family for family in _OF_FAMILY if operator.startswith(family))


def _judged(tests: Sequence[Test], value: str) -> Vector:
    return tuple(OPERATORS[operator].holds(pattern, value) for operator, pattern in tests)


def _texts(tests: Sequence[Test]) -> Iterator[Vector]:
    """The values that the policies name; then any other, of which no exact test holds."""
    exact = [_exact(operator, pattern) for operator, pattern in tests]
    for value in dict.fromkeys(text for text in exact if text is not None):
        yield _judged(tests, value)
    loose = [at for at, text in enumerate(exact) if text is None]
    for vector in _free(len(loose)):
        filled = dict(zip(loose, vector, strict=True))
        if not any(_impossible(tests, filled, at, other) for at in loose for other in loose):
            yield tuple(filled.get(at, False) for at in range(len(tests)))


def _exact(operator: str, pattern: Pattern) -> str | None:
    """The one value of which the test holds, or None where it is not just one."""
    if operator == "StringEqualsIgnoreCase":
        return None
    read = pattern.literal() if operator == "StringEquals" else pattern
    return None if any(isinstance(symbol, Wildcard) for symbol in read.symbols) else text_of(read)


def _impossible(tests: Sequence[Test], filled: dict[int, bool], at: int, other: int) -> bool:
    """Whether two tests for a beginning contradict each other: every `ab*` is an `a*`, and no `b*` is one."""
    one, two = _beginning(*tests[at]), _beginning(*tests[other])
    if one is None or two is None:
        return False
    if one.startswith(two):
        return (filled[at] and not filled[other]) or (not two and not filled[other])
    return filled[at] and filled[other] and not two.startswith(one)


def _beginning(operator: str, pattern: Pattern) -> str | None:
    if operator != "StringLike":
        return None
    *before, last = pattern.symbols
    texts = [symbol for symbol in before if isinstance(symbol, str)]
    return "".join(texts) if last is Wildcard.ANY and len(texts) == len(before) else None


def _ordered(tests: Sequence[Test]) -> Iterator[Vector]:
    """A value before, at, between and after the limits that the policies name."""
    read = number if tests[0][0].startswith("Numeric") else epoch_seconds
    limits = sorted({read(text_of(pattern)) for _, pattern in tests})
    between = [(low + high) / 2 for low, high in pairwise(limits)]
    for value in (limits[0] - 1, *limits, *between, limits[-1] + 1):
        yield _judged(tests, _decimal(value))


def _decimal(value: Decimal) -> str:
    text = format(value, "f")
    return text if "." in text else f"{text}.0"  # so that four digits are no year


def _booleans(tests: Sequence[Test]) -> Iterator[Vector]:
    yield _judged(tests, "true")
    yield _judged(tests, "false")


def _octets(tests: Sequence[Test]) -> Iterator[Vector]:
    for _, pattern in tests:
        yield _judged(tests, text_of(pattern))
    yield tuple(False for _ in tests)


def _addresses(tests: Sequence[Test]) -> Iterator[Vector]:
    """Ranges lie in one another or apart: an address is in one of them and in all that contain it, or in none."""
    ranges = [address_range(text_of(pattern)) for _, pattern in tests]
    yield tuple(False for _ in tests)
    for inner in ranges:
        yield tuple(_within(inner, outer) for outer in ranges)


def _within(inner: _Range, outer: _Range) -> bool:
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


_Range = ipaddress.IPv4Network | ipaddress.IPv6Network
_OF_FAMILY = {
    "String": _texts,
    "Arn": _texts,
    "Numeric": _ordered,
    "Date": _ordered,
    "Bool": _booleans,
    "Binary": _octets,
    "IpAddress": _addresses,
}
