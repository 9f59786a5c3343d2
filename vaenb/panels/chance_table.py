"""Is it better than chance: asked by a button, answered by a worker thread, shown as bars."""

from __future__ import annotations

import threading
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as widgets
import numpy as np

from vaenb.formats import fixed, number
from vaenb.panels.pace import Pace
from vaenb.view_models.chance import DETECTOR, MEASURES, TITLES, Chance, Stopped, compare

if TYPE_CHECKING:
    from vaenb.view_models.judge import Judge


class ChanceTable:
    """The question, the progress, and the answer.

    Parameters
    ----------
    judge : Judge
    lock : RLock
        The panel's.

    Attributes
    ----------
    widget : ipywidgets.VBox
    ask : ipywidgets.Button
    found : Chance or None
    finished : threading.Event
        Set while nothing is being computed.
    """

    def __init__(self, judge: Judge, lock: threading.RLock) -> None:
        self._judge, self._lock = judge, lock
        self.found: Chance | None = None
        self.finished = threading.Event()
        self.finished.set()
        self._stop = threading.Event()
        self._now = ("", 0.0)
        self._pace = Pace(self._show_progress, per_second=8)
        self.ask = widgets.Button(
            description="Is it better than chance?",
            icon="balance-scale",
            tooltip="Compare the detector with a random score, window PCA and the rolling median",
            layout={"width": "auto"},
        )
        self._progress = widgets.HTML()
        self._progress.add_class("vaenb-judge-progress")
        head = widgets.HBox([self.ask, self._progress])
        head.add_class("vaenb-judge-ask")
        self._answer = widgets.HTML()
        self._answer.add_class("vaenb-judge-chance")
        self.widget = widgets.VBox([head, self._answer])
        if judge.labels is None or not judge.labels.any():
            self.ask.disabled = True
            self._progress.value = "needs labels: without them nobody knows what should have been found"

    def start(self) -> None:
        """Begin to compute; a second call while it runs does nothing."""
        if not self.finished.is_set():
            return
        self.finished.clear()
        self.ask.disabled = True
        threading.Thread(target=self._work, args=(self._judge.threshold,), daemon=True).start()

    def _work(self, threshold: float) -> None:
        try:
            found = compare(
                self._judge.evidence, threshold, labels=self._judge.labels, say=self._say, stop=self._stop
            )
        except Stopped:
            self.finished.set()
            return
        except Exception as error:  # noqa: BLE001 - a thread has nobody else to tell
            self._end(f"{type(error).__name__}: {error}", None)
            return
        self._end("", found)

    def _say(self, words: str, share: float) -> None:
        self._now = (words, share)
        self._pace()

    def _show_progress(self) -> None:
        words, share = self._now
        with self._lock:
            if not self.finished.is_set() and not self._stop.is_set():
                self._progress.value = (
                    f'<progress value="{share:.3f}" max="1"></progress> {escape(words)} \u2026'
                )

    def _end(self, words: str, found: Chance | None) -> None:
        with self._lock:
            if not self._stop.is_set():
                self.found = found or self.found
                self._progress.value = escape(words)
                self._answer.value = "" if self.found is None else as_bars(self.found)
                self.ask.disabled = False
            self.finished.set()

    def mark_stale(self) -> None:
        """Say that the threshold has moved since."""
        if self.found is not None and self.finished.is_set():
            moved = self.found.threshold != self._judge.threshold
            self._progress.value = "the threshold has moved since: ask again" if moved else ""

    def end(self) -> None:
        """Stop computing; nothing is shown after this."""
        self._stop.set()
        self._pace.end()


def as_bars(found: Chance) -> str:
    """The comparison as HTML: the answer, then the measures beside each other."""
    cells = "".join(_measure(found, name) for name in reversed(MEASURES))
    note = (
        f"F1 of every score at its own best threshold in hindsight; the dark tick is the detector at its "
        f"threshold, {number(found.threshold)}. Judged on the whole series."
    )
    return (
        f'<p class="v-answer">{escape(found.verdict)}</p><div class="v-measures">{cells}</div>'
        f'<p class="v-note">{escape(note)}</p>'
    )


def _measure(found: Chance, measure: str) -> str:
    values = found.table[measure]
    tick = found.at_threshold.get(measure, float("nan"))
    rows = "".join(_bar(name, values[name], tick if name == DETECTOR else float("nan")) for name in TITLES)
    doubt = " v-doubt" if measure == "pa_f1" else ""
    return (
        f'<section class="v-measure{doubt}"><h4>{escape(MEASURES[measure])}</h4>{rows}'
        f"<p>{escape(found.sentence(measure))}</p></section>"
    )


def _bar(name: str, value: float, tick: float) -> str:
    width = 100 * float(np.nan_to_num(value))
    mark = (
        f'<u style="left:{100 * tick:.1f}%" title="at the threshold: {fixed(tick, 2)}"></u>'
        if tick >= 0
        else ""
    )
    return (
        f'<div class="v-bar v-bar-{name.replace("_", "-")}"><span>{escape(TITLES[name])}</span>'
        f'<div><s style="width:{width:.1f}%"></s>{mark}</div><b>{fixed(value, 2)}</b></div>'
    )
