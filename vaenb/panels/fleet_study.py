"""The study of one series of a fleet: opened in a thread, as the run has left it, else untrained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vaenb.engine import Engine
from vaenb.errors import InputError
from vaenb.fleet.opening import NotKeptError, open_member, read_member
from vaenb.panels.worker import Worker
from vaenb.study import Study
from vaenb.study_file import StudyFile
from vaenb.study_keeping import Keeper, open_saved
from vaenb.view_models.fleet import DONE, FAILED

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

    from vaenb.fleet.folder import Run
    from vaenb.fleet.opening import Opened
    from vaenb.fleet.sources import Member

_FAILED = "{name!r} failed: {reason}"
_UNTRAINED = "Below is its study, untrained, with the settings of the run."
_WAITING = "{name!r} is not done yet. Below is its study, untrained."


class FleetStudy(Study):
    """A study with all steps done, by the detector that a run over many series has kept.

    Parameters
    ----------
    opened : Opened
    source : str or None
        The path of the series, where a line of Python can read it again.
    """

    def __init__(self, opened: Opened, *, source: str | None = None) -> None:
        # Not as a study begins: nothing is chosen, all is done.
        history = opened.evidence.history
        told = {"source": source, "runs": [len(history)] if len(history) else []}
        saved = StudyFile(evidence=opened.evidence, detector=opened.detector, told=told)
        self.series, self.plan = open_saved(opened.path, saved)
        self._engine = Engine(saved, path=opened.path)
        self._engine.decode = opened.decode
        self._keeper = Keeper(self.series, self.plan, self._engine, source=source)
        self._begin({"verdicts": "auto", "other_labels": None}, shown="threshold")


class Found(NamedTuple):
    """What came of opening a series: a study or none, and a sentence or none."""

    study: Study | None
    note: str


def find_study(run: Run, member: Member | None, row: Mapping[str, Any]) -> Found:
    """The study of a series, drawn at its first step; it takes seconds and belongs in a thread.

    Parameters
    ----------
    run : Run
    member : Member or None
        None where nobody knows where the series is.
    row : mapping
        Of the summary.
    """
    name, before = row["series"], _said_before(row)
    if member is None:
        why = run.why_not or "it is not among the series of the source any more."
        return Found(None, f"{before} The series {name!r} cannot be read: {why}".strip())
    try:
        series = read_member(run, member)
    except (InputError, OSError) as error:
        return Found(None, before or f"{name!r} cannot be read: {error}")
    source = member.path if member.key is None and not run.read else None
    note = f"{before} {_UNTRAINED}" if row["status"] == FAILED else before
    if row["status"] == DONE:
        try:
            return _shown(FleetStudy(open_member(run, member, series), source=source), "")
        except (NotKeptError, InputError, OSError) as error:
            note = str(error)
    study = Study(series, **(run.settings or {}))
    return _shown(study, note)


def _said_before(row: Mapping[str, Any]) -> str:
    if row["status"] == FAILED:
        return _FAILED.format(name=row["series"], reason=row.get("reason") or "nobody knows why.")
    return "" if row["status"] == DONE else _WAITING.format(name=row["series"])


def _shown(study: Study, note: str) -> Found:
    """Make the panel of the first step here, where it does not hold up the kernel."""
    study.show(study.panel.shown)
    return Found(study, note)


class Opener:
    """Opens one series at a time in a thread; where several are asked for, only the last one is shown.

    Parameters
    ----------
    look : callable
        Opens a series by its name; called in the thread.
    put : callable
        Called in the thread with the name and what came of it.
    lock : threading.RLock
    """

    def __init__(
        self,
        look: Callable[[str], Found],
        put: Callable[[str, Found], None],
        lock: threading.RLock,
    ) -> None:
        self._look, self._put, self._lock = look, put, lock
        self._worker = Worker(lambda _, __: None)
        self._wanted = ""
        self._is_busy = self._has_ended = False

    def open(self, name: str) -> None:
        """Open a series, in place of one that is being opened."""
        with self._lock:
            if self._has_ended:
                return
            self._wanted = name
            if self._is_busy:
                return
            self._is_busy = True
        self._worker.wait()  # for a thread that has only to end
        self._worker.start(lambda _: self._open_all())

    def forget(self) -> None:
        """What is being opened is not wanted any more."""
        self._wanted = ""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is being opened."""
        return self._worker.wait(timeout)

    def end(self, timeout: float) -> None:
        """Open nothing any more, and wait for what is being opened."""
        with self._lock:
            self._has_ended, self._wanted = True, ""
        self._worker.wait(timeout)

    def _open_all(self) -> None:
        while name := self._next():
            found = self._found(name)
            with self._lock:
                is_wanted = name == self._wanted
                self._wanted = "" if is_wanted else self._wanted
            if is_wanted:
                self._put(name, found)
            elif found.study is not None:
                found.study.close()

    def _next(self) -> str:
        with self._lock:
            self._is_busy = bool(self._wanted)
            return self._wanted

    def _found(self, name: str) -> Found:
        try:
            return self._look(name)
        except Exception as error:  # noqa: BLE001 - whatever it is, the panel says it
            return Found(None, f"{name!r} cannot be opened: {type(error).__name__}: {error}")
