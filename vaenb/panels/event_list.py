"""The list of events: a page of cards, each with a button over it, so that mouse and keyboard both choose."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from vaenb.view_models.event_list import MARKS, PAGE, SYMBOLS, WORDS, Line, first_of_page, page

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.judge import Judge

_ROW = 52  # pixels; as in style.css
CSS_OF_KIND = {"TP": "hit", "FP": "false", "FN": "missed", "\u2260": "second", "": "plain"}


class EventList:
    """A page of the list, and the buttons that turn it.

    Parameters
    ----------
    judge : Judge
    choose : callable
        Called with the place of the line that was chosen.

    Attributes
    ----------
    widget : ipywidgets.VBox
    first : int
        The line at the top of the page, from 0.
    """

    def __init__(self, judge: Judge, choose: Callable[[int], None]) -> None:
        self._judge, self._choose = judge, choose
        self.first = 0
        self._cards = widgets.HTML()
        self._hits = widgets.VBox([self._hit(row) for row in range(PAGE)])
        self._hits.add_class("vaenb-judge-hits")
        body = widgets.Box([self._cards, self._hits], layout={"height": f"{_ROW}px"})
        body.add_class("vaenb-judge-cards")
        self._body = body
        self._where = widgets.HTML()
        self._where.add_class("vaenb-judge-where")
        self.earlier = self._turn("\u25c2 page", "The page before", -PAGE)
        self.later = self._turn("page \u25b8", "The next page", PAGE)
        foot = widgets.HBox([self.earlier, self._where, self.later])
        foot.add_class("vaenb-judge-turn")
        self._foot = foot
        self.widget = widgets.VBox([body, foot])
        self.widget.add_class("vaenb-judge-list")
        self._rows = 1

    def _hit(self, row: int) -> widgets.Button:
        button = widgets.Button()
        button.on_click(lambda _: self._choose(self.first + row))
        return button

    def _turn(self, name: str, words: str, by: int) -> widgets.Button:
        button = widgets.Button(description=name, tooltip=words, layout={"width": "76px"})
        button.on_click(lambda _: self.turn(by))
        return button

    def turn(self, by: int) -> None:
        """Show the page before or after, and leave the current line where it is."""
        last = first_of_page(max(0, len(self._judge) - 1))
        self.draw(max(0, min(self.first + by, last)))

    def draw(self, first: int | None = None) -> None:
        """Show the page that begins with `first`; the current line's page without it."""
        self.first = first_of_page(self._judge.current) if first is None else first
        lines, count = page(self._judge, self.first), len(self._judge)
        # A list that has become shorter keeps its height: what stands below does not jump.
        self._rows = max(self._rows, min(PAGE, count))
        self._body.layout.height = f"{self._rows * _ROW}px"
        self._cards.value = "".join(card(line) for line in lines)
        for row, hit in enumerate(self._hits.children):
            hit.layout.display = None if row < len(lines) else "none"
            hit.tooltip = lines[row].told if row < len(lines) else ""
        last = self.first + len(lines)
        self._where.value = f"{self.first + 1:,}\u2013{last:,} of {count:,}" if count else "no events"
        self.earlier.disabled, self.later.disabled = self.first == 0, last >= count
        self._foot.layout.visibility = "visible" if count > PAGE else "hidden"


def card(line: Line) -> str:
    """A line of the list as HTML."""
    kind, mark = CSS_OF_KIND[line.kind], line.verdict or "none"
    return (
        f'<div class="v-card v-{kind}{" v-here" if line.is_current else ""}" aria-hidden="true">'
        f'<span class="v-rank">{line.place + 1:,}</span>'
        f"<p><b>{escape(line.start)}</b><span>{escape(line.lasts)}</span><em>{_kind(line)}</em></p>"
        f'<p class="v-sub"><span>{escape(line.facts)}</span>'
        f'<em class="v-said-{mark}">{_said(line)}</em></p></div>'
    )


def _kind(line: Line) -> str:
    differs = '<i class="v-differs">\u2260</i>' if line.differs and line.kind != "\u2260" else ""
    words = f"{SYMBOLS[line.kind]} {escape(WORDS[line.kind])}" if line.kind else ""
    return f"{differs}{words}"


def _said(line: Line) -> str:
    note = '<i class="v-noted" title="has a note">\u270e</i>' if line.note else ""
    return f"{note}{MARKS[line.verdict]} {line.verdict}" if line.verdict else f"{note}to judge"


def key_of_kinds(judge: Judge) -> str:
    """What the symbols of the list mean, as HTML; "" without labels."""
    if judge.labels is None:
        return ""
    told = [("TP", "TP found"), ("FP", "FP not labelled"), ("FN", "FN missed")]
    told += [("\u2260", "labels disagree")] if judge.second is not None else []
    return "".join(
        f'<span class="v-{CSS_OF_KIND[kind]}"><b>{SYMBOLS[kind]}</b> {words}</span>' for kind, words in told
    )
