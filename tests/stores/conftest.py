"""The people and events of the tests of the workflow serve the ledgers as well."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "access"))
