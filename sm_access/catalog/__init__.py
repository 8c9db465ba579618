"""The action universe: which actions AWS has, their access levels, resource types and context keys; and what
AWS's own managed policies say.

The data is packed into two files and read at the first question; importing reads nothing. `make catalog`
renews it.
"""

from __future__ import annotations

from sm_access.catalog.actions import (
    ResourceType,
    accepts_condition_key,
    access_level,
    actions,
    closest,
    condition_keys,
    every_action,
    is_action,
    matching,
    resource_types,
)
from sm_access.catalog.archive import catalog_date, services
from sm_access.catalog.managed import managed_policies, managed_policies_date, managed_policy
from sm_access.catalog.meaning import lint
from sm_access.catalog.resources import actions_on, resource_patterns, resource_shapes

__all__ = [
    "ResourceType",
    "accepts_condition_key",
    "access_level",
    "actions",
    "actions_on",
    "catalog_date",
    "closest",
    "condition_keys",
    "every_action",
    "is_action",
    "lint",
    "managed_policies",
    "managed_policies_date",
    "managed_policy",
    "matching",
    "resource_patterns",
    "resource_shapes",
    "resource_types",
    "services",
]
