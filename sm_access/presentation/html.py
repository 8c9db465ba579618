"""A page as HTML that follows JupyterLab's theme, and stands alone in a saved notebook.

INVARIANT: every string from a page passes through `escape`; only this module's own tags are markup.
"""

from __future__ import annotations

from html import escape

from sm_access.presentation.page import (
    Block,
    Code,
    Command,
    Facts,
    Fold,
    Line,
    Page,
    Paragraph,
    Span,
    Table,
    Tone,
    visible,
)
from sm_access.presentation.text import SIGNS

#: The theme's variables with a fallback each, for viewers that have none. Only tones carry colour.
_STYLE = """
.sm-access{font:var(--jp-content-font-size1,14px)/1.5 var(--jp-ui-font-family,system-ui,sans-serif);
color:var(--jp-ui-font-color1,inherit);max-width:760px;border:1px solid var(--jp-border-color2,#bdbdbd);
border-radius:4px;padding:10px 12px;margin:2px 0;overflow-wrap:anywhere}
.sm-access .sma-head{display:flex;gap:10px;align-items:baseline;font-size:1.05em}
.sm-access .sma-sign{flex:none;width:22px;height:22px;border-radius:11px;text-align:center;line-height:22px;
font-weight:600;font-size:13px;background:var(--jp-layout-color2,#eee)}
.sm-access p{margin:6px 0 0}
.sm-access code{font:0.92em var(--jp-code-font-family,monospace);background:var(--jp-layout-color2,#eee);
border-radius:3px;padding:0 3px;color:inherit}
.sm-access pre{margin:8px 0 0;padding:8px 10px;background:var(--jp-layout-color2,#f5f5f5);border-radius:3px;
overflow:auto;font:12px/1.5 var(--jp-code-font-family,monospace);color:inherit}
.sm-access table.sma-table{border-collapse:collapse;margin:8px 0 0;table-layout:auto;font-size:inherit}
.sm-access .sma-table th,.sm-access .sma-table td{padding:4px 12px 4px 0;text-align:left;background:none;
border:0;border-top:1px solid var(--jp-border-color2,#ddd);vertical-align:top;white-space:normal;max-width:none}
.sm-access .sma-table th{font-weight:500;color:var(--jp-ui-font-color2,#616161);border-top:0}
.sm-access dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:8px 0 0}
.sm-access dt{color:var(--jp-ui-font-color2,#616161);font-weight:400}.sm-access dd{margin:0}
.sm-access details{margin:8px 0 0}.sm-access summary{cursor:pointer;color:var(--jp-content-link-color,#1565c0)}
.sm-access details>*:not(summary){margin-left:14px}
.sm-access .sma-quiet{color:var(--jp-ui-font-color2,#616161)}
.sm-access .sma-ok{color:var(--jp-success-color0,#1b5e20)}
.sm-access .sma-no{color:var(--jp-error-color0,#b71c1c)}
.sm-access .sma-warn{color:var(--jp-warn-color0,#b75c00)}
.sm-access .sma-unknown{color:var(--jp-ui-font-color2,#616161)}
body[data-jp-theme-light="false"] .sm-access .sma-ok{color:var(--jp-success-color3,#81c784)}
body[data-jp-theme-light="false"] .sm-access .sma-no{color:var(--jp-error-color3,#ef9a9a)}
body[data-jp-theme-light="false"] .sm-access .sma-warn{color:var(--jp-warn-color3,#ffcc80)}
""".replace("\n", "")

_TAGS = {Tone.CODE: "code", Tone.STRONG: "strong"}


def to_html(page: Page) -> str:
    sign = SIGNS.get(page.tone)
    badge = f'<span class="sma-sign sma-{page.tone.value}" aria-hidden="true">{sign}</span>' if sign else ""
    body = "".join(_block(block) for block in page.blocks)
    head = f'<div class="sma-head">{badge}<div>{_line(page.headline)}</div></div>'
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
        return f'<table class="sma-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    if isinstance(block, Code):
        return f"<pre>{escape(visible(block.text, lines=True))}</pre>"
    if isinstance(block, Command):
        return f'<p class="sma-quiet">{escape(block.purpose)}: <code>{escape(visible(block.text))}</code></p>'
    if isinstance(block, Fold):
        inside = "".join(map(_block, block.blocks))
        return f"<details><summary>{escape(visible(block.summary))}</summary>{inside}</details>"
    raise AssertionError(block)
