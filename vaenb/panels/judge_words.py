"""The judge panel's lines of words, as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from vaenb.panels.event_list import CSS_OF_KIND, key_of_kinds
from vaenb.view_models import event_list as words

if TYPE_CHECKING:
    from vaenb.view_models.judge import Judge


class Words:
    """The lines around the list and the figures.

    Parameters
    ----------
    judge : Judge

    Attributes
    ----------
    summary, kinds, headline, notice, nothing : ipywidgets.HTML
        How far the person is; the key to the list; the current event; what there is to know about the
        file; and what stands there where there is no event.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.summary = _as_html("vaenb-judge-summary")
        self.kinds = _as_html("vaenb-judge-kinds", key_of_kinds(judge))
        self.headline = _as_html("vaenb-judge-headline")
        self.notice = _as_html("vaenb-judge-notice")
        self.nothing = _as_html("vaenb-judge-nothing")

    def draw(self) -> None:
        """Bring them up to date."""
        some, notice = len(self._judge) > 0, self._judge.book.notice
        self.nothing.layout.display = "none" if some else None
        self.nothing.value = "" if some else escape(words.empty(self._judge))
        self.summary.value = summary_line(self._judge)
        self.notice.value = escape(notice)
        self.notice.layout.display = None if notice else "none"
        if some:
            self.headline.value = headline(self._judge)


def _as_html(css: str, value: str = "") -> widgets.HTML:
    """A widget of HTML with a style class."""
    found = widgets.HTML(value=value)
    found.add_class(css)
    return found


def summary_line(judge: Judge) -> str:
    """What there is in the list, and how far the person is."""
    dot = " <i>\u00b7</i> "
    pieces = dot.join(
        f'<b class="v-{CSS_OF_KIND[kind]}">{escape(piece)}</b>' for piece, kind in words.summary(judge)
    )
    file = "" if judge.book.path is None else f"saved in {judge.book.path.name}"
    more = [escape(each) for each in (words.agreement(judge), words.by_verdict(judge), file) if each]
    return f"<p>{pieces}</p><p>{dot.join(more) or 'no verdict yet'}</p>"


def headline(judge: Judge) -> str:
    """The current event: when, how long, how high, and what the labels say."""
    line = words.line(judge, judge.current or 0)
    facts = [f"lasts {line.lasts}", *line.facts.split(" \u00b7 ")[:2]]
    facts += [words.KINDS_IN_WORDS[line.kind]] if line.kind else []
    facts += [line.labelled] if line.labelled else []
    told = escape(" \u00b7 ".join(facts))
    return f"<b>{escape(words.title(judge))}</b><span>{told}</span>"
