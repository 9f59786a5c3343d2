"""A still picture beside a panel: what GitHub, nbviewer and a notebook without its kernel show in its place.

A panel in a cell makes two outputs: the widget, and below it the still, an image with alternative text. The
living panel hides its still; where no panel lives, the still hides the notebook's message that there is none.
"""

from __future__ import annotations

import base64
import html
import logging
import re
import threading
import time
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from vaenb.drawing.svg import standalone

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = 2.0  # seconds without a change before the still is drawn anew
_LONGEST = 15.0  # seconds that it may stay behind where changes never cease
# An image has a page of its own, never wider than itself: the style of a narrow page would make its words too
# large for their places.
_BACKGROUND = "svg.vaenb { background: var(--v-paper); font-size: 12px; }"
_log = logging.getLogger(__name__)


class Still:
    """The still of one panel.

    Parameters
    ----------
    draw : callable
        Gives the SVG of what is on screen, with alternative text; what it raises costs only the still.
    quiet : float
        Seconds without a change before the still is drawn anew.

    Attributes
    ----------
    name : str
        The style class of the image, another one for each panel.
    """

    def __init__(self, draw: Callable[[], str], *, quiet: float = QUIET) -> None:
        self._draw, self._quiet = draw, quiet
        self.name = f"vaenb-still-{uuid4().hex[:12]}"
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._shown = self._ended = False
        self._first = self._last = 0.0

    @property
    def hiding(self) -> str:
        """The rules of style that hide the still: for the living panel to carry."""
        nothing = "{ display: none !important; }"
        return f".{self.name} {nothing} .jp-OutputArea-child:has(> * > .{self.name}) {nothing}"

    def show(self, view: dict[str, Any]) -> None:
        """Put a widget's view, a bundle of MIME types, and the still below it into the cell that runs."""
        from IPython.display import display

        still = self._bundle()
        display({**view, **({"text/html": ""} if still else {})}, raw=True)
        if still:
            display(still, raw=True, display_id=self.name)
            self._shown = True

    def touch(self) -> None:
        """Something has changed: draw the still anew once it is quiet."""
        with self._lock:
            self._last = time.monotonic()
            if self._shown and not self._ended and self._timer is None:
                self._first = self._last
                self._wait(self._quiet)

    def catch_up(self) -> None:
        """Draw the still anew at once, where it is behind: for a cell that ends now."""
        with self._lock:
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self._update()

    def end(self) -> None:
        """Draw the still for the last time where it is behind; nothing after that."""
        with self._lock:
            self._ended, timer, self._timer = True, self._timer, None
        if timer is not None:
            timer.cancel()
            self._update()

    def _wait(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True
        self._timer.start()

    def _fire(self) -> None:
        with self._lock:
            if self._ended:
                return
            now = time.monotonic()
            left = min(self._last + self._quiet, self._first + _LONGEST) - now
            if left > 0.01:
                self._wait(left)
                return
            self._timer = None
        self._update()

    def _update(self) -> None:
        from IPython.display import display

        still = self._bundle()
        if still:
            display(still, raw=True, display_id=self.name, update=True)

    def _bundle(self) -> dict[str, str]:
        try:
            svg = self._draw()
            return {"text/html": still_html(svg, self.name), "text/plain": alternative(svg)}
        except Exception:  # noqa: BLE001 - the widget is there all the same
            _log.debug("A panel has no still picture", exc_info=True)
            return {}


def alternative(svg: str) -> str:
    """The title and the description of a picture, as plain text."""
    found = (re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", svg, re.DOTALL) for tag in ("title", "desc"))
    told = [html.unescape(match[1]).strip().rstrip(".") for match in found if match]
    return ". ".join(each for each in told if each) + "."


def still_html(svg: str, name: str = "") -> str:
    """A picture as an image in HTML: text where images are not shown, light or dark as the page is.

    Parameters
    ----------
    svg : str
        What `vaenb.drawing.svg.picture` returns.
    name : str
        A style class of its own.
    """
    alone = standalone(svg).replace("</style>", f"{_BACKGROUND}</style>", 1)
    width = re.search(r'viewBox="0 0 ([\d.]+)', svg)
    data = base64.b64encode(alone.encode()).decode()
    style = re.sub(r"\s+", " ", (files("vaenb.panels") / "still.css").read_text(encoding="utf-8"))
    return (
        f"<style>{style}</style>"
        f'<img class="vaenb-still {name}" alt="{html.escape(alternative(svg), quote=True)}" '
        f'width="{width[1] if width else 960}" style="max-width:100%;height:auto" '
        f'src="data:image/svg+xml;base64,{data}"/>'
    )
