"""What all panels share: one lock, a line for errors, the line of code, the static picture, a clean end."""

from __future__ import annotations

import functools
import html
import threading
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.panels.cells import replace_in_cell
from vaenb.panels.lab_comm import show_in_lab, touch_in_lab
from vaenb.panels.stills import Still, still_html

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from traitlets import HasTraits

_COPY = """<button type="button" onclick="
const button = this, area = button.closest('.vaenb-copy').querySelector('textarea');
area.select();
const old = () => document.execCommand('copy');
const done = navigator.clipboard ? navigator.clipboard.writeText(area.value).catch(old) : old();
Promise.resolve(done).then(() => {
  button.textContent = 'Copied';
  setTimeout(() => { button.textContent = 'Copy'; }, 1500);
});">Copy</button>"""


def style_sheet(more: str = "") -> widgets.HTML:
    """The style sheet of the panels, and `more` of it; light and dark follow JupyterLab's theme."""
    css = (files("vaenb.panels") / "style.css").read_text(encoding="utf-8")
    return widgets.HTML(f"<style>{css}{more}</style>", layout={"display": "none"})


def missing_gestures() -> str:
    """What does not work in this environment, and what to do about it; empty where all is well."""
    if find_spec("bqplot_gl") is None:
        return ""
    return (
        "bqplot-gl is installed: with it, brushes, lassos and lines to drag do not answer the mouse. "
        "Sliders, text boxes and buttons still work. To get the mouse back: pip uninstall bqplot-gl, then "
        "restart JupyterLab and load this page again."
    )


def _line(words: str, css: str) -> widgets.HTML:
    line = widgets.HTML(f"<div role='note'>{html.escape(words)}</div>")
    line.add_class(css)
    return line


def guarded(method: Callable[..., Any]) -> Callable[..., Any]:
    """A callback of a panel: under its lock, and an exception becomes a line in the panel."""

    @functools.wraps(method)
    def call(self: Panel, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return None if self.is_closed else self._call(functools.partial(method, self, *args, **kwargs))

    return call


class Panel(widgets.VBox):
    """A panel in a cell. Subclasses build their widgets and pass them to `show`.

    Attributes
    ----------
    lock : threading.RLock
        Held by every callback: widget callbacks may run on any thread.
    is_closed : bool
    holder : Panel or None
        The panel that this one stands in.
    """

    title = "panel"
    has_events = False  # that JupyterLab's side panel can show
    is_closed = True  # until it is made: a constructor that refuses its arguments leaves nothing to close

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.RLock()
        self.is_closed = False
        self.holder: Panel | None = None
        self._depth, self._failed = 0, False
        self._still = Still(self._draw_still)
        self._error = widgets.HTML(layout={"display": "none"})
        self._error.add_class("vaenb-error")
        self._code = widgets.Textarea(layout={"width": "100%"}, rows=4)
        self._code.add_class("vaenb-code")
        self._show_code = widgets.ToggleButton(
            description="Copy as code", icon="code", tooltip="The lines of Python that give what is on screen"
        )
        self._show_code.observe(self._on_show_code, "value")
        self._copy = widgets.HBox([self._code, widgets.HTML(_COPY)], layout={"display": "none"})
        self._copy.add_class("vaenb-copy")
        self.add_class("vaenb-panel")

    def show(self, *children: widgets.Widget) -> None:
        """Lay the panel out: its own widgets, then the line of code and the line for errors."""
        foot = widgets.HBox([self._show_code])
        foot.add_class("vaenb-foot")
        warnings = [_line(words, "vaenb-environment") for words in (missing_gestures(),) if words]
        head = (style_sheet(self._still.hiding), *warnings)
        self.children = (*head, *children, self._error, foot, self._copy)
        replace_in_cell(self)

    # ------------------------------------------------------------------ to be said by each panel

    def code(self) -> str:
        """The lines of Python that give what is on screen."""
        raise NotImplementedError

    def picture(self) -> str:
        """What is on screen as a static SVG with alternative text (`vaenb.drawing.svg.picture`)."""
        raise NotImplementedError

    # ------------------------------------------------------------------ errors and code

    def _call(self, method: Callable[[], Any]) -> Any:
        """Call under the lock; callbacks may call each other, and the outermost one has the last word."""
        self._failed = self._failed and self._depth > 0
        self._depth += 1
        try:
            return method()
        except Exception as error:  # noqa: BLE001 - whatever it is, the panel lives on and says it
            self._failed = True
            self.say_error(error)
            return None
        finally:
            self._depth -= 1
            if self._depth == 0 and not self.is_closed:
                if not self._failed:
                    self.say_error(None)
                self.changed()

    def say_error(self, error: BaseException | None) -> None:
        """Show one line about an error; None takes it away."""
        text = "" if error is None else f"{type(error).__name__}: {error}"
        self._error.value = f"<div role='alert'>{html.escape(text)}</div>" if text else ""
        self._error.layout.display = None if text else "none"

    @guarded
    def carry_out(self, call: Callable[[], None]) -> None:
        """Do something as a gesture on the panel: under its lock, and an error becomes a line in it."""
        call()

    def draw_live(self) -> None:
        """Call `_draw` for work in another thread: it leaves the line about somebody's mistake alone."""
        with self.lock:
            if self.is_closed:
                return
            try:
                self._draw()
            except Exception as error:  # noqa: BLE001 - the work goes on, and the panel says it
                self.say_error(error)

    def _draw(self) -> None:
        """Bring what is on screen up to date, in panels that follow work in another thread."""

    @guarded
    def _on_show_code(self, change: Any) -> None:
        self._copy.layout.display = None if change["new"] else "none"
        self.refresh_code()

    def refresh_code(self) -> None:
        """Bring the shown line of code up to date, where it is shown, and the still picture."""
        self.changed()
        if self._show_code.value:
            self._code.value = self.code()
            self._code.rows = min(12, self._code.value.count("\n") + 2)

    # ------------------------------------------------------------------ a picture for where no kernel is

    def snapshot(self) -> str:
        """A static picture of the panel as HTML, with alternative text: for where there is no kernel."""
        return still_html(self.picture())

    def changed(self) -> None:
        """What is on screen has changed: the still picture follows, once it is quiet. Callbacks call it."""
        self._still.touch()
        touch_in_lab(self)
        if self.holder is not None:
            self.holder.changed()

    def catch_up(self) -> None:
        """Bring the still picture up to date now: what comes after the end of a cell may not be kept."""
        self._still.catch_up()

    def _draw_still(self) -> str:
        with self.lock:
            if self.is_closed:
                raise RuntimeError("A closed panel has no picture any more.")
            return self.picture()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        return {**bundle, "text/plain": f"{type(self).__name__}: {self.title}"}

    def _ipython_display_(self) -> None:
        self._still.show(self._repr_mimebundle_())
        show_in_lab(self)

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Close the panel and all that it made: marks, scales, axes, layouts, styles. Twice does no harm."""
        if not self.is_closed:
            self._close_all()

    def _close_all(self) -> None:
        with self.lock:
            if self.is_closed:
                return
            self._still.end()
            self.is_closed = True
            mine = [widget for widget in reachable(self) if widget is not self]
        for widget in mine:
            widget.unobserve_all()
            widget.close()
        super().close()


def reachable(root: widgets.Widget) -> list[widgets.Widget]:
    """All widgets that hang on a widget: children, layouts, styles, scales, axes, marks, interactions."""
    found, todo = {id(root): root}, [root]
    while todo:
        for value in _held(todo.pop()):
            if id(value) not in found:
                found[id(value)] = value
                todo.append(value)
    return list(found.values())


def _held(widget: HasTraits) -> Iterable[widgets.Widget]:
    for name in widget.trait_names():
        if not widget.trait_has_value(name):
            continue
        value = getattr(widget, name)
        values = value.values() if isinstance(value, dict) else value
        many = values if isinstance(value, list | tuple | dict) else [value]
        yield from (each for each in many if isinstance(each, widgets.Widget))
