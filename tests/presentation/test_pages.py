"""Whatever a page is made of, it is shown as text: no markup, no escape, no line of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from rich.console import Console

from sm_access import errors
from sm_access.cli.terminal import show
from sm_access.presentation.failure import failure_page, failure_view
from sm_access.presentation.html import to_html
from sm_access.presentation.page import (
    Answer,
    Code,
    Command,
    Facts,
    Fold,
    Matrix,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    line,
    visible,
)
from sm_access.presentation.result import Result
from sm_access.presentation.text import to_text

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; --</pre></details></div><b>",
    "&lt;b&gt; &amp; </style><style>*{display:none}",
    "[bold red]yes[/bold red] [link=http://x]y[/link] [/]",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "yes\u202egnorw\u2066 \u200b \ufeff",
    "one\r\ntwo\n✓ three\ttab\x00null",
    "{0} %s ${x} {{y}}",
    "",
)


def page_of(text: str) -> Page:
    spans = tuple(Span(text, tone) for tone in Tone)
    blocks = (
        Paragraph(spans),
        Facts(((text, spans), ("plain", line(text)))),
        Table((text, "b"), ((spans, line(text)), (line("x"), line("y")))),
        Matrix((text, "b"), ((spans, (Answer(text, Tone.NO, (Paragraph(spans),), text),)),)),
        Command(text, text),
        Code(text),
        Fold(text, (Paragraph(spans), Fold(text, (Code(text),)))),
    )
    return Page(spans, Tone.NO, blocks, {"text": text})


class Strict(HTMLParser):
    """Fails on markup that is not closed in order; keeps tags, attributes and text."""

    VOID = frozenset({"br", "img", "hr", "input"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in self.VOID
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data


def parsed(html: str) -> Strict:
    parser = Strict()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


OURS = {
    "style", "div", "span", "p", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td",
    "pre", "code", "strong", "details", "summary",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_html_is_well_formed_and_has_our_own_tags_alone(text: str) -> None:
    found = parsed(to_html(page_of(text)))
    assert found.tags <= OURS
    assert found.attributes <= {"class", "scope", "aria-hidden", "colspan"}
    assert found.text.count(visible(text)) >= 20 or not text


@pytest.mark.parametrize("text", HOSTILE)
def test_text_steers_no_terminal_and_begins_no_line(text: str) -> None:
    plain = to_text(page_of(visible(text))).splitlines()
    shown = to_text(page_of(text)).splitlines()
    assert len(shown) == len(plain) + 2 * text.count("\n")  # only what is shown to the letter keeps its lines
    assert all(line.isprintable() for line in shown)
    assert all(line.startswith("  ") or not line for line in shown[1:])


@pytest.mark.parametrize("text", HOSTILE)
def test_the_terminal_reads_no_markup(text: str) -> None:
    out = io.StringIO()
    show(Console(file=out, width=4000, color_system=None), page_of(text), unfold=True)
    assert all(line.isprintable() for line in out.getvalue().splitlines())
    assert out.getvalue().count(visible(text).strip()) >= 20 or not text


@pytest.mark.parametrize("text", HOSTILE)
def test_each_form_of_an_error_is_safe(text: str) -> None:
    error = errors.AccessDenied(text, remedy=text)
    assert parsed(to_html(failure_page(error))).tags <= OURS
    assert all(line.isprintable() for line in to_text(failure_page(error)).splitlines())
    assert json.loads(json.dumps(failure_view(error)))["message"] == text


def test_what_can_be_seen_is_left_alone() -> None:
    assert visible("Zürich “raw/” ✓ 東京 🙂") == "Zürich “raw/” ✓ 東京 🙂"
    assert visible("a\nb\x1b[0m\u202e") == "a ⏎ b\\u001b[0m\\u202e"
    assert visible("a\nb\x07", lines=True) == "a\nb\\u0007"


def errors_of_the_tree() -> Iterator[type[errors.SmAccessError]]:
    for name in dir(errors):
        found = getattr(errors, name)
        if isinstance(found, type) and issubclass(found, errors.SmAccessError):
            yield found


@pytest.mark.parametrize("kind", list(errors_of_the_tree()), ids=lambda kind: kind.__name__)
def test_every_error_is_a_page_with_its_tone_and_name(kind: type[errors.SmAccessError]) -> None:
    error = (
        kind("$", "a list")
        if kind in (errors.PolicySyntaxError, errors.InvalidScenario)
        else kind("What happened.", remedy="Do this.")
    )
    page = failure_page(error)
    assert page.tone is {1: Tone.NO, 2: Tone.WARN, 3: Tone.UNKNOWN}[kind.exit_code]
    assert page.data["error"] == kind.__name__
    assert str(error) in to_text(page).replace("\n  ", " ")


def test_a_result_is_what_it_comes_to_in_every_form() -> None:
    page = Page(line("Yes."), Tone.OK, (), {"a": 1})
    yes, no = Result(page), Result(page, 1)
    assert yes
    assert not no
    assert repr(yes) == yes.to_text() == "✓ Yes."
    assert yes.to_dict() == {"a": 1}
    assert set(yes._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert yes._repr_mimebundle_(include=None, exclude=None)["text/plain"] == "✓ Yes."
