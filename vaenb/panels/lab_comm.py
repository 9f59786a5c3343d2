"""The wire to JupyterLab's side panel "Anomalies": a comm of our own, silent until somebody listens.

The kernel registers the comm without opening it. JupyterLab finds it with ``comm_info``, also after its page
was loaded again, and says "hello"; other front ends never hear of it. From then on each change of a panel
with events is told, at most ten times a second, until "bye".
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

from vaenb.panels.kernel import running_kernel
from vaenb.panels.pace import Pace

if TYPE_CHECKING:
    from vaenb.panels.base import Panel

TARGET: Final = "vaenb.events"
VERDICTS: Final = {"anomaly", "normal", "unsure", ""}
_A_SECOND: Final = 10.0
_PATIENCE: Final = 0.02  # seconds: never in the thread that draws


class Wire:
    """What is told of the panels on screen, and what is heard.

    Parameters
    ----------
    comm : Comm
        Registered, not opened.
    """

    def __init__(self, comm: Any) -> None:
        self._comm = comm
        self._lock = threading.Lock()
        self._shown: list[weakref.ref[Panel]] = []  # the last one is told
        self._clients: set[str] = set()
        self._pace = Pace(self._tell, per_second=_A_SECOND, patience=_PATIENCE)
        comm.on_msg(self.hear)

    @property
    def panels(self) -> list[Panel]:
        """The panels on screen, the one that is told first."""
        found = [panel() for panel in reversed(self._shown)]
        return [panel for panel in found if panel is not None and not panel.is_closed]

    def show(self, panel: Panel) -> None:
        """A panel is on screen, or its threshold was moved: it is the one that is told."""
        with self._lock:
            is_new = not self._knows(panel)
            self._shown = [each for each in self._shown if each() not in {None, panel}]
            self._shown.append(weakref.ref(panel))
        on_threshold = getattr(panel, "on_threshold", None)
        if is_new and on_threshold is not None:
            on_threshold(lambda _: self.show(panel))
        self.touch(panel)

    def touch(self, panel: Panel) -> None:
        """A panel has changed."""
        if self._clients and self._knows(panel):
            self._pace()

    def _knows(self, panel: Panel) -> bool:
        return any(each() is panel for each in self._shown)

    # ------------------------------------------------------------------ to JupyterLab

    def _source(self) -> tuple[Panel, Any] | None:
        from vaenb.panels.lab_sources import source_of

        panels = self.panels
        return (panels[0], source_of(panels[0], panels[1:])) if panels else None

    def _tell(self) -> None:
        found = self._source()
        self._comm.send({"kind": "study", "study": None if found is None else self._study(*found)})

    @staticmethod
    def _study(panel: Panel, source: Any) -> dict[str, Any] | None:
        events = source.events()
        if events is not None:
            return {"panel": panel.model_id, **events.told()}
        told = {"name": panel.title, "words": source.words(), "told": "", "threshold": None}
        return {"panel": panel.model_id, **told, "count": 0, "canJudge": False, "events": []}

    # ------------------------------------------------------------------ from JupyterLab

    def hear(self, message: dict[str, Any]) -> None:
        """Do what a message says; one that makes no sense is left alone."""
        said = message.get("content", {}).get("data", {})
        kind, client = said.get("kind"), str(said.get("client", ""))
        if kind == "bye":
            self._clients.discard(client)
        elif kind == "hello":
            self._clients.add(client)
            self._pace()
        elif kind in {"go", "judge"} and isinstance(said.get("start"), int):
            self._do(kind, said["start"], int(said.get("stop", said["start"])), said.get("verdict", ""))

    def _do(self, kind: str, start: int, stop: int, verdict: str) -> None:
        found = self._source()
        if found is None or verdict not in VERDICTS:
            return
        panel, source = found
        # Under the lock, and an error becomes a line in the panel.
        panel.carry_out(
            lambda: source.go(start, stop) if kind == "go" else source.judge(start, stop, verdict)
        )
        self._pace()


_wires: dict[int, Wire] = {}


def _wire() -> Wire | None:
    """The wire of this kernel; None where there is no kernel."""
    kernel = running_kernel()
    if kernel is None:
        return None
    if id(kernel) not in _wires:
        from comm import create_comm, get_comm_manager

        made = create_comm(target_name=TARGET, primary=False)
        get_comm_manager().register_comm(made)
        _wires[id(kernel)] = Wire(made)
    return _wires[id(kernel)]


def show_in_lab(panel: Panel) -> None:
    """A panel is on screen: where it has events, the side panel follows it."""
    if panel.has_events and panel.holder is None:
        follow_in_lab(panel)


def follow_in_lab(panel: Panel) -> None:
    """The side panel follows a panel, also one that stands in another."""
    wire = _wire()
    if wire is not None:
        wire.show(panel)


def touch_in_lab(panel: Panel) -> None:
    """A panel has changed; nothing where nobody listens."""
    for wire in _wires.values():
        wire.touch(panel)
