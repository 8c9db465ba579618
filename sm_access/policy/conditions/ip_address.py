"""IpAddress and NotIpAddress: addresses and CIDR ranges, IPv4 and IPv6; a range of the other family never
matches.

Not compared, as AWS does not say what becomes of them and IAM refuses the first: an IPv6 range with bits set beyond its
length, and an IPv4 address written as an IPv6 one.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators", "IP address condition operators".
"""

from __future__ import annotations

import ipaddress

from sm_access.policy.conditions.operator import IncomparableError, Operator, typed


def address_range(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The range that `text` writes; raises IncomparableError."""
    try:
        return ipaddress.ip_network(text, strict=":" in text)
    except ValueError as problem:
        raise IncomparableError(f"the value {text!r}, which is not an address range") from problem


def _within(expected: str, actual: str) -> bool:
    network = address_range(expected)
    try:
        address = ipaddress.ip_address(actual)
    except ValueError as problem:
        raise IncomparableError(f"the value {actual!r}, which is not an IP address") from problem
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        raise IncomparableError(f"the value {actual!r}, which is an IPv4 address written as an IPv6 one")
    return address in network


OPERATORS = (
    Operator("IpAddress", typed(_within), example="192.0.2.1"),
    Operator("NotIpAddress", typed(_within), negated=True, example="192.0.2.1"),
)
