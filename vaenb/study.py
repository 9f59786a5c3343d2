"""`Study`: the six steps in one cell. Here the model, the steps and the panels come together.

TensorFlow is imported when a model is built, and never by opening a saved study.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self

from vaenb.engine import Engine
from vaenb.panels.study import StudyPanel
from vaenb.reading import read_series
from vaenb.records import Series
from vaenb.splits import find_train_end
from vaenb.study_file import read_study
from vaenb.study_keeping import Keeper, open_saved
from vaenb.study_run import StudyRun
from vaenb.view_models.study import StudyPlan
from vaenb.view_models.study_steps import KEYS, as_key, checked_settings

if TYPE_CHECKING:
    from vaenb.detector import VAEDetector
    from vaenb.evidence import Evidence
    from vaenb.panels.base import Panel
    from vaenb.panels.study_steps import StepPanels
    from vaenb.records import Events, History

    PathLike = str | os.PathLike[str]


class Study:
    """The whole way from a series to judged events, as six panels in one cell.

    Parameters
    ----------
    source : Series, DataFrame, array_like or path
        As `vaenb.read_series` takes it.
    train_end : int, float, str or timestamp, optional
        Where the training part ends; the series' own end of it without it, or half of the rows.
    verdicts, other_labels
        See `vaenb.JudgePanel`.
    merge_gap, min_length
        See `vaenb.find_events`; a window, and 1, without a word.
    **settings
        Of `vaenb.VAEDetector`, to begin with.

    Attributes
    ----------
    series : Series
    plan : StudyPlan
        Which steps are done, and with which settings.
    panel : StudyPanel

    Raises
    ------
    InputError
        If the series or a setting cannot be used.

    Examples
    --------
    >>> import vaenb
    >>> study = Study(vaenb.load_dataset("nyc_taxi"), epochs=1, steps_per_epoch=10)
    >>> study.run()
    >>> study.plan.to_do, len(study.events) > 0
    ((), True)
    >>> study.close()
    """

    def __init__(
        self,
        source: Any,
        *,
        train_end: Any = None,
        verdicts: Any = "auto",
        other_labels: Any = None,
        merge_gap: int | None = None,
        min_length: int = 1,
        **settings: Any,
    ) -> None:
        chosen = checked_settings(settings)
        series = source if isinstance(source, Series) else read_series(source)
        rows = None if train_end is None else find_train_end(train_end, series.index, series.cells)
        plan = StudyPlan({**chosen, "train_end": None if rows == series.train_end else rows})
        plan.choose("threshold", merge_gap=merge_gap, min_length=min_length)
        self.series, self.plan, self._engine = series, plan, Engine()
        path = os.fspath(source) if isinstance(source, str | os.PathLike) else None
        self._keeper = Keeper(series, plan, self._engine, source=path)
        self._begin({"verdicts": verdicts, "other_labels": other_labels}, shown=KEYS[0])

    @classmethod
    def load(cls, path: PathLike, *, verdicts: Any = "auto", other_labels: Any = None) -> Self:
        """Open a study that `Study.save` wrote: nothing in the file is executed, TensorFlow is not needed.

        Parameters
        ----------
        path : path-like
        verdicts, other_labels
            See `vaenb.JudgePanel`.

        Raises
        ------
        BundleError
            If the file holds no study, is damaged, or was written by a newer version.
        """
        study = cls.__new__(cls)
        study._open(path)  # noqa: SLF001 - another constructor
        study._begin({"verdicts": verdicts, "other_labels": other_labels}, shown="threshold")  # noqa: SLF001
        return study

    def _open(self, path: PathLike) -> None:
        saved = read_study(path)
        self.series, self.plan = open_saved(path, saved)
        self._engine, source = Engine(saved, path=path), saved.told.get("source")
        source = None if source is None else str(source)
        self._keeper = Keeper(self.series, self.plan, self._engine, source=source, opened=path)

    def _begin(self, judging: dict[str, Any], *, shown: str) -> None:
        self._is_on_screen, self._judging = False, judging
        self._follows = True  # whether the panel goes with the steps that are done
        self._run = StudyRun(
            self.series,
            self.plan,
            self._engine,
            judging=judging,
            changed=self._draw,
            follow=self._follow,
        )
        self.panel = StudyPanel(self, shown=shown)

    # ------------------------------------------------------------------ what came of it

    @property
    def name(self) -> str:
        """Of the series."""
        return self.series.name

    @property
    def evidence(self) -> Evidence | None:
        """What the panels show; None until step 4 is done."""
        self._run.hear_threshold()
        return self._engine.evidence

    @property
    def detector(self) -> VAEDetector:
        """The fitted detector, with the threshold as it stands now.

        Raises
        ------
        InputError
            If nothing is fitted yet, or, of a saved study, if TensorFlow cannot be imported.
        """
        self._run.hear_threshold()
        return self._engine.detector

    @property
    def threshold(self) -> float:
        """The threshold as it stands now; an `InputError` before step 4."""
        self._run.hear_threshold()
        return float(self._engine.shown.rule.threshold_)

    @property
    def events(self) -> Events:
        """The events as they stand now, on the cells of the series; an `InputError` before step 4."""
        self._run.hear_threshold()
        return self._run.steps.events()

    @property
    def history(self) -> History | None:
        """Of the training."""
        training, evidence = self._engine.training, self._engine.evidence
        if training is not None:
            return training.history
        return None if evidence is None else evidence.history

    # ------------------------------------------------------------------ to go on

    def show(self, step: str | int) -> None:
        """Show a step: 1 to 6, or its name, data, model, training, scores, threshold or judge."""
        self._is_on_screen = True
        self.panel.show_step(as_key(step))

    def run(self, upto: str | int = "judge") -> None:
        """Do all steps that are not done, on the settings as they are, and wait for the end.

        Parameters
        ----------
        upto : str or int
            The last step to do.

        Raises
        ------
        BaseException
            What went wrong.
        """
        self.start(upto)
        self.wait()

    def start(self, upto: str | int = "judge") -> None:
        """As `run`, without waiting; nothing while steps are being done."""
        self._follows = True
        self._run.start(upto)

    def stop(self) -> None:
        """Stop after this step; a training stops at once, and keeps the best weights."""
        self._run.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of what runs; False if `timeout` seconds were not enough.

        Raises
        ------
        BaseException
            What went wrong.
        """
        return self._run.wait(timeout)

    async def finished(self) -> None:
        """Wait for the end: ``await study.finished()`` in a cell keeps "Run All" in order.

        Meanwhile the buttons work. What is not done is started first.

        Raises
        ------
        BaseException
            What went wrong.
        """
        if not self.is_running and self.plan.to_do and not self._run.has_ended:
            self.start()
        await self._run.finished()
        self.panel.catch_up()

    @property
    def is_running(self) -> bool:
        """Whether steps are being done."""
        return self._run.is_running

    @property
    def error(self) -> BaseException | None:
        """What ended the last run, if it failed."""
        return self._run.error

    @property
    def notes(self) -> list[str]:
        """What the last step had to say."""
        return self._engine.notes

    # ------------------------------------------------------------------ for the panel

    @property
    def steps(self) -> StepPanels:
        """The panels of the steps that were opened."""
        return self._run.steps

    def open_step(self, key: str) -> Panel | None:
        """The panel of a step; None where there is nothing to see yet."""
        self._run.hear_threshold()
        panel = self._run.steps[key] if self.plan.can_open(key) else None
        if key == KEYS[0] and not self.plan.has_result(key):
            self._run.look_at_data()
        return panel

    def go_next(self, shown: str) -> None:
        """Do what the button "Next" says."""
        action = self.plan.next_action(shown)
        if action is not None and action.kind == "show":
            self.show(action.step)
        elif action is not None:
            self.start(action.step)

    def choose(self, key: str, settings: dict[str, Any]) -> None:
        """Other settings of a step."""
        self._run.choose(key, settings)

    def stay(self) -> None:
        """A person looks at a step of their own choice: do not go with those that are done."""
        self._follows = False

    def _draw(self) -> None:
        self.panel.draw()

    def _follow(self, step: str) -> None:
        if not self._follows or self._run.has_ended:
            return
        if self._is_on_screen:
            self.panel.show_step(step)
        else:
            self.panel.shown = step  # and made once somebody looks

    # ------------------------------------------------------------------ files

    def save(self, path: PathLike | None = None) -> str:
        """Write detector and evidence into one file, which `Study.load` opens without TensorFlow.

        Parameters
        ----------
        path : path-like, optional
            Without it, ``NAME.vaenb`` in the current folder, and never over a file that is there.

        Returns
        -------
        str
            A sentence with the name and the size of the file.

        Raises
        ------
        InputError
            If the study has not been run, or is out of date.
        OutputError
            If the file cannot be written; what was there before is untouched.
        """
        self._run.check_done("save it")
        return self._keeper.save(path)

    def save_notebook(self, path: PathLike | None = None) -> str:
        """Write a notebook whose cells reproduce what was done.

        Parameters
        ----------
        path : path-like, optional
            Without it, ``NAME_study.ipynb`` in the current folder. A file that is there is never
            overwritten: the next free name is taken.

        Returns
        -------
        str
            A sentence with the name of the file.

        Raises
        ------
        InputError
            If the study has not been run, or is out of date.
        OutputError
            If a file cannot be written.
        """
        self._run.check_done("write a notebook of it")
        return self._keeper.save_notebook(path)

    def code(self) -> str:
        """The lines of Python that give the study again."""
        self._run.hear_threshold()
        return self._keeper.code(self.panel.shown, self._judging)

    # ------------------------------------------------------------------ in a notebook, and the end

    def _ipython_display_(self) -> None:
        if not self._is_on_screen:
            self.show(self.panel.shown)
        self.panel._ipython_display_()

    def __repr__(self) -> str:
        return f"Study of {self.name}: {self.plan.progress()}"

    def snapshot(self) -> str:
        """A static picture of what is on screen, as HTML."""
        return self.panel.snapshot()

    def close(self) -> None:
        """Stop what runs, and close all panels. Twice does no harm."""
        self.panel.close()

    def end(self) -> None:
        """The panel is being closed: stop, wait for the step that runs, and close the panels of the steps."""
        self._run.end()
