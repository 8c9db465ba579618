"""A page as HTML that follows JupyterLab's theme, and stands alone in a saved notebook.

INVARIANT: every string from a page passes through `escape`; only this module's own tags are markup.
"""

from __future__ import annotations

import re
from html import escape

from sm_access.presentation.page import (
    Answer,
    Block,
    Code,
    Command,
    Facts,
    Fold,
    Line,
    Matrix,
    Page,
    Paragraph,
    Part,
    Span,
    Table,
    Tone,
    visible,
)
from sm_access.presentation.text import SIGNS

#: The theme's variables with a fallback each, for viewers that have none. Only tones carry colour.
_STYLE = """
.sm-access{--sma-quiet:var(--jp-ui-font-color2,#616161);--sma-line:var(--jp-border-color2,#e0e0e0);
--sma-sunken:rgba(128,128,128,.15);--sma-ok:#2e7d32;--sma-no:#b71c1c;--sma-warn:#8f4e00;
--sma-ok-soft:#e8f5e9;--sma-no-soft:#fdeaea;--sma-warn-soft:#fff3e0;
font:var(--jp-ui-font-size1,13px)/1.5 var(--jp-ui-font-family,system-ui,sans-serif);
color:var(--jp-ui-font-color1,inherit);max-width:760px;box-sizing:border-box;border:1px solid var(--sma-line);
border-radius:4px;padding:12px 14px;margin:4px 0;overflow-wrap:anywhere}
body[data-jp-theme-light="false"] .sm-access{--sma-ok:#81c784;--sma-no:#ef9a9a;--sma-warn:#ffcc80;
--sma-ok-soft:#1b3a1e;--sma-no-soft:#431f1f;--sma-warn-soft:#43320f}
.sm-access .sma-head{display:flex;gap:10px;align-items:flex-start}
.sm-access .sma-head>div{padding-top:1px;font-size:1.08em}
.sm-access .sma-head:has(>.sma-aside) strong{font-size:1.1em}
.sm-access .sma-head>.sma-aside{margin-left:auto;flex:none;font-size:.94em;padding-top:2px}
.sm-access .sma-aside>span{display:inline-block;padding:0 9px;border-radius:10px;background:var(--sma-sunken);
white-space:nowrap}.sm-access .sma-aside>.sma-ok{background:var(--sma-ok-soft)}
.sm-access .sma-aside>.sma-no{background:var(--sma-no-soft)}
.sm-access .sma-aside>.sma-warn{background:var(--sma-warn-soft)}
.sm-access .sma-sign{flex:none;width:24px;height:24px;border-radius:12px;text-align:center;line-height:24px;
font-weight:600;background:var(--sma-sunken)}
.sm-access .sma-sign.sma-ok{background:var(--sma-ok-soft)}.sm-access .sma-sign.sma-no{background:var(--sma-no-soft)}
.sm-access .sma-sign.sma-warn{background:var(--sma-warn-soft)}
.sm-access .sma-body{margin-left:34px}.sm-access .sma-body>p:first-child{margin-top:2px}
.sm-access p{margin:6px 0 0;font-size:inherit;line-height:inherit}
.sm-access code{font:0.94em/1.4 var(--jp-code-font-family,monospace);background:var(--sma-sunken);
border-radius:3px;padding:1px 4px;color:inherit;white-space:pre-wrap}
.sm-access pre{margin:8px 0 0;padding:8px 10px;background:var(--sma-sunken);border-radius:3px;
overflow:auto;font:0.92em/1.5 var(--jp-code-font-family,monospace);color:inherit;max-height:320px}
.sm-access .sma-scroll{overflow-x:auto;margin:8px 0 0}
.sm-access table{color:inherit}
.sm-access table.sma-table{border-collapse:collapse;margin:0;table-layout:auto;font-size:inherit;min-width:60%}
.sm-access table.sma-table tbody>tr:nth-child(n),.sm-access table.sma-table tbody>tr:nth-child(n):hover{
background:none}
.sm-access .sma-table th,.sm-access .sma-table td{padding:5px 18px 5px 0;text-align:left;background:none;
border:0;border-top:1px solid var(--sma-line);vertical-align:top;white-space:normal;max-width:none;line-height:1.5;
overflow-wrap:normal}
.sm-access .sma-table thead th{padding-top:0;border-top:0}
.sm-access .sma-table th:last-child,.sm-access .sma-table td:last-child{padding-right:0}
.sm-access .sma-table td>:is(.sma-ok,.sma-no,.sma-warn,.sma-unknown){display:inline-block;min-width:24px;
padding:0 8px;text-align:center;border-radius:10px;background:var(--sma-sunken);white-space:nowrap}
.sm-access .sma-table td>.sma-ok{background:var(--sma-ok-soft)}
.sm-access .sma-table td>.sma-no{background:var(--sma-no-soft)}
.sm-access .sma-table td>.sma-warn{background:var(--sma-warn-soft)}
.sm-access .sma-table td>code{background:none;padding:0}
.sm-access .sma-table th{font-weight:400;color:var(--sma-quiet)}
.sm-access dl{display:grid;grid-template-columns:minmax(88px,max-content) 1fr;gap:3px 16px;margin:8px 0 0}
.sm-access dl>dt,.sm-access dl>dd{float:none;width:auto;margin:0;padding:0}
.sm-access dl>dt{color:var(--sma-quiet);font-weight:400;white-space:nowrap}
.sm-access .sma-body>:is(p,details)+dl{margin-top:12px}
.sm-access details{margin:8px 0 0}
.sm-access summary{cursor:pointer;width:max-content;max-width:100%;color:var(--jp-content-link-color,#1565c0)}
.sm-access details>:not(summary){margin-left:16px}
.sm-access .sma-box{container-type:inline-size;overflow-x:auto;margin:8px 0 0}
.sm-access table.sma-matrix{border-collapse:collapse;margin:0;table-layout:auto;font-size:inherit;width:100%}
.sm-access table.sma-matrix tbody>tr:nth-child(n),.sm-access table.sma-matrix tbody>tr:nth-child(n):hover{
background:none}
.sm-access .sma-matrix tr>*{padding:3px 0 3px 8px;border:0;border-top:1px solid var(--sma-line);background:none;
text-align:center;vertical-align:middle;width:1%;max-width:none;line-height:1.5;white-space:nowrap}
.sm-access .sma-matrix thead tr>th{padding-top:0;border-top:0;font-weight:400;color:var(--sma-quiet)}
.sm-access .sma-matrix tr>th:first-child{padding-left:0;text-align:left;width:auto;min-width:84px;font-weight:400;
color:inherit;white-space:normal;overflow-wrap:anywhere}
.sm-access .sma-matrix th>code{background:none;padding:0}
.sm-access .sma-matrix details{margin:0;display:inline-block;vertical-align:middle}
.sm-access .sma-matrix summary{box-sizing:border-box;display:flex;justify-content:center;gap:5px;width:auto;
min-width:30px;padding:0 9px;border-radius:4px;list-style:none;white-space:nowrap;line-height:22px;
background:var(--sma-sunken);color:var(--sma-quiet)}
.sm-access .sma-matrix summary::-webkit-details-marker{display:none}
.sm-access .sma-matrix .sma-ok>summary{background:var(--sma-ok-soft);color:var(--sma-ok)}
.sm-access .sma-matrix .sma-no>summary{background:var(--sma-no-soft);color:var(--sma-no)}
.sm-access .sma-matrix .sma-warn>summary{background:var(--sma-warn-soft);color:var(--sma-warn)}
.sm-access .sma-matrix .sma-short{display:none}
.sm-access .sma-matrix summary:hover{box-shadow:inset 0 0 0 1px currentColor}
.sm-access .sma-matrix details[open]>summary{box-shadow:inset 0 0 0 2px currentColor}
.sm-access summary:focus-visible{outline:2px solid var(--jp-brand-color1,#1976d2);outline-offset:1px}
.sm-access .sma-matrix tr.sma-why>td{padding:0 0 6px;border-top:0;text-align:left;white-space:normal}
.sm-access .sma-why>td>div{margin:4px 0 0;padding:5px 12px 7px;background:rgba(128,128,128,.09);
border-left:3px solid currentColor}
.sm-access .sma-why>td>div>*{color:var(--jp-ui-font-color1,inherit)}
.sm-access .sma-why p{margin:2px 0 0}.sm-access .sma-why p.sma-quiet{color:var(--sma-quiet)}
@supports selector(:has(*)){.sm-access tr.sma-why,.sm-access .sma-why>td>div{display:none}
.sm-access tr:has(>td>details[open])+tr.sma-why{display:table-row}
@OPEN@{display:block}}
@container (max-width:479px){.sm-access .sma-matrix tr>*{padding-left:4px}
.sm-access .sma-matrix thead th{font-size:.85em}
.sm-access .sma-matrix summary{padding:0 4px;gap:0}
.sm-access .sma-matrix .sma-short{display:inline}
.sm-access .sma-matrix .sma-word{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}
.sm-access .sma-part{border-top:1px solid var(--sma-line);margin:10px 0 0;padding:4px 0 0}
.sm-access .sma-quiet{color:var(--sma-quiet)}.sm-access .sma-unknown{color:var(--sma-quiet)}
.sm-access .sma-ok{color:var(--sma-ok)}.sm-access .sma-no{color:var(--sma-no)}
.sm-access .sma-warn{color:var(--sma-warn)}
""".replace("\n", "").replace(
    "@OPEN@",
    ",".join(  # an open cell shows what is about it in the row beneath
        f".sm-access tr:has(>td:nth-child({place + 1})>details[open])+tr.sma-why>td>div:nth-child({place})"
        for place in range(1, 9)
    ),
)

_TAGS = {Tone.CODE: "code", Tone.STRONG: "strong"}


def to_html(page: Page) -> str:
    sign = SIGNS.get(page.tone)
    badge = f'<span class="sma-sign sma-{page.tone.value}" aria-hidden="true">{sign}</span>' if sign else ""
    blocks = "".join(_block(block) for block in page.blocks)
    body = f'<div class="{"sma-body" if sign else "sma-blocks"}">{blocks}</div>' if blocks else ""
    aside = f'<div class="sma-aside">{_span(page.aside)}</div>' if page.aside else ""
    head = f'<div class="sma-head">{badge}<div>{_line(page.headline)}</div>{aside}</div>'
    return f'<style>{_STYLE}</style><div class="sm-access">{head}{body}</div>'


def _line(of: Line) -> str:
    return "".join(_span(span) for span in of)


def _span(span: Span) -> str:
    text = escape(visible(span.text))
    if span.tone is Tone.PLAIN:
        return text
    tag = _TAGS.get(span.tone)
    return f"<{tag}>{text}</{tag}>" if tag else f'<span class="sma-{span.tone.value}">{text}</span>'


def _block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return f"<p>{_line(block.line)}</p>"
    if isinstance(block, Facts):
        rows = "".join(
            f"<dt>{escape(visible(label))}</dt><dd>{_line(value)}</dd>" for label, value in block.rows
        )
        return f"<dl>{rows}</dl>"
    if isinstance(block, Table):
        head = "".join(f'<th scope="col">{escape(visible(column))}</th>' for column in block.columns)
        rows = "".join(f"<tr>{''.join(f'<td>{_line(cell)}</td>' for cell in row)}</tr>" for row in block.rows)
        table = f'<table class="sma-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        return f'<div class="sma-scroll">{table}</div>'
    if isinstance(block, Matrix):
        return _matrix(block)
    if isinstance(block, Code):
        return f"<pre>{escape(visible(block.text, lines=True))}</pre>"
    if isinstance(block, Command):
        typed = re.sub("^sm-access ", "%sm_access ", visible(block.text))  # HTML is shown under a cell
        words = escape(visible(block.purpose))
        return f'<p class="sma-quiet sma-command">{words}: <code>{escape(typed)}</code></p>'
    if isinstance(block, Part):
        return f'<div class="sma-part">{"".join(map(_block, block.blocks))}</div>'
    if isinstance(block, Fold):
        inside = "".join(map(_block, block.blocks))
        tag = "<details open>" if block.open else "<details>"
        return f"{tag}<summary>{escape(visible(block.summary))}</summary>{inside}</details>"
    raise AssertionError(block)


def _matrix(block: Matrix) -> str:
    """A real table whose cells open: without a script, so that a saved notebook still answers.

    The reason stands in the row beneath, across the whole width; a style sheet shows it while its cell is open. Where
    there is no style sheet, or one too old for that, it is simply there.
    """
    head = "".join(f'<th scope="col">{escape(visible(column))}</th>' for column in block.columns)
    rows = "".join(
        f'<tr><th scope="row">{_line(thing)}</th>{"".join(map(_cell, answers))}</tr>'
        f'<tr class="sma-why"><td colspan="{len(block.columns)}">{"".join(map(_why, answers))}</td></tr>'
        for thing, answers in block.rows
    )
    table = f'<table class="sma-matrix"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    return f'<div class="sma-box">{table}</div>'


def _cell(answer: Answer) -> str:
    if not answer.reason:
        return f'<td><span class="sma-{answer.tone.value}">{escape(visible(answer.word))}</span></td>'
    kind, mark = ("short", answer.short) if answer.short else ("mark", SIGNS.get(answer.tone, ""))
    chip = f'<span class="sma-{kind}" aria-hidden="true">{escape(visible(mark))}</span>'
    summary = f'<summary>{chip}<span class="sma-word">{escape(visible(answer.word))}</span></summary>'
    return f'<td><details class="sma-{answer.tone.value}">{summary}</details></td>'


def _why(answer: Answer) -> str:
    return f'<div class="sma-{answer.tone.value}">{"".join(map(_block, answer.reason))}</div>'
