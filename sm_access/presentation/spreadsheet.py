"""Rows as CSV (RFC 4180) that a spreadsheet may open.

Spreadsheets run what begins like a formula (OWASP, "CSV Injection"): such a cell gets an apostrophe before it, which
they take for "this is text". What cannot be seen is written out, so that no cell begins a line of its own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from sm_access.presentation.page import visible

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> str:
    """A header and one line for each row, lines ending with LF."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([cell(row[column]) for column in columns] for row in rows)
    return out.getvalue()


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula, also where it looks past blanks at its beginning."""
    risky = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{visible(text)}" if risky else visible(text)
