"""What `jupyter server` pays for finding the extension, and where it finds it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_importing_the_extension_loads_nothing_heavy() -> None:
    heavy = "('boto3', 'botocore', 'tornado')"
    code = f"import sys, sm_access.server; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_the_enabling_file_names_the_module_that_is_loaded() -> None:
    import sm_access.server

    path = ROOT / "jupyter-config" / "jupyter_server_config.d" / "sm_access.json"
    enabled = json.loads(path.read_text(encoding="utf-8"))["ServerApp"]["jpserver_extensions"]
    assert [point["module"] for point in sm_access.server._jupyter_server_extension_points()] == list(enabled)
