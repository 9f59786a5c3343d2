"""Doing the steps of a study, in a thread of their own, and hearing what a person changes meanwhile."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from vaenb.errors import InputError
from vaenb.panels.study_steps import StepPanels
from vaenb.panels.worker import Worker
from vaenb.preparing import prepare
from vaenb.view_models.study_steps import KEYS, as_key, told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vaenb.engine import Engine
    from vaenb.records import History, Series
    from vaenb.view_models.study import StudyPlan

_LAST_STEP: Final = 10.0  # seconds that closing waits for the step that runs


class StudyRun:
    """The steps of a study, done one after the other.

    Parameters
    ----------
    series : Series
    plan : StudyPlan
    engine : Engine
    judging : mapping
        What `JudgePanel` is told besides evidence and events.
    changed : callable
        Called whenever the state of a step has changed, by whatever thread.
    follow : callable
        Called with the step that is done now, or was done last.

    Attributes
    ----------
    steps : StepPanels
    error : BaseException or None
        What ended the last run, if it failed.
    has_ended : bool
    """

    def __init__(
        self,
        series: Series,
        plan: StudyPlan,
        engine: Engine,
        *,
        judging: Mapping[str, Any],
        changed: Callable[[], None],
        follow: Callable[[str], None],
    ) -> None:
        self._series, self.plan, self.engine = series, plan, engine
        self._changed, self._follow = changed, follow
        self._lock = threading.RLock()  # of the plan; no panel is called while it is held
        self._worker = Worker(self._on_end)
        self.error: BaseException | None = None
        self._built_with = ""
        self.has_ended = self._is_busy = False
        self.steps = StepPanels(series, plan, engine, judging=judging, chosen=self.choose)

    @property
    def series(self) -> Series:
        """The series with the training part that is chosen."""
        rows = self.plan.settings("data")["train_end"]
        return self._series if rows is None else replace(self._series, train_end=rows)

    @property
    def is_running(self) -> bool:
        """Whether steps are being done."""
        return self._is_busy

    # ------------------------------------------------------------------ from start to end

    def start(self, upto: str | int) -> None:
        """Do all steps up to one that are not done; nothing while steps are being done."""
        last = as_key(upto)
        with self._lock:
            if self.has_ended:
                raise InputError("The study was closed: make a new one, and start that.")
            if self.is_running:
                return
            self._worker.wait()  # for a thread that has only to end
            self.hear_threshold()
            self.error, self._is_busy = None, True
            self._worker.start(lambda stop: self._do_all(last, stop))
        self._changed()

    def stop(self) -> None:
        """Stop after this step; a training stops at once, and keeps the best weights."""
        self._worker.stop()
        training = self.steps.get("training")
        if training is not None and training.view.is_running:
            training.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end; see `vaenb.Study.wait`."""
        done = self._worker.wait(timeout)
        if done and self.error is not None:
            raise self.error
        return done

    async def finished(self) -> None:
        """The same for ``await``."""
        await self._worker.finished()
        if self.error is not None:
            raise self.error

    def end(self) -> None:
        """Stop, wait for the step that runs, and close the panels of the steps."""
        self.has_ended = True
        self.stop()
        self._worker.wait(_LAST_STEP)
        self.steps.close()

    def _do_all(self, last: str, stop: threading.Event) -> None:
        """In the worker's thread: one step after the other until there is a reason to end."""
        while not stop.is_set():
            step = self.plan.next
            if step is None or KEYS.index(step) > KEYS.index(last):
                return
            self._mark(step)
            try:
                getattr(self, f"_do_{step}")()
            finally:
                self._mark(None)
            if step == "training" and not self.plan.is_done(step):
                return  # stopped before the first epoch was over

    def _on_end(self, _: object, error: BaseException | None) -> None:
        self.error, self._is_busy = error, False
        if error is None:
            step = self.plan.next
            done = KEYS[-1] if step is None else KEYS[max(0, KEYS.index(step) - 1)]
            self._follow(self.plan.shown_after(done))
        self._changed()

    def _mark(self, running: str | None) -> None:
        with self._lock:
            self.plan.running = running
        self._changed()

    def _finish(self, step: str, outcome: object = None) -> None:
        with self._lock:
            self.plan.finish(step, outcome)

    # ------------------------------------------------------------------ each step

    def _do_data(self) -> None:
        chosen = self.plan.settings("data")
        chosen.pop("train_end")
        self._prepared(prepare(self.series, **chosen).window_size)

    def _prepared(self, window_size: int) -> None:
        with self._lock:
            self.plan.choose("model", window_size=int(window_size))
            self.plan.finish("data")

    def _do_model(self) -> None:
        self._built_with = self._for_model()
        self.engine.build(self.series, self.plan.params)
        training = self.engine.training
        if training is not None:
            training.on_begin, training.on_end = self._on_training, self._on_trained
        self._finish("model")

    def _for_model(self) -> str:
        """What a model and its training are made with."""
        chosen = {key: self.plan.settings(key) for key in ("data", "model", "training")}
        chosen["training"].pop("epochs")
        return repr(chosen)

    def _do_training(self) -> None:
        training = self.engine.training
        if training is None or training.runs or self._built_with != self._for_model():
            self._do_model()  # a training begins with a new model
        self._follow("training")
        panel: Any = self.steps["training"]
        panel.start()
        panel.wait()

    def _do_scores(self) -> None:
        self.engine.score(self.series, self.plan.params)
        self._finish("scores")

    def _do_threshold(self) -> None:
        self._finish("threshold")

    def _do_judge(self) -> None:
        self._finish("judge")

    def _on_training(self) -> None:
        """In the thread that trains, whoever has started it."""
        self._mark("training")

    def _on_trained(self, history: History | None) -> None:
        training = self.engine.training
        if history is not None and len(history) and training is not None:
            with self._lock:
                self.plan.choose("training", epochs=sum(training.runs))
                if self.plan.is_done("model"):
                    self.plan.finish("training", tuple(training.runs))
                else:
                    self.plan.forget("training")
        self._mark(None)

    def check_done(self, to_do: str) -> None:
        """Refuse to go on where there is nothing, or nothing fresh, to keep.

        Raises
        ------
        InputError
            With what comes first.
        """
        if self.is_running:
            raise InputError(f"Steps are being done: wait for the end, or stop them, to {to_do}.")
        self.hear_threshold()
        step = next((key for key in KEYS[: KEYS.index("threshold")] if not self.plan.is_done(key)), None)
        if step is not None:
            raise InputError(
                f"Step {told(step)} is not done with the settings as they are: run the study, then {to_do}."
            )

    # ------------------------------------------------------------------ what a person changes

    def choose(self, key: str, settings: Mapping[str, Any]) -> None:
        """Other settings of a step."""
        known = self.plan.settings(key)
        own = {"window_size"} if key == "model" else set()  # that is chosen in step 1
        with self._lock:
            self.plan.choose(key, **{name: settings[name] for name in settings if name in known.keys() - own})
        if key == "data":
            self.look_at_data()
        self._changed()

    def look_at_data(self) -> None:
        """The panel of step 1 has prepared the series already, if it can be."""
        panel: Any = self.steps.get("data")
        try:
            self._prepared(panel.prepared.window_size)
        except InputError:
            return

    def hear_threshold(self) -> None:
        """Take over what a person has set in step 5."""
        if self.engine.evidence is None or self.is_running:
            return
        moved = self.steps.threshold_moved()
        if moved is None:
            return
        with self._lock:
            fresh, judged = self.plan.is_done("scores"), self.plan.is_done("judge")
            self.engine.set_rule(moved.pop("rule"))
            self.plan.choose("threshold", threshold=self.engine.shown.rule, **moved)
            if fresh:
                self.plan.finish("threshold")
            if judged:
                self.plan.finish("judge")
