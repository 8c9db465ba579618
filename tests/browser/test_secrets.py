"""No credential of the kernel reaches the browser: not its page, its storage, its traffic, nor the saved notebook."""

from __future__ import annotations

from pathlib import Path

from lab_page import LabPage
from panel_page import Panel
from playwright.sync_api import WebSocket, expect

from sm_access.sandbox import Sandbox

STORED = """async () => {
  const parts = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie];
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done, failed) => {
      const asked = indexedDB.open(name);
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
    for (const store of db.objectStoreNames) {
      const asked = db.transaction(store).objectStore(store).getAll();
      parts.push(JSON.stringify(await new Promise(done => (asked.onsuccess = () => done(asked.result)))));
    }
    db.close();
  }
  return parts.join('\\n');
}"""


def test_no_credential_leaves_the_kernel(empty_notebook: LabPage, world: Sandbox) -> None:
    page = empty_notebook
    traffic: list[str] = []

    def listen(socket: WebSocket) -> None:
        for event in ("framesent", "framereceived"):
            socket.on(event, lambda frame: traffic.append(_text(frame)))

    page.page.on("websocket", listen)
    page.page.on("response", lambda response: traffic.append(response.url))
    page.page.reload()
    page.wait_for_kernel()

    page.type_and_run("%load_ext sm_access")
    for line in ("whoami", "can read s3://acme-lake/raw/", "permissions", "requests"):
        page.type_and_run(f"%sm_access {line}")
    panel = Panel(page.type_and_run("import sm_access\nsm_access.AccessPanel('s3://acme-lake/raw/')"))
    panel.check.click()
    expect(panel.answer).to_contain_text("may not read")
    page.status.click()
    expect(page.page.get_by_role("dialog")).to_contain_text("assumed-role")
    in_the_card = page.page.content()
    page.page.keyboard.press("Escape")

    credentials = world.session("notebook").get_credentials().get_frozen_credentials()
    secrets = (credentials.secret_key, credentials.token, world.state.tokens["notebook"])
    assert all(secret and len(secret) > 15 for secret in secrets)
    assert any("acme-ds-notebooks" in said for said in traffic), "the traffic was not listened to"
    places = {
        "the page": in_the_card + page.page.content(),
        "the browser's storage": page.page.evaluate(STORED),
        "the traffic": "\n".join(traffic),
        "the saved notebook": page.save(),
        "what JupyterLab keeps": "\n".join(map(_read, (page.lab.home / "workspaces").rglob("*"))),
        "JupyterLab's log": _read(page.lab.home / "lab.log"),
    }
    for place, said in places.items():
        assert [secret[:4] for secret in secrets if secret in said] == [], place


def test_a_credential_would_be_noticed(empty_notebook: LabPage, world: Sandbox) -> None:
    """The check itself can fail: a kernel that prints its token is caught, on the page and in the file."""
    page = empty_notebook
    page.type_and_run("import os\nprint(os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN'])")
    token = world.state.tokens["notebook"]
    assert token in page.page.content()
    assert token in page.save()


def _text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else frame.decode("utf-8", "replace")


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""
