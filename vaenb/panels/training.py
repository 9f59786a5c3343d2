"""Step 3: a training that is watched, stopped, continued and looked through again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from vaenb.errors import InputError
from vaenb.panels.base import Panel, guarded
from vaenb.panels.echo import Echo
from vaenb.panels.kernel import hear_interrupts
from vaenb.panels.pace import Pace
from vaenb.panels.training_controls import Head, Scrubber
from vaenb.panels.training_figures import CloudPlot, CurvePlot, ErrorPlot, KlPlot, Plot, WindowPlot
from vaenb.panels.training_picture import training_picture
from vaenb.panels.worker import Worker, interrupt_all
from vaenb.report.plots import TRAINING_CURVES
from vaenb.view_models.training import TrainingView
from vaenb.view_models.training_code import panel_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from numpy.typing import ArrayLike

    from vaenb.evidence import EpochFrame, Evidence
    from vaenb.records import EpochRecord, History

_LAST_STEP = 10.0  # seconds that closing waits for the step that runs


class TrainingPanel(Panel):
    r"""Watch a training: its curves, its latent dimensions, one window, the latent cloud and the errors.

    The training runs in a thread of its own, so that the cell returns at once. Afterwards a slider goes
    back through the epochs.

    Parameters
    ----------
    train : callable
        ``train(*, epochs, on_epoch, on_frame, stop) -> History``, such as `vaenb.watch_training` makes. It
        calls `on_epoch` with an `EpochRecord` and `on_frame` with an `EpochFrame` after each epoch, ends
        soon after the event `stop` is set, and leaves the best weights in the model. Called again it
        goes on: so many epochs more, whose numbers follow those before. The history is of all epochs.
    epochs : int
        How many Start, and each Continue, asks for.
    window : array_like, shape (window_size, n_channels), optional
        The pinned window in the series' units; by default ``train.window``, where there is one.
    index : array_like, shape (window_size,), optional
        The moments of its points; by default ``train.index``, or 0, 1, 2, ...
    channels : sequence of str
        By default ``train.channels``.
    code : str
        The lines of Python that make `train`, as ``training``; by default ``train.code``.
    title : str

    Attributes
    ----------
    view : TrainingView
    history : History or None
        Of all epochs, once a training has ended.
    error : BaseException or None
        What ended the last training, if it failed.

    Raises
    ------
    InputError
        If the window, its index and the channels do not fit together.

    Notes
    -----
    What stops a training, and keeps the best weights, in JupyterLab:

    ============================================  ==============  ==============  ==============
    \                                             ipykernel 6.31  ipykernel 7.3   ipykernel 7.4
    ============================================  ==============  ==============  ==============
    the button Stop, no cell running              yes             yes             yes
    the button Stop, during ``await``             yes             yes             yes
    the button Stop, during ``panel.wait()``      no              yes             no
    ``panel.stop()`` in a cell                    yes             yes             yes
    the kernel's interrupt, no cell running       yes             yes             yes
    the kernel's interrupt, during ``await``      yes             yes             yes
    the kernel's interrupt, ``panel.wait()``      yes             yes             yes
    closing the panel, running its cell again     yes             yes             yes
    ============================================  ==============  ==============  ==============

    An interrupt of another cell ends that cell, and the training goes on.

    Examples
    --------
    >>> import numpy as np
    >>> from vaenb.records import EpochRecord, History
    >>> def train(*, epochs, on_epoch, on_frame, stop):
    ...     none = np.zeros(2)
    ...     records = [
    ...         EpochRecord(
    ...             epoch=e, elbo=-9.0 / e, reconstruction=-8.0 / e, kl=1.0 / e, kl_per_dim=none,
    ...             active_units=1, kl_weight=1.0, seconds=0.1,
    ...         )
    ...         for e in range(1, epochs + 1)
    ...     ]
    ...     for record in records:
    ...         on_epoch(record)
    ...     return History(epochs=tuple(records), best_epoch=epochs, stopped="finished")
    >>> panel = TrainingPanel(train, epochs=3)
    >>> panel.start()
    >>> panel.wait().best_epoch
    3
    >>> panel.close()
    """  # fmt: skip

    title = "training"

    def __init__(
        self,
        train: Callable[..., History] | None,
        *,
        epochs: int = 30,
        window: ArrayLike | None = None,
        index: ArrayLike | None = None,
        channels: Sequence[str] = (),
        code: str = "",
        title: str = "Training",
    ) -> None:
        given = window is not None
        self._begin(
            TrainingView(
                epochs,
                window=window if given else getattr(train, "window", None),
                index=index if given or index is not None else getattr(train, "index", None),
                channels=channels or (() if given else getattr(train, "channels", ())),
            ),
            train,
            title=title,
            code=code or getattr(train, "code", ""),
        )

    @classmethod
    def of(cls, evidence: Evidence, *, title: str = "Training") -> Self:
        """A training that is over, as a study has kept it: to be looked through, without TensorFlow."""
        panel = cls.__new__(cls)
        panel._begin(TrainingView.of(evidence), None, title=title, code="")  # noqa: SLF001 - another constructor
        return panel

    def _begin(
        self, view: TrainingView, train: Callable[..., History] | None, *, title: str, code: str
    ) -> None:
        Panel.__init__(self)
        self.view, self._train, self.title, self._setup = view, train, title, code
        self._worker, self._pace = Worker(self._on_end), Pace(self._draw_when_seen)
        self._echo = Echo()
        self._head = Head(view, is_live=train is not None)
        self._scrubber = Scrubber(view, self._on_epoch_chosen, self._on_channel_chosen)
        self._head.start.on_click(self._on_start)
        self._head.stop.on_click(self._on_stop)
        self._plots: list[Plot] = [CurvePlot(name) for name in TRAINING_CURVES]
        self._plots += [WindowPlot(), KlPlot(), CloudPlot(), ErrorPlot()]
        grid = widgets.Box([plot.box for plot in self._plots])
        grid.add_class("vaenb-training-grid")
        self.add_class("vaenb-training")
        self.show(*self._head.rows, grid, self._scrubber.row)
        hear_interrupts(interrupt_all)
        self._draw()

    # ------------------------------------------------------------------ for scripts and cells

    @property
    def history(self) -> History | None:
        """The record of all epochs, once a training has ended."""
        return self.view.history

    @property
    def error(self) -> BaseException | None:
        """What ended the last training, if it failed."""
        return self.view.error

    def start(self, epochs: int | None = None) -> None:
        """Start, or go on for so many epochs more; nothing while a training runs.

        Raises
        ------
        InputError
            If the panel was closed, or shows a training that is over and has no model.
        """
        with self.lock:
            if self.is_closed or self._train is None:
                why = "was closed" if self.is_closed else "shows a training that is over, without its model"
                raise InputError(f"This panel {why}: make a new TrainingPanel, and start that one.")
            if self._worker.is_running:
                return
            train, asked = self._train, self.view.begin(epochs)
            self._worker.start(
                lambda stop: train(epochs=asked, on_epoch=self._on_epoch, on_frame=self._on_frame, stop=stop)
            )
            self._draw()

    def stop(self) -> None:
        """Stop after this step, and keep the best weights. It does not wait for the end: see `wait`."""
        self._worker.stop()
        with self.lock:
            self.view.stop()
            self._draw()

    def wait(self, timeout: float | None = None) -> History | None:
        """Wait for the end, in a script; a training that nobody has started is started.

        Ctrl-C, or the kernel's interrupt, stops the training and keeps what was learnt.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Returns
        -------
        History or None
            None where `timeout` was not enough.

        Raises
        ------
        BaseException
            What the training has raised, if it failed.
        """
        self._start_unstarted()
        return self._outcome() if self._worker.wait(timeout) else None

    async def finished(self) -> History | None:
        """Wait for the end: ``await panel.finished()`` in a cell keeps "Run All" in order.

        Meanwhile the buttons work. A training that nobody has started is started; the kernel's interrupt
        stops it and keeps what was learnt, and the next cell runs.

        Raises
        ------
        BaseException
            What the training has raised, if it failed.
        """
        self._start_unstarted()
        await self._worker.finished()
        self.catch_up()
        return self._outcome()

    def _start_unstarted(self) -> None:
        if self.view.state == "ready" and not self.is_closed:
            self.start()

    def _outcome(self) -> History | None:
        if self.view.error is not None:
            raise self.view.error
        return self.view.history

    def show_epoch(self, epoch: int | None) -> None:
        """Look at an epoch; None: the newest one, and after the end the best one."""
        with self.lock:
            self.view.show(epoch)
            self._draw()

    def show_channel(self, name: str) -> None:
        """Draw another channel of the pinned window."""
        with self.lock:
            self.view.show_channel(name)
            self._draw()

    def code(self) -> str:
        """The lines of Python that give what is on screen."""
        if self._train is None:
            return panel_code(self.view, self._setup, made="TrainingPanel.of(evidence)")
        return panel_code(self.view, self._setup)

    def picture(self) -> str:
        """What is on screen as a static SVG with alternative text."""
        return training_picture(self.view, self.title)

    # ------------------------------------------------------------------ what the thread says

    def _on_epoch(self, record: EpochRecord) -> None:
        with self.lock:
            self.view.add_record(record)
        self._pace()

    def _on_frame(self, frame: EpochFrame) -> None:
        with self.lock:
            self.view.add_frame(frame)
        self._pace()

    def _on_end(self, history: History | None, error: BaseException | None) -> None:
        with self.lock:
            if history is not None:
                self.view.end(history, interrupted=self._worker.was_interrupted)
            else:
                self.view.fail(error or InputError("train returned no History; expected one."))
            self.draw_live()

    # ------------------------------------------------------------------ gestures

    @guarded
    def _on_start(self, _: Any) -> None:
        self.start(self._head.epochs.value)

    @guarded
    def _on_stop(self, _: Any) -> None:
        self.stop()

    @guarded
    def _on_epoch_chosen(self, epoch: int | None) -> None:
        self.show_epoch(epoch)

    @guarded
    def _on_channel_chosen(self, name: str) -> None:
        self.show_channel(name)

    # ------------------------------------------------------------------ drawing

    def _draw_when_seen(self) -> None:
        """Draw, or wait a little where the browser has not come to what it was sent before."""
        if self._echo.is_behind:
            self._pace()
            return
        self.draw_live()
        self._echo.sent()

    def _draw(self) -> None:
        self._head.draw(self.view)
        for plot in self._plots:
            plot.draw(self.view)
        self._scrubber.draw(self.view)
        self.refresh_code()
        self.changed()

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """Stop the training, wait for the step that runs, and close the panel."""
        if self.is_closed:
            return
        self._worker.stop()
        self._worker.wait(_LAST_STEP)
        self._pace.end()
        self._echo.close()
        self._head.close()
        self._scrubber.close()
        super().close()
