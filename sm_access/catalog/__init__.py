"""The action universe: which actions AWS has, their access levels, resource types and context keys.

The data is packed into one file and read at the first question; importing reads nothing. `python -m
sm_access.catalog.pack` renews it.
"""

from __future__ import annotations

from sm_access.catalog.actions import (
    ResourceType,
    accepts_condition_key,
    access_level,
    actions,
    closest,
    condition_keys,
    is_action,
    matching,
    resource_types,
)
from sm_access.catalog.archive import catalog_date, services

__all__ = [
    "ResourceType",
    "accepts_condition_key",
    "access_level",
    "actions",
    "catalog_date",
    "closest",
    "condition_keys",
    "is_action",
    "matching",
    "resource_types",
    "services",
]
