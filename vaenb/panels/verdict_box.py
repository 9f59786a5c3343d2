"""The verdict on one event: three buttons, a note, and a box in which one letter does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.panels.pace import Pace
from vaenb.view_models.event_list import MARKS
from vaenb.view_models.verdicts import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from vaenb.view_models.verdicts import Verdict

KEYS = {
    "a": "anomaly",
    "n": "normal",
    "u": "unsure",
    "x": "take back",
    "j": "next",
    "k": "previous",
    "o": "next to judge",
    "t": "note",
}
_HINTS = (("anu", "verdict"), ("x", "clear"), ("jk", "next, back"), ("o", "next open"), ("t", "note"))
_SAVES_A_SECOND = 2.0


class VerdictBox:
    """Buttons, note and keys.

    Letters reach the kernel through a box of text: a page has no other keys to give, and JupyterLab leaves
    its own shortcuts alone while somebody writes. What was typed stays in the box, unseen: emptying it while
    the next letter is under way would lose that letter.

    Parameters
    ----------
    press : callable
        Called with each letter.
    click : callable
        Called with the verdict whose button was clicked.
    save_note : callable
        Called at most twice a second while a note is being written; it reads `note`.

    Attributes
    ----------
    widget : ipywidgets.VBox
    buttons : dict of str to ipywidgets.Button
    note, keys : ipywidgets.Text
    goes_on : ipywidgets.Checkbox
        Whether the next event follows a verdict.
    """

    def __init__(
        self, press: Callable[[str], None], click: Callable[[str], None], save_note: Callable[[], None]
    ) -> None:
        self._press, self._click, self._save_note = press, click, save_note
        self._save = Pace(save_note, per_second=_SAVES_A_SECOND)
        self._follows = False
        self.buttons = {verdict: self._button(verdict) for verdict in VERDICTS}
        self.note = widgets.Text(
            description="Note", placeholder="what do you see?", layout={"flex": "1 1 180px", "width": "auto"}
        )
        self.note.observe(lambda _: None if self._follows else self._save(), "value")
        self.note.on_msg(self._on_message)
        self.keys = widgets.Text(
            description="Keys", tooltip=_in_words(), layout={"width": "104px", "flex": "none"}
        )
        self.keys.add_class("vaenb-judge-keys")
        self.keys.observe(self._on_keys, "value")
        self.goes_on = widgets.Checkbox(
            value=True,
            indent=False,
            tooltip="Show the next event after a verdict",
            description="then go on",
            layout={"width": "auto", "flex": "none"},
        )
        self._hint = widgets.HTML(value=_hints())
        self._hint.add_class("vaenb-judge-hint")
        self.widget = widgets.VBox(
            [
                _row("vaenb-judge-verdict", *self.buttons.values(), self.note),
                _row("vaenb-judge-keyrow", self.keys, self._hint, self.goes_on),
            ]
        )
        self.widget.add_class("vaenb-judge-box")

    def _button(self, verdict: str) -> widgets.Button:
        button = widgets.Button(
            description=f"{MARKS[verdict]} {verdict}",
            tooltip=f"It is: {verdict} (key {verdict[0]}). Once more takes it back",
            layout={"width": "auto"},
        )
        button.add_class(f"v-verdict-{verdict}")
        button.on_click(lambda _: self._click(verdict))
        return button

    def _on_keys(self, change: Any) -> None:
        """Every letter that was added counts, however many come at once."""
        before, after = change["old"], change["new"]
        for letter in after[len(before) :].lower() if after.startswith(before) else "":
            self._press(letter)

    def _on_message(self, _: Any, content: dict[str, Any], __: Any) -> None:
        if content.get("event") == "submit":
            self.finish_note()
            self.keys.focus()

    def finish_note(self) -> None:
        """Save the note now where it was not saved yet, even if its timer has rung and waits."""
        self._save.cancel()
        self._save_note()

    def show(self, said: Verdict | None) -> None:
        """Show what was said about an event."""
        for verdict, button in self.buttons.items():
            chosen = said is not None and said.verdict == verdict
            (button.add_class if chosen else button.remove_class)("v-on")
        self._follows = True
        try:
            self.note.value = said.note if said else ""
        finally:
            self._follows = False

    def end(self) -> None:
        """Save nothing after this."""
        self._save.end()


def _row(css: str, *children: widgets.Widget) -> widgets.HBox:
    found = widgets.HBox(children)
    found.add_class(css)
    return found


def _hints() -> str:
    """What each letter does, as HTML."""
    keys = ("".join(f"<kbd>{letter}</kbd>" for letter in letters) for letters, _ in _HINTS)
    return "".join(f"<span>{key} {does}</span>" for key, (_, does) in zip(keys, _HINTS, strict=True))


def _in_words() -> str:
    return "Type one letter: " + ", ".join(f"{key} {does}" for key, does in KEYS.items())
