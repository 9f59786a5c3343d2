"""Which panel stands under which cell: running a cell again replaces the panel that it made before."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vaenb.panels.base import Panel


class _Run(NamedTuple):
    cell: str
    execution: str


_made: list[tuple[_Run, weakref.ref[Panel]]] = []


def _this_run() -> _Run | None:
    """The cell that is being run, and which run of it; None outside a notebook."""
    try:
        from IPython import get_ipython
    except ImportError:
        return None
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return None
    parent = kernel.get_parent("shell") or {}
    cell = (parent.get("metadata") or {}).get("cellId")
    return _Run(cell, parent["header"]["msg_id"]) if cell else None


def replace_in_cell(panel: Panel) -> None:
    """Close the panels that an earlier run of the same cell made, and remember this one."""
    run = _this_run()
    if run is None:
        return
    for before, known in list(_made):
        old = known()
        if old is None or (before.cell == run.cell and before.execution != run.execution):
            _made.remove((before, known))
            if old is not None:
                old.close()
    _made.append((run, weakref.ref(panel)))


def forget(panel: Panel) -> None:
    """A panel that stands in another one ends with that, and not with a cell."""
    _made[:] = [(run, known) for run, known in _made if known() is not panel]
