"""Under the cell that AWS refused: in a real IPython shell, on the sandbox, on good days and bad."""

from __future__ import annotations

import copy
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sm_access.aws.recorder import RECORDER
from sm_access.commands import explaining
from sm_access.config import Settings
from sm_access.errors import InvalidSetting
from sm_access.notebook import denial_hook
from sm_access.notebook.denial_hook import DenialHook
from sm_access.notebook.printed import MOST_CHARACTERS, Printed
from sm_access.notebook.request_button import asked_for, offer
from sm_access.presentation.result import Result

Enter = Callable[[str], None]
Say = Callable[..., str]

READ = "import boto3\nboto3.client('s3').get_object(Bucket='acme-lake', Key='raw/customers.csv')"
SWALLOWED = READ.replace("boto3.client", "try:\n    boto3.client") + "\nexcept Exception:\n    pass"
DENIED = "✕ Denied: read s3://acme-lake/raw/customers.csv"


def hook_of(shell: Any) -> DenialHook:
    """The hook that the loaded extension works with."""
    found: DenialHook = next(part for part in shell._sm_access if isinstance(part, DenialHook))
    return found


@pytest.fixture
def say(bare_shell: Any, capsys: pytest.CaptureFixture[str], enter: Enter) -> Say:
    """Load the extension as the notebook's role; then run cells, whatever they raise, and read what stands beneath."""
    enter("notebook")

    def run(cell: str) -> str:
        capsys.readouterr()
        bare_shell.run_cell(cell)
        printed = capsys.readouterr()
        assert "Error in callback" not in printed.out + printed.err
        return printed.out + printed.err

    run("%load_ext sm_access")
    return run


def test_a_denial_is_explained_under_the_traceback(say: Say) -> None:
    said = say(READ)
    assert said.index("AccessDenied") < said.index(DENIED)
    assert "no identity-based policy allows s3:GetObject" in said
    assert "sm-access request s3://acme-lake/raw/ read" in said


def test_what_is_no_denial_stays_quiet(say: Say) -> None:
    assert say("1/0").strip().splitlines() == [
        "\x1b[31mZeroDivisionError\x1b[39m\x1b[31m:\x1b[39m division by zero"
    ]
    missing = say(READ.replace("acme-lake", "acme-models"))
    assert "NoSuchKey" in missing
    assert "✕" not in missing
    assert say("1 +") != ""
    assert "Denied" not in say("1 +")
    assert say("") == say("   ") == ""


def test_a_denial_that_the_cell_gets_over_is_one_quiet_line_once(say: Say) -> None:
    line = "1 call to AWS was denied in this cell: GetObject on s3://acme-lake/raw/customers.csv. Why:"
    assert say(SWALLOWED).strip() == f"{line} %sm_access explain"
    assert say(SWALLOWED) == ""
    assert say("%sm_access explain").lstrip("Out[]0123456789: \n").startswith(DENIED)


def test_a_head_that_a_library_does_without_is_not_mentioned(say: Say) -> None:
    """fsspec asks the bucket for its Region; the upload that follows is allowed."""
    cell = (
        "import boto3\nc = boto3.client('s3')\n"
        "try:\n    c.head_object(Bucket='acme-lake', Key='raw/x')\nexcept Exception: pass\n"
        "_ = c.get_object(Bucket='acme-lake', Key='public/README.txt')"
    )
    assert say(cell) == ""


def test_it_can_be_turned_off_and_on(say: Say) -> None:
    assert "left to their tracebacks" in say("%sm_access denials off")
    assert DENIED not in say(READ)
    assert "left to their tracebacks" in say("%sm_access denials")
    assert "explained under the cell" in say("%sm_access denials on")
    assert DENIED in say(READ)
    assert "takes on or off" in say("%sm_access denials perhaps")


def test_the_setting_turns_it_off(
    bare_shell: Any, enter: Enter, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter("notebook")
    monkeypatch.setenv("SM_ACCESS_DENIALS", "off")
    bare_shell.run_cell("%load_ext sm_access")
    bare_shell.run_cell(READ)
    assert DENIED not in capsys.readouterr().out


def test_settings_that_cannot_be_read_do_not_stop_the_loading(
    bare_shell: Any, enter: Enter, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter("notebook")
    monkeypatch.setenv("SM_ACCESS_DENIALS", "sometimes")
    bare_shell.run_cell("%load_ext sm_access")
    assert "neither on nor off" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "value"), [("on", True), ("OFF", False), ("true", True), ("0", False), ("", True)]
)
def test_on_and_off(text: str, value: bool) -> None:
    assert Settings.load({"SM_ACCESS_CONFIG": "", "SM_ACCESS_DENIALS": text}, ledger="x").denials is value


def test_on_and_off_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("denials = false\n", encoding="utf-8")
    assert Settings.load({"SM_ACCESS_CONFIG": str(path)}).denials is False
    path.write_text("denials = 7\n", encoding="utf-8")
    with pytest.raises(InvalidSetting, match="neither on nor off"):
        Settings.load({"SM_ACCESS_CONFIG": str(path)})


def test_unloading_leaves_nothing(say: Say, bare_shell: Any) -> None:
    assert RECORDER.listening
    say("%unload_ext sm_access")
    assert not RECORDER.listening
    assert DENIED not in say(READ)
    for event in ("pre_run_cell", "post_run_cell"):
        assert not [
            c for c in bare_shell.events.callbacks[event] if "sm_access" in getattr(c, "__module__", "")
        ]
    assert "sm_access" not in bare_shell.magics_manager.magics["line"]
    assert "sm_access" not in bare_shell.magics_manager.magics["cell"]
    say("%load_ext sm_access")
    say("%reload_ext sm_access")
    assert say(READ).count(DENIED) == 1
    say("%unload_ext sm_access")
    assert not RECORDER.listening


def test_loading_twice_by_hand_hears_everything_once(say: Say, bare_shell: Any) -> None:
    import sm_access

    sm_access.load_ipython_extension(bare_shell)
    assert say(READ).count(DENIED) == 1


THREADS = f"""
from concurrent.futures import ThreadPoolExecutor
def work():
    {READ.replace(chr(10), chr(10) + "    ")}
with ThreadPoolExecutor(1) as pool:
    pool.submit(work).result()
"""


@pytest.mark.parametrize(
    "cell",
    [
        f"import asyncio\nawait asyncio.sleep(0)\n{READ}",
        f"%%time\n{READ}",
        THREADS,
        f"get_ipython().run_cell({READ!r})",
        f"get_ipython().run_cell({READ!r}).raise_error()",
    ],
    ids=["async", "time", "threads", "nested", "nested and raised"],
)
def test_however_the_cell_runs(say: Say, cell: str) -> None:
    assert say(cell).count(DENIED) == (2 if "raise_error" in cell else 1)


def test_a_cell_is_recorded(say: Say, bare_shell: Any) -> None:
    said = say(f"%%sm_access record\nbefore = 1\n{READ}")
    assert said.index(DENIED) < said.index("✕ 1 call to AWS, 1 denied")
    assert '"arn:aws:s3:::acme-lake/raw/*"' in said
    assert bare_shell.user_ns["before"] == 1
    shown = say("%%sm_access record\nboto3.client('s3').list_buckets()['Buckets'][0]['Name']")
    assert "Out" in shown
    assert "'acme-hr'" in shown
    assert "s3:ListAllMyBuckets" in shown
    assert "not a cell magic" in say("%%sm_access sing\n1")


# --- commands -----------------------------------------------------------------------------------------------------


@pytest.fixture
def failing_command(tmp_path: Path) -> str:
    """What the AWS command line prints; the real one is in tests/denials."""
    script = tmp_path / "denied.sh"
    script.write_text(
        "echo 'fatal error: An error occurred (403) when calling the HeadObject operation: Forbidden' >&2\n"
        "exit ${1:-1}\n",
        encoding="utf-8",
    )
    return f"sh {script}"


def test_a_script_that_is_denied(say: Say, failing_command: str) -> None:
    said = say(f"%%bash\n# aws s3 cp s3://acme-lake/raw/customers.csv .\n{failing_command}")
    assert "fatal error" in said
    assert said.index("CalledProcessError") < said.index(DENIED)


def test_a_script_that_goes_on_is_told_of_in_a_line(say: Say, failing_command: str) -> None:
    said = say(f"%%bash\n# aws s3 cp s3://acme-lake/raw/customers.csv .\n{failing_command} 0")
    assert "1 call to AWS was denied in this cell: HeadObject on s3://acme-lake/raw/customers.csv." in said


def test_streams_are_put_back_and_pass_everything_on(say: Say, capsys: pytest.CaptureFixture[str]) -> None:
    before = (sys.stdout, sys.stderr)
    said = say("%%bash\necho one; echo two >&2")
    assert (sys.stdout, sys.stderr) == before
    assert "one" in said
    assert "two" in said
    printed = Printed()
    printed.start()
    held = sys.stdout
    print("x" * (2 * MOST_CHARACTERS))
    held.writelines(["last\n"])
    assert held.isatty() is False
    assert type(copy.copy(held)) is type(held)
    assert list(held) == [] if held.readable() else True
    printed.stop()
    assert printed.text.endswith("last\n")
    assert len(printed.text) == MOST_CHARACTERS
    held.write("after\n")
    assert "after" not in printed.text
    assert "after" in capsys.readouterr().out


def test_a_stream_that_somebody_else_put_there_stays() -> None:
    printed = Printed()
    printed.start()
    theirs = sys.stdout = SimpleNamespace(write=lambda text: None)  # type: ignore[assignment]
    printed.stop()
    try:
        assert sys.stdout is theirs
    finally:
        sys.stdout = sys.__stdout__


# --- bad days -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [RuntimeError("boom"), MemoryError(), SystemExit(3)], ids=repr)
def test_an_explanation_that_breaks_hides_nothing(say: Say, monkeypatch: Any, error: BaseException) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(explaining, "explain_calls", broken)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    said = say(READ)
    assert "AccessDenied" in said
    assert "boom" not in said


def test_an_explanation_that_hangs_ends_at_the_deadline_with_what_is_known(
    say: Say, bare_shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(explaining, "explain_calls", lambda *_, **__: over.wait(30))
    hook = hook_of(bare_shell)
    hook._deadline = 0.3
    began = time.monotonic()
    said = say(READ)
    over.set()
    assert time.monotonic() - began < 20
    assert "✕ Denied: GetObject on s3://acme-lake/raw/customers.csv" in said
    assert "could not be found out within 0 seconds" in said


def test_an_endpoint_that_hangs_does_not_hold_the_kernel(say: Say, bare_shell: Any, monkeypatch: Any) -> None:
    """The call itself was answered; reading the policies is not, as from a notebook without a way to IAM."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for service in ("IAM", "STS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", address)
        monkeypatch.setenv("SM_ACCESS_TIMEOUT_SECONDS", "1")
        say("%reload_ext sm_access")
        began = time.monotonic()
        said = say(READ)
        assert time.monotonic() - began < 30
    assert DENIED in said


def test_a_person_who_interrupts_the_explanation_gets_the_prompt_back(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    monkeypatch.setattr(denial_hook, "threading", SimpleNamespace(Event=Impatient, Thread=threading.Thread))
    said = say(READ)
    assert "AccessDenied" in said
    assert "KeyboardInterrupt" not in said


@pytest.mark.parametrize(
    "cell",
    [
        "class E(Exception):\n    def __str__(self): raise RuntimeError('x')\nraise E()",
        "class E(Exception):\n    def __getattribute__(self, name): raise RuntimeError('y')\nraise E()",
        "raise OSError('AWS Error ACCESS_DENIED during ' * 500_000)",
        "raise KeyboardInterrupt",
        "import sys; sys.exit(3)",
    ],
)
def test_hostile_errors_are_the_persons_own(say: Say, cell: str) -> None:
    said = say(cell)
    assert "denial_hook" not in said
    assert "noticing" not in said


def test_a_shell_that_is_not_ipythons_own_is_survived() -> None:
    calls: list[Any] = []
    shell: Any = SimpleNamespace(
        events=SimpleNamespace(
            register=lambda *a: calls.append(a), unregister=lambda *a: (_ for _ in ()).throw(ValueError)
        )
    )
    hook = DenialHook(shell, SimpleNamespace(), lambda _: None)  # type: ignore[arg-type]
    streams = (sys.stdout, sys.stderr)
    hook.register()
    try:
        hook.before(None)
        hook.before(SimpleNamespace(raw_cell="!ls"))
        hook.after(None)
        hook.after(SimpleNamespace(info=SimpleNamespace()))
        for _ in range(200):
            hook.before(SimpleNamespace(raw_cell=""))
        assert len(hook._cells) < 60
        hook.before(SimpleNamespace(raw_cell="!ls"))
    finally:
        hook.unregister()
    assert (sys.stdout, sys.stderr) == streams
    assert not RECORDER.listening


# --- the button ---------------------------------------------------------------------------------------------------


@pytest.fixture
def explained(say: Say, bare_shell: Any) -> Result:
    say(READ)
    hook = hook_of(bare_shell)
    return explaining.explain(services=hook._services)


def test_the_button_is_only_where_a_front_end_can_have_it(explained: Result, bare_shell: Any) -> None:
    assert asked_for(explained) == ("s3://acme-lake/raw/", "read")
    assert offer(bare_shell, SimpleNamespace(), print) is None  # type: ignore[arg-type]


def test_the_button_becomes_the_panel_filled_in(explained: Result, bare_shell: Any) -> None:
    hook = hook_of(bare_shell)
    shown: list[Any] = []
    show = offer(SimpleNamespace(kernel=object()), hook._services, shown.append)
    assert show is not None
    show(explained)
    (box,) = shown
    assert box._repr_mimebundle_()["text/plain"] == ""
    (button,) = box.children
    assert button.description == "Request access"
    button.click()
    (panel,) = box.children
    assert (panel.where.value, panel.level.value) == ("s3://acme-lake/raw/", "read")


def test_no_button_where_a_request_cannot_help(bare_shell: Any, say: Say) -> None:
    say("boto3 = __import__('boto3')\nboto3.client('s3').get_object(Bucket='acme-hr', Key='people.csv')")
    hook = hook_of(bare_shell)
    found = explaining.explain(services=hook._services)
    assert asked_for(found) is None
    show = offer(SimpleNamespace(kernel=object()), hook._services, lambda _: pytest.fail("shown"))
    assert show is not None
    show(found)


def test_without_ipywidgets_the_card_is_enough(explained: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    show = offer(SimpleNamespace(kernel=object()), SimpleNamespace(), lambda _: pytest.fail("shown"))  # type: ignore[arg-type]
    assert show is not None
    show(explained)
