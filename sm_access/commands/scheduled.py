"""What an account runs on a schedule: bring every role in line with the ledger. The handler of the Lambda function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sm_access.bootstrap import Services
from sm_access.commands.requesting import reconcile


def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
    """`sm-access reconcile`, once. Its answer is logged, and returned; what could not be brought in line makes the
    function fail, so that its errors can be alarmed on. Neither argument is looked at.
    """
    del event, context
    result = reconcile(services=Services())
    print(json.dumps(result.to_dict()))
    if not result:
        raise RuntimeError("; ".join(result.to_dict()["problems"]))
    return result.to_dict()
