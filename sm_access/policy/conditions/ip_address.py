"""IpAddress and NotIpAddress: addresses and CIDR ranges, IPv4 and IPv6; a range of the other family never
matches."""

from __future__ import annotations

import ipaddress

from sm_access.policy.conditions.operator import IncomparableError, Operator, typed


def _within(expected: str, actual: str) -> bool:
    try:
        network = ipaddress.ip_network(expected, strict=False)
    except ValueError as problem:
        raise IncomparableError(f"the value {expected!r}, which is not an address range") from problem
    try:
        address = ipaddress.ip_address(actual)
    except ValueError as problem:
        raise IncomparableError(f"the value {actual!r}, which is not an IP address") from problem
    return address in network


OPERATORS = (
    Operator("IpAddress", typed(_within), example="192.0.2.1"),
    Operator("NotIpAddress", typed(_within), negated=True, example="192.0.2.1"),
)
