"""Imports point one way, and each vendor's library stays in its room. Every import counts, also one in a function."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import sm_access

PACKAGE = Path(sm_access.__file__).parent
TESTS = Path(__file__).parent

_VALUES = {"policy", "catalog", "access"}
_ADAPTERS = {"stores", "aws", "audit", "team", "training"}
_WIRED = {*_VALUES, *_ADAPTERS, "deployment", "notify", "presentation", "config", "bootstrap"}

#: What a room may import beside itself and `errors`. A room that is not here has no place yet.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "config": set(),
    "policy": set(),
    "catalog": {"policy"},
    "access": {"policy", "catalog"},
    "presentation": _VALUES,
    **dict.fromkeys(_ADAPTERS, _VALUES),
    "deployment": {*_VALUES, "stores"},
    "notify": _VALUES,
    "bootstrap": _WIRED,
    "commands": _WIRED,
    "notebook": {*_WIRED, "commands"},
    "server": {*_WIRED, "commands"},
    "sandbox": {*_WIRED, "commands"},
    "cli": {*_WIRED, "commands", "notebook", "server", "sandbox"},
}

#: Single arrows that point the other way: (module, what it imports).
EXCEPTIONS = {
    (
        "policy",
        "sm_access.catalog",
    ),  # its door, late and in one function: `allowed_actions` lists all of AWS's
}

#: Libraries that are only at home in some places: rooms, or single modules.
ONLY_IN: dict[str, set[str]] = {
    "boto3": {"aws", "sandbox", "cli.demo"},
    "botocore": {"aws", "sandbox", "cli.demo"},
    "moto": {"sandbox", "catalog.pack"},
    "werkzeug": {"sandbox"},
    "IPython": {"notebook"},
    "ipywidgets": {"notebook"},
    "jupyter_server": {"server"},
    "tornado": {"server"},
    "sqlite3": {"stores"},
    "rich": {"cli"},
    "click": {"commands", "cli", "sandbox", "notebook"},
    "pytest": {"sandbox.fixtures"},
}

#: What reaches outside this process, or reads a clock; nothing of it in rooms that only know values.
IMPURE = {
    "socket",
    "subprocess",
    "logging",
    "time",
    "random",
    "urllib",
    "http",
    "tempfile",
    "shutil",
    "threading",
}


@dataclass(frozen=True)
class Import:
    """`module` imports `name`. `runs`: not only for the type checker."""

    module: str
    name: str
    line: int

    @property
    def room(self) -> str:
        return self.module.split(".")[0]

    @property
    def top(self) -> str:
        return self.name.split(".")[0]

    def __str__(self) -> str:
        return f"sm_access/{self.module.replace('.', '/')}.py:{self.line} imports {self.name}"


def imports_of(source: str, module: str) -> Iterator[Import]:
    """Every import statement, wherever it stands, and `import_module("...")` with a name in plain sight."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively"
            assert node.module is not None
            if node.module == "sm_access":
                for alias in node.names:
                    yield Import(module, f"sm_access.{alias.name}", node.lineno)
            else:
                yield Import(module, node.module, node.lineno)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in {
            "import_module",
            "__import__",
            "find_spec",
        }:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(module, argument.value, node.lineno)


def all_imports() -> list[Import]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        found += imports_of(path.read_text(encoding="utf-8"), module)
    return found


IMPORTS = all_imports()
INNER = [found for found in IMPORTS if found.room not in {"__init__", "__main__"}]


def wrong_arrow(found: Import) -> bool:
    """An import of a room of ours from which this module may not import."""
    parts = found.name.split(".")
    if parts[0] != "sm_access" or (found.module, found.name) in EXCEPTIONS:
        return False
    target = parts[1] if len(parts) > 1 else ""
    if target in {"", "__version__"}:  # the package itself: its place on disk, its version
        return found.room in _VALUES | _ADAPTERS
    return target not in MAY_IMPORT[found.room] | {found.room, "errors"}


def test_every_room_has_its_place() -> None:
    rooms = {
        path.name.removesuffix(".py")
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - {"__init__", "__main__"} <= set(MAY_IMPORT)


def test_imports_point_one_way() -> None:
    assert [str(found) for found in INNER if wrong_arrow(found)] == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("policy.arn", "from sm_access.access.level import Level"),
        ("policy", "from sm_access.catalog.actions import every_action"),
        ("policy", "from sm_access.access import Desk"),
        ("policy.compiled", "from sm_access.catalog import every_action"),
        ("catalog.pack", "import sm_access.access"),
        ("access.desk", "from sm_access.stores import MemoryLedger"),
        ("access.desk", "from sm_access import config"),
        ("access.desk", "def late():\n    from sm_access.aws.session import Aws"),
        ("stores.sqlite", "from sm_access.aws.session import Aws"),
        ("aws.session", "from sm_access.config import Settings"),
        ("aws.session", "import sm_access.bootstrap"),
        ("presentation.text", "from sm_access.commands import inspecting"),
        ("presentation.text", "from sm_access.aws.session import Aws"),
        ("bootstrap", "from sm_access.commands import inspecting"),
        ("commands.inspecting", "from sm_access.cli.terminal import show"),
        ("commands.inspecting", "from sm_access.notebook.magics import answer"),
        ("notebook.magics", "from sm_access.cli.terminal import show"),
        ("notebook.magics", "from sm_access.sandbox.world import Sandbox"),
        ("server.handlers", 'import_module("sm_access.notebook.magics")'),
        ("sandbox.world", "from sm_access.cli.demo import demo"),
        ("config", "from sm_access.access.rules import Rules"),
        ("errors", "from sm_access.policy import Arn"),
    ],
)
def test_a_wrong_arrow_is_seen(module: str, line: str) -> None:
    assert any(wrong_arrow(found) for found in imports_of(line, module))


def test_every_exception_is_in_use() -> None:
    assert {(found.module, found.name) for found in INNER} >= EXCEPTIONS


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_is_at_home_only_in_its_rooms(library: str) -> None:
    homes = ONLY_IN[library]
    strays = [
        str(found) for found in INNER if found.top == library and not {found.room, found.module} & homes
    ]
    assert strays == []


def test_rooms_of_values_reach_nothing_outside() -> None:
    allowed = {
        "catalog.archive",
        "catalog.pack",
    }  # the packed data: read once when first asked; made for a release
    strays = [
        str(found)
        for found in INNER
        if found.room in _VALUES
        and found.module not in allowed
        and (
            (found.top in IMPURE | {"os", "pathlib", "sqlite3"} and found.name != "urllib.parse")
            or found.top not in {*sys.stdlib_module_names, "sm_access"}
        )
    ]
    assert strays == []


def test_rooms_of_values_read_no_clock() -> None:
    strays = [
        f"{path}:{node.lineno}"
        for room in sorted(_VALUES)
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"now", "utcnow", "today"}
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"datetime", "date"}
    ]
    assert strays == []


def test_nobody_imports_a_private_name() -> None:
    strays = []
    for root in (PACKAGE, TESTS):
        for path in sorted(root.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sm_access":
                    private = [alias.name for alias in node.names if _is_private(alias.name)]
                    strays += [f"{path}:{node.lineno} {name}" for name in private]
    assert strays == []


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


HEAVY = (
    "boto3",
    "botocore",
    "IPython",
    "ipywidgets",
    "moto",
    "click",
    "rich",
    "sqlite3",
    "jupyter_server",
    "asyncio",
)

WATCHED_IMPORT = """
import sys
sys.dont_write_bytecode = True
seen = []
sys.addaudithook(lambda event, args: seen.append((event, str(args[0]))) if event in
                 {"open", "os.listdir", "subprocess.Popen", "socket.connect"} else None)
before = len(seen)
import sm_access
dir(sm_access)
opened = [what for event, what in seen if event == "open"]
print([name for name in %r if name in sys.modules])
print([what for what in opened if not what.endswith((".py", ".pyc", "<frozen importlib>"))])
print([what for what in opened if "sm_access" in what and "__init__" not in what])
print([event for event, _ in seen if event in {"subprocess.Popen", "socket.connect"}])
"""


def test_importing_is_free() -> None:
    """No client library, no notebook, no file but Python's own modules, no socket, no child."""
    done = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path[:0] = {[str(PACKAGE.parent)]!r}\n" + WATCHED_IMPORT % (HEAVY,),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines() == ["[]", "[]", "[]", "[]"]
