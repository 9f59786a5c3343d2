"""Many series: a table of all, worst first, that lives while they are done; a click opens a study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vaenb.errors import InputError
from vaenb.fleet.folder import Run
from vaenb.fleet.opening import read_scores
from vaenb.panels.base import Panel, guarded
from vaenb.panels.cells import forget
from vaenb.panels.fleet_controls import Head, StudySlot
from vaenb.panels.fleet_run import FleetRun
from vaenb.panels.fleet_study import Found, Opener, find_study
from vaenb.panels.fleet_table import FleetGrid
from vaenb.panels.kernel import hear_interrupts
from vaenb.panels.lab_comm import follow_in_lab, touch_in_lab
from vaenb.panels.pace import Pace
from vaenb.panels.worker import interrupt_all
from vaenb.view_models.fleet_code import fleet_code
from vaenb.view_models.fleet_picture import fleet_picture
from vaenb.view_models.fleet_spark import Sparks

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import pandas as pd

    from vaenb.fleet.groups import Grouping
    from vaenb.fleet.sources import Source
    from vaenb.study import Study

_LAST_SERIES = 10.0  # seconds that closing waits for the series that is being done


class FleetPanel(Panel):
    """Find the events of many series, and look at each.

    A table of all series, the worst first, with their scores as small pictures. It lives while the run does,
    in a thread of its own; Stop, or the kernel's interrupt, ends it after the series that is being done, and
    Go on continues, today or tomorrow. A click, or Enter, on a row opens the `vaenb.Study` of that series
    beneath the table, with the scores and the threshold of the run.

    Parameters
    ----------
    source : path, str or Dask DataFrame, optional
        See `vaenb.fleet.detect_many`. Without it, what the folder `out` tells.
    out : path, optional
        The folder of the run, which may be finished or half done. Without it, one named after the source, as
        `vaenb detect` takes: ``plant_anomalies``.
    key : str, optional
    read, settings : mapping, optional
        See `vaenb.fleet.detect_many`. Without them, those of the run in `out`.
    group : mapping or callable, optional
        The group of each series, to begin a run in which those of one group share a detector. A run that has
        begun knows its groups.
    workers : int
        Processes; 1 works in this one.

    Attributes
    ----------
    table : FleetTable
        The rows as they are shown.
    opened : Study or None
        The study that is open.
    error : BaseException or None
        What ended the last run, if it failed.

    Raises
    ------
    InputError
        If there is no series, one without a group, no run where one is expected, or `out` holds the results
        of other settings.

    Notes
    -----
    A run that begins here keeps the detectors, about 0.2 MB a series, so that a study opens without training.

    Examples
    --------
    >>> import tempfile, numpy as np, pandas as pd
    >>> folder = tempfile.mkdtemp()
    >>> for name in ("pump", "fan"):
    ...     pd.DataFrame({"value": np.sin(np.arange(400) / 5)}).to_csv(f"{folder}/{name}.csv", index=False)
    >>> brief = {"epochs": 1, "steps_per_epoch": 2, "window_size": 16}
    >>> panel = FleetPanel(f"{folder}/*.csv", out=f"{folder}/found", settings=brief)
    >>> len(panel.wait()), panel.table.count("done")
    (2, 2)
    >>> panel.open_study("pump", wait=True)
    >>> panel.opened.evidence is None
    False
    >>> panel.close()
    """

    title = "fleet"

    def __init__(
        self,
        source: Source | None = None,
        out: str | os.PathLike[str] | None = None,
        *,
        key: str | None = None,
        read: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        group: Grouping | None = None,
        workers: int = 1,
    ) -> None:
        run = Run.of(source, out, key=key, read=read, settings=settings, group=group)
        members = run.members()
        super().__init__()
        self._told: dict[str, Any] = {"out": out and str(out), "key": key, "read": dict(read or {})}
        self._told |= {"settings": dict(settings or {}), "workers": None if workers == 1 else workers}
        self._source, self.run = source, run
        self._runner = FleetRun(run, workers=workers, lock=self.lock, changed=self._soon, ended=self._on_end)
        self._runner.know(members)
        self.table, self.progress = self._runner.table, self._runner.progress
        self.opened: Study | None = None
        self._name, self._is_on_screen = "", False
        self._sparks = Sparks(lambda name: read_scores(run.output, name, ("score",))["score"])
        self._opener, self._pace = Opener(self._look, self._put, self.lock), Pace(self.draw_live)
        self._lay_out()
        self._draw()

    def _lay_out(self) -> None:
        self._head = Head(start=self._on_start, stop=self._on_stop, query=self._on_query)
        self._grid = FleetGrid(
            self.table, self._sparks, lock=self.lock, on_open=self._on_open, on_sort=self._on_sort
        )
        self._slot = StudySlot(close=self._on_close_study)
        self.add_class("vaenb-fleet")
        self.show(*self._head.rows, self._grid, self._slot.box)
        hear_interrupts(interrupt_all)

    # ------------------------------------------------------------------ the run

    @property
    def error(self) -> BaseException | None:
        """What ended the last run, if it failed."""
        return self.progress.error

    @property
    def summary(self) -> pd.DataFrame:
        """A row for each series that is done, the worst first; see `vaenb.fleet.detect_many`."""
        return self.run.output.table(self.table.names)

    def start(self) -> None:
        """Start, or go on; nothing while a run is on. What has failed is tried again.

        Raises
        ------
        InputError
            If the panel was closed, or the folder does not tell how to go on.
        """
        with self.lock:
            if self.is_closed:
                raise InputError("This panel was closed: make a new FleetPanel, and start that one.")
            if self._runner.worker.is_running:
                return
            if self.run.why_not:
                raise InputError(self.run.why_not)
            self._runner.start()
            self._draw()

    def stop(self) -> None:
        """Stop after the series that is being done. It does not wait for the end: see `wait`."""
        self._runner.stop()
        with self.lock:
            self._draw()

    def wait(self, timeout: float | None = None) -> pd.DataFrame | None:
        """Wait for the end, in a script; a run that nobody has started is started.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Returns
        -------
        DataFrame or None
            The summary; None where `timeout` was not enough.

        Raises
        ------
        BaseException
            What ended the run, if it failed.
        """
        self._start_unstarted()
        return self._outcome() if self._runner.worker.wait(timeout) else None

    async def finished(self) -> pd.DataFrame:
        """Wait for the end: ``await panel.finished()`` in a cell keeps "Run All" in order.

        Meanwhile the table answers. A run that nobody has started is started; the kernel's interrupt stops
        it, and the next cell runs.

        Raises
        ------
        BaseException
            What ended the run, if it failed.
        """
        self._start_unstarted()
        await self._runner.worker.finished()
        self.catch_up()
        return self._outcome()

    def _start_unstarted(self) -> None:
        if self._runner.waits and not self.is_closed:
            self.start()

    def _outcome(self) -> pd.DataFrame:
        if self.error is not None:
            raise self.error
        return self.summary

    def _soon(self) -> None:
        self._pace()

    def _on_end(self, error: BaseException | None) -> None:
        """In the thread of the run."""
        self.draw_live()
        with self.lock:
            if error is not None and not self.is_closed:
                self.say_error(error)

    # ------------------------------------------------------------------ the table

    def sort(self, column: str, *, descending: bool | None = None) -> None:
        """Sort by a column: series, status, n_events, worst_severity, flagged or n_points.

        Parameters
        ----------
        column : str
        descending : bool, optional
            Without it numbers are sorted from the highest down, and a second time the other way.

        Raises
        ------
        InputError
            If there is no such column.
        """
        with self.lock:
            self.table.sort(column, descending=descending)
            self._draw()

    def filter(self, query: str) -> None:
        """Show only the series with some text in their names, in any case; "" shows all."""
        with self.lock:
            self.table.filter(query)
            self._draw()

    # ------------------------------------------------------------------ one series

    def open_study(self, name: str, *, wait: bool = False) -> None:
        """Open the study of a series beneath the table, in place of the one before.

        Parameters
        ----------
        name : str
        wait : bool
            Whether to wait until it is there.

        Raises
        ------
        InputError
            If there is no such series, or the panel was closed.
        """
        with self.lock:
            if self.is_closed:
                raise InputError("This panel was closed: make a new FleetPanel, and open the series there.")
            self.table[name]  # or there is none
            self._slot.tell(f"Opening {name} …", busy=True)
        self._opener.open(name)
        if wait:
            self._opener.wait()

    def close_study(self) -> None:
        """Close the study that is open; JupyterLab's side panel forgets it."""
        self._opener.forget()
        self._put("", Found(None, ""))

    def _look(self, name: str) -> Found:
        """In the thread that opens."""
        with self.lock:
            member, row = self._runner.members.get(name), self.table[name]
        return find_study(self.run, member, row)

    def _put(self, name: str, found: Found) -> None:
        """Show what was opened, and close what was there; any thread."""
        study = found.study
        with self.lock:
            if self.is_closed:  # meanwhile
                before = study
            else:
                before, self.opened, self._name = self.opened, study, name
                self._slot.put(None if study is None else study.panel, name, found.note)
                self._draw()
            if study is not None:
                forget(study.panel)
                study.panel.holder = self
        if before is not None:
            before.close()
            touch_in_lab(before.panel)
        self._follow()

    def _follow(self) -> None:
        """Have JupyterLab's side panel show the events of the study that is open."""
        study = self.opened
        if study is not None and self._is_on_screen:
            follow_in_lab(study.panel)

    def _ipython_display_(self) -> None:
        super()._ipython_display_()
        self._is_on_screen = True
        self._follow()

    # ------------------------------------------------------------------ gestures

    @guarded
    def _on_start(self, _: Any) -> None:
        self.start()

    @guarded
    def _on_stop(self, _: Any) -> None:
        self.stop()

    @guarded
    def _on_query(self, query: str) -> None:
        self.filter(query)

    @guarded
    def _on_sort(self, column: str) -> None:
        self.sort(column)

    @guarded
    def _on_open(self, name: str) -> None:
        self.open_study(name)

    @guarded
    def _on_close_study(self, _: Any) -> None:
        self.close_study()

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        self._head.draw(self.progress, self.table.query)
        self._grid.opened = self._name
        self._grid.draw()
        self.refresh_code()

    def code(self) -> str:
        """The lines of Python that give what is on screen."""
        given = {"source": self._source, "opened": self._name, **self._told}
        is_to_group = self.run.group is not None and self.run.output.mark is None
        return fleet_code(self.table, is_to_group=is_to_group, **given)

    def picture(self) -> str:
        """What is on screen as a static SVG with alternative text."""
        study = "" if self.opened is None else self.opened.panel.picture()
        return fleet_picture(self.table, self.progress, self._sparks, study=study)

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Stop the run, wait for the series that is being done, and close the panel and the study in it."""
        if self.is_closed:
            return
        self._runner.stop()
        self._opener.end(_LAST_SERIES)
        self._runner.worker.wait(_LAST_SERIES)
        self._pace.end()
        self._put("", Found(None, ""))
        super().close()
