"""Text from people and from AWS never becomes markup: a real browser is asked to run it, at every place it shows."""

from __future__ import annotations

from lab_page import LabPage
from panel_page import Panel
from playwright.sync_api import Locator, expect

TRAP = "<img src=x onerror=window.trapped=1>"
PLACE = f"s3://acme-lake/{TRAP}/"


def test_in_the_answers_of_the_magic(empty_notebook: LabPage) -> None:
    page = empty_notebook
    page.type_and_run("%load_ext sm_access")
    for line in (
        f'can read "{PLACE}"',
        f'can "{TRAP}" s3://acme-lake/',
        f'can s3:GetObject "{TRAP}"',
        f'permissions "{PLACE}"',
        f'request "{PLACE}" read --for 1d --why "{TRAP}" --person "{TRAP}"',
        "requests",
        f'show "{TRAP}"',
        f'"{TRAP}"',
    ):
        harmless(page, page.type_and_run(f"%sm_access {line}"))
    shown = page.type_and_run(
        "import sm_access\n"
        "request = sm_access.requests().to_dict()['requests'][0]\n"
        "sm_access.show(request['id'])"
    )
    expect(shown).to_contain_text("their reason")
    harmless(page, shown)
    page.type_and_run("sm_access.withdraw(request['id'])")


def test_in_the_panel(empty_notebook: LabPage) -> None:
    page = empty_notebook
    output = page.type_and_run(f"import sm_access\nsm_access.AccessPanel({PLACE!r})")
    panel = Panel(output)
    panel.check.click()
    expect(panel.answer).to_contain_text(TRAP)
    panel.why.fill(TRAP)
    panel.ask.click()
    expect(panel.answer).to_contain_text("Asked: read")
    expect(panel.mine).to_contain_text(TRAP)
    harmless(page, output)
    panel.where.fill(TRAP)
    panel.check.click()
    expect(panel.answer).to_contain_text("is not")
    harmless(page, output)
    page.type_and_run(
        "for request in sm_access.requests().to_dict()['requests']:\n"
        "    if request['status'] == 'submitted':\n"
        "        sm_access.withdraw(request['id'])"
    )


def test_the_trap_would_be_sprung(empty_notebook: LabPage) -> None:
    """The check itself can fail: markup that does become HTML is noticed."""
    page = empty_notebook
    output = page.type_and_run(f"import ipywidgets\nipywidgets.HTML({TRAP!r})")
    expect(output.locator("img")).to_have_count(1)
    page.page.wait_for_function("() => window.trapped === 1")


def harmless(page: LabPage, output: Locator) -> None:
    """The trap is there to be read, and nothing of it is an element or ran."""
    expect(output).to_contain_text(TRAP)
    assert output.locator("img, script, iframe").count() == 0
    assert page.page.evaluate("() => window.trapped") is None
