"""Ledgers. All of them pass one suite of tests, `tests/stores/test_ledgers.py`."""

from __future__ import annotations

from sm_access.access.audit_trail import Head
from sm_access.stores.dynamodb import DynamoLedger
from sm_access.stores.memory import MemoryLedger
from sm_access.stores.sqlite import SqliteLedger

__all__ = ["DynamoLedger", "Head", "MemoryLedger", "SqliteLedger"]
