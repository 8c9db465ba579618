"""What every command, magic and library call returns: an answer that shows itself wherever it is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sm_access.presentation.html import to_html
from sm_access.presentation.page import Page
from sm_access.presentation.text import to_text


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """A page and what it comes to. True when the answer is yes, or the thing was done.

    exit_code: 0 yes, 1 no, 2 wrong use, 3 cannot tell.
    """

    page: Page
    exit_code: int = 0

    def __bool__(self) -> bool:
        return self.exit_code == 0

    def __repr__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        return to_text(self.page)

    def to_html(self) -> str:
        return to_html(self.page)

    def to_dict(self) -> Mapping[str, Any]:
        return self.page.data

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """Jupyter's display protocol: plain text for terminals and nbconvert, HTML for notebooks."""
        return {"text/plain": self.to_text(), "text/html": self.to_html()}
