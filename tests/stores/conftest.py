"""The people and events of the tests of the workflow serve the ledgers as well."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "access"))

if TYPE_CHECKING:
    from sm_access.aws.dynamodb import DynamoTable
    from sm_access.aws.session import Aws
    from sm_access.sandbox.world import Sandbox
    from sm_access.stores import DynamoLedger

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def root_aws(sandbox: Sandbox) -> Aws:
    """The account's root in the embedded AWS; its clients are made once."""
    from sm_access.aws.session import Aws

    return Aws(sandbox.root_session)


@pytest.fixture
def new_table(root_aws: Aws) -> str:
    """The name of a fresh table of a ledger in the embedded AWS."""
    from sm_access.stores.dynamodb_table import table_parameters

    name = f"sm-access-test-{next(_NUMBERS)}"
    root_aws.client("dynamodb").create_table(**table_parameters(name))
    return name


@pytest.fixture
def table(root_aws: Aws, new_table: str) -> DynamoTable:
    from sm_access.aws.dynamodb import DynamoTable

    return DynamoTable(root_aws, new_table)


@pytest.fixture
def dynamo(table: DynamoTable) -> DynamoLedger:
    """A ledger with the rights of the account's root, that is somebody's who reconciles."""
    from doubles import session

    from sm_access.stores import DynamoLedger

    return DynamoLedger(table, lambda: session("Reconciler", "nightly"))
