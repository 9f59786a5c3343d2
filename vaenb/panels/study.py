"""The path through a study: six steps, the panel of one of them below, and what can be done next."""

from __future__ import annotations

import html
import sys
import threading
from typing import TYPE_CHECKING, Any, Protocol

import ipywidgets as widgets

from vaenb.panels.base import Panel, guarded
from vaenb.panels.cells import forget
from vaenb.panels.study_scores import ScoreControls
from vaenb.view_models.study_picture import draw_path
from vaenb.view_models.study_steps import KEYS, READY, STATE_WORDS, told

if TYPE_CHECKING:
    from vaenb.panels.study_steps import StepPanels
    from vaenb.view_models.study import StudyPlan


class Owner(Protocol):
    """Whose steps they are: `vaenb.Study`."""

    plan: StudyPlan

    @property
    def name(self) -> str:
        """Of the series."""

    @property
    def steps(self) -> StepPanels:
        """The panels of the steps that were opened."""

    @property
    def is_running(self) -> bool:
        """Whether steps are being done."""

    @property
    def error(self) -> BaseException | None:
        """What ended the last run, if it failed."""

    @property
    def notes(self) -> list[str]:
        """What the last step had to say."""

    def open_step(self, key: str) -> Panel | None:
        """The panel of a step; None where there is nothing to see yet."""

    def go_next(self, shown: str) -> None:
        """Do what the button "Next" says."""

    def start(self) -> None:
        """Do all steps that are not done."""

    def stop(self) -> None:
        """Stop doing them."""

    def save(self) -> str:
        """Save the study beside the notebook; a sentence about it."""

    def save_notebook(self) -> str:
        """Save a notebook; a sentence about it."""

    def choose(self, key: str, settings: dict[str, Any]) -> None:
        """Other settings of a step."""

    def stay(self) -> None:
        """A person looks at a step of their own choice: do not go with those that are done."""

    def code(self) -> str:
        """The lines that make the study again."""

    def end(self) -> None:
        """Stop what runs, and close the panels of the steps."""


class StudyPanel(Panel):
    """The six steps as a path, and one step's panel.

    Parameters
    ----------
    owner : Study
    shown : str
        The key of the step to begin with.

    Attributes
    ----------
    shown : str
        The key of the step whose panel is shown.
    """

    has_events = True

    def __init__(self, owner: Owner, *, shown: str = KEYS[0]) -> None:
        super().__init__()
        self.owner, self.shown, self.title = owner, shown, f"study of {owner.name}"
        self._drawing = threading.RLock()  # of the head alone: nothing is called while it is held
        self._inside: Panel | None = None
        self._said = ""
        self._lay_out()
        self.draw()

    def _lay_out(self) -> None:
        self._steps = {key: widgets.Button(description=told(key)) for key in KEYS}
        for key, button in self._steps.items():
            button.on_click(lambda _, key=key: self._on_step(key))
            button.add_class("vaenb-study-step")
        path = widgets.HBox(list(self._steps.values()))
        self.run = widgets.Button(description="Run everything", icon="forward", button_style="primary")
        self.next = widgets.Button(description="Next", icon="arrow-right")
        self.stop = widgets.Button(description="Stop", icon="stop", tooltip="Stop, and keep what is done")
        self.notebook = widgets.Button(description="Save as notebook", icon="book")
        self.save = widgets.Button(description="Save study", icon="save")
        self._status, self._note, self._failure = (widgets.HTML() for _ in range(3))
        files = widgets.HBox([self.notebook, self.save])
        buttons = widgets.HBox([self.next, self.run, self.stop, files])
        self._connect()
        self._show_code.description = "Copy study as code"
        self.scores = ScoreControls(self._on_scores)
        self._slot = widgets.VBox([])
        named = {"path": path, "buttons": buttons, "files": files, "status": self._status, "note": self._note}
        self._failure.add_class("vaenb-error")
        for css, widget in (named | {"slot": self._slot, "scores": self.scores.box}).items():
            widget.add_class(f"vaenb-study-{css}")
        self.add_class("vaenb-study")
        self.show(path, buttons, self._status, self._failure, self.scores.box, self._note, self._slot)

    def _connect(self) -> None:
        self.next.add_class("vaenb-study-next")
        self.run.tooltip = "Do all steps that are not done, on the settings as they are"
        self.notebook.tooltip = "Write a notebook whose cells reproduce what was done"
        self.save.tooltip = "Write detector and panels into one .vaenb file"
        self.run.on_click(self._on_run)
        self.next.on_click(self._on_next)
        self.stop.on_click(self._on_stop)
        self.notebook.on_click(self._on_notebook)
        self.save.on_click(self._on_save)

    # ------------------------------------------------------------------ what is shown

    def show_step(self, key: str) -> None:
        """Show the panel of a step; what was shown stays as it was left."""
        with self.lock:
            if self.is_closed:
                return
            self.shown, self._said = key, ""
            self._put(self.owner.open_step(key))
            self.draw()
            self.refresh_code()

    def _put(self, panel: Panel | None) -> None:
        if panel is not None and panel.holder is not self:
            panel.holder = self
            forget(panel)
        self._inside = panel
        children = () if panel is None else (panel,)
        if self._slot.children != children:
            self._slot.children = children

    def draw(self) -> None:
        """Bring the path, the buttons and the sentences up to date. Any thread may call it."""
        with self._drawing:
            if self.is_closed:
                return
            plan = self.owner.plan
            self._draw_path(plan)
            self._draw_buttons(plan)
            self._draw_words(plan)

    def _draw_path(self, plan: StudyPlan) -> None:
        states = {key: plan.state(key) for key in KEYS}
        for key, button in self._steps.items():
            button.description = plan.label(key)
            button.tooltip = f"Show step {told(key)}: {STATE_WORDS[states[key]]}"
            for state in STATE_WORDS:
                css = f"vaenb-is-{state.replace(' ', '-')}"
                (button.add_class if state == states[key] else button.remove_class)(css)
            (button.add_class if key == self.shown else button.remove_class)("vaenb-is-shown")

    def _draw_buttons(self, plan: StudyPlan) -> None:
        runs, action = self.owner.is_running or plan.running is not None, plan.next_action(self.shown)
        self.next.disabled = runs or action is None
        self.next.description = "Next" if action is None else action.words
        back = action is not None and KEYS.index(action.step) < KEYS.index(self.shown)
        self.next.icon = "arrow-left" if back else "arrow-right"
        self.run.disabled = runs or not plan.to_do
        self.stop.disabled = not runs
        done = plan.is_done("scores")
        self.save.disabled = self.notebook.disabled = runs or not done
        self.scores.show(plan.settings("scores"), is_shown=self.shown == "scores", enabled=not runs)
        (self._status.add_class if runs else self._status.remove_class)("vaenb-is-busy")

    def _draw_words(self, plan: StudyPlan) -> None:
        said = plan.progress() if plan.running is not None or not self._said else self._said
        self._status.value = f"<div role='status'>{html.escape(said)}</div>"
        notes = [*self.owner.notes] if self.shown in {"training", "scores", "threshold"} else []
        note = "" if plan.running == self.shown else " ".join([*notes, plan.note(self.shown)]).strip()
        self._note.value = f"<div role='note'>{html.escape(note)}</div>" if note else ""
        self._note.layout.display = None if note else "none"
        error = self.owner.error
        failed = "" if error is None else f"{type(error).__name__}: {error}"
        self._failure.value = f"<div role='alert'>{html.escape(failed)}</div>" if failed else ""
        self._failure.layout.display = None if failed else "none"

    def tell(self, sentence: str) -> None:
        """Say something beside how far one is, until something else happens."""
        self._said = sentence
        self.draw()

    # ------------------------------------------------------------------ gestures

    @guarded
    def _on_step(self, key: str) -> None:
        self.owner.stay()
        self.show_step(key)

    @guarded
    def _on_next(self, _: Any) -> None:
        self._said = ""
        self.owner.go_next(self.shown)

    @guarded
    def _on_run(self, _: Any) -> None:
        self._said = ""
        self.owner.start()

    @guarded
    def _on_stop(self, _: Any) -> None:
        self.owner.stop()

    @guarded
    def _on_notebook(self, _: Any) -> None:
        self.tell(self.owner.save_notebook())

    @guarded
    def _on_save(self, _: Any) -> None:
        self.tell(self.owner.save())

    @guarded
    def _on_scores(self, settings: dict[str, Any]) -> None:
        self.owner.choose("scores", settings)

    # ------------------------------------------------------------------ code, picture, end

    def code(self) -> str:
        """The lines of Python that make the study again."""
        return self.owner.code()

    def picture(self) -> str:
        """The panel that is shown, or the path where there is none."""
        if self._inside is not None and self.owner.plan.state(self.shown) != READY:
            return self._inside.picture()
        return draw_path(self.owner.plan, self.owner.name)

    def close(self) -> None:
        """Stop what runs, and close the path and the panels of the steps."""
        if sys.is_finalizing():  # Python ends, and with it everything
            return
        self.owner.end()
        with self.lock, self._drawing:
            if not self.is_closed:
                self._slot.children = ()
            super().close()
