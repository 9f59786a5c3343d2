"""The table of a run as a static picture: the first rows, and the study beneath them. NumPy ring."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any, Final

from vaenb.drawing.svg import picture, words
from vaenb.formats import counted, number
from vaenb.view_models.fleet import COLUMNS, DONE, FAILED
from vaenb.view_models.fleet_spark import HEIGHT, LINE, WIDTH

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vaenb.view_models.fleet import FleetTable
    from vaenb.view_models.fleet_progress import FleetProgress
    from vaenb.view_models.fleet_spark import Sparks

_WIDE: Final = 960.0
_ROW, _TOP = 26.0, 62.0
_MOST, _MOST_WITH_STUDY = 12, 5
_EDGES: Final = (0.0, 262.0, 402.0, 520.0, 610.0, 706.0)  # of the columns: left of words, right of numbers
_SCORES: Final = 740.0
_LETTERS: Final = 34
_TOLD: Final = 3


def fleet_picture(table: FleetTable, progress: FleetProgress, sparks: Sparks, *, study: str = "") -> str:
    """The picture.

    Parameters
    ----------
    table : FleetTable
    progress : FleetProgress
    sparks : Sparks
        What is read is kept there.
    study : str
        The SVG of the study that is open.
    """
    shown = table.order[: _MOST_WITH_STUDY if study else _MOST]
    parts = [words(0, 16, progress.words, css="v-name"), *_head()]
    for place, name in enumerate(shown):
        parts += _row(table, name, _TOP + place * _ROW, sparks)
    height, more = _TOP + len(shown) * _ROW + 8, len(table.order) - len(shown)
    if more > 0:
        parts.append(words(0, height + 6, f"and {more:,} more", css="v-faint"))
        height += 20
    inside, told = "", _desc(table)
    if study:
        tall = float(re.search(r'viewBox="0 0 [\d.]+ ([\d.]+)"', study)[1])  # type: ignore[index] # ours has one
        parts.append(words(0, height + 26, _title(study), css="v-name"))
        placed = f'<svg y="{height + 40:g}" width="{_WIDE:g}" height="{tall:g}"'
        inside = study.replace('<svg class="vaenb"', placed, 1)
        told += f" Open: {_title(study)}."
        height += tall + 40
    return picture("fleet", *parts, inside, width=_WIDE, height=height, title="Fleet", desc=told)


def _head() -> list[str]:
    titles = [
        words(edge, _TOP - 22, column.title, css="v-faint", anchor="end" if column.is_number else "start")
        for column, edge in zip(COLUMNS, _EDGES, strict=True)
    ]
    line = f'<path class="v-grid" d="M0,{_TOP - 14:g}H{_WIDE:g}"/>'
    return [*titles, words(_SCORES, _TOP - 22, "Scores", css="v-faint"), line]


def _row(table: FleetTable, name: str, top: float, sparks: Sparks) -> list[str]:
    row, told = table[name], table.told(name)
    parts = [
        words(edge, top + 4, _short(text, _LETTERS), anchor="end" if column.is_number else "start")
        for column, edge, text in zip(COLUMNS, _EDGES, told["cells"], strict=True)
    ]
    if row["status"] == FAILED:
        parts.append(words(_SCORES, top + 4, _short(told["reason"], _LETTERS)))
    if row["status"] == DONE and row.get("threshold") is not None:
        drawn = sparks.read(name, row["threshold"], row.get("seconds"))
        parts.append(
            f'<svg x="{_SCORES:g}" y="{top - 10:g}" width="{_WIDE - _SCORES:g}" height="20" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
            f'<path class="v-line v-score" d="{drawn}"/><path class="v-threshold" d="M0 {LINE:g}H{WIDTH}"/>'
            f'<svg height="{LINE:g}"><path class="v-line v-score v-over" d="{drawn}"/></svg></svg>'
        )
    return parts


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _desc(table: FleetTable) -> str:
    """What there is to see, for those who do not see it."""
    n_failed = table.count(FAILED)
    told = f"{counted(table.count(DONE), 'series', 'series')} of {len(table):,} done, {n_failed:,} failed."
    worst = [table[name] for name in table.order[:_TOLD] if table[name].get("n_events")]
    if not worst:
        return told
    return f"{told} On top: {'; '.join(map(_named, worst))}."


def _named(row: Mapping[str, Any]) -> str:
    events, severity = counted(row["n_events"], "event"), number(row["worst_severity"], 3)
    return f"{row['series']} with {events}, severity {severity}"


def _title(svg: str) -> str:
    found = re.search(r"<title\b[^>]*>(.*?)</title>", svg, re.DOTALL)
    return html.unescape(found[1]) if found else ""
