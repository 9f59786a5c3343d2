"""The judge panel's lines of words, as HTML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets

from vaenb.panels.event_list import CSS_OF_KIND
from vaenb.view_models import event_list as words

if TYPE_CHECKING:
    from vaenb.view_models.judge import Judge


def as_html(css: str, value: str = "") -> widgets.HTML:
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
