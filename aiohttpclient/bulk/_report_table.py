"""The tables of a report: numbers, and a bar beside each where it is to be compared with the others."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from .._terminal import harmless

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Row(NamedTuple):
    """A row: a name, what explains it, the ``cells`` that are numbers, and how long its bar is (0 to 1)."""

    name: str
    cells: Sequence[str]
    share: float | None = None
    bad: bool = False
    says: str = ""


def table(heads: Sequence[str], rows: Iterable[Row], *, caption: str = "") -> str:
    """``rows`` below ``heads``: of the name, and of each cell; the bar, where there is one, stands between."""
    rows = list(rows)
    drawn = any(row.share is not None for row in rows)
    width = len(heads) + drawn
    first, *others = (f'<th scope="col">{safe(head)}</th>' for head in heads)
    top = f"{first}{'<td class=draws></td>' if drawn else ''}{''.join(others)}"
    told = f"<caption>{safe(caption)}</caption>" if caption else ""
    body = "".join(_row(row, drawn, width) for row in rows)
    return f'<div class="rows"><table>{told}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def safe(text: str) -> str:
    """``text``, whoever it is from, as text of a page."""
    return escape(harmless(text))


def _row(row: Row, drawn: bool, width: int) -> str:
    says = f'<tr class="says"><td colspan="{width}">{safe(row.says)}</td></tr>' if row.says else ""
    bar = f'<td class="draws">{_bar(row.share or 0.0, row.bad)}</td>' if drawn else ""
    cells = "".join(f"<td>{safe(cell)}</td>" for cell in row.cells)
    return f'<tr><th scope="row">{safe(row.name)}</th>{bar}{cells}</tr>{says}'


def _bar(share: float, bad: bool) -> str:
    """A bar, of which something is to be seen even where it is one of millions."""
    width = max(0.6, 100 * min(share, 1.0))
    return (
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{"bad" if bad else "ok"}" width="{width:.2f}" height="10"/></svg>'
    )
