"""A fleet panel as lines of Python. NumPy ring."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from vaenb.view_models.study_code import setting_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vaenb.view_models.fleet import FleetTable


def fleet_code(table: FleetTable, *, source: Any, opened: str, is_to_group: bool = False, **told: Any) -> str:
    """The lines that give what is on screen.

    Parameters
    ----------
    table : FleetTable
    source : path, Dask DataFrame or None
    opened : str
        The name of the series whose study is open; empty without one.
    is_to_group : bool
        Whether groups were given to a run that has not begun: of a plant they are too many to write out.
    **told
        Further arguments of `vaenb.FleetPanel`; what is None or empty is left out.
    """
    is_frame = hasattr(source, "dask")
    given = [] if source is None else ["frame" if is_frame else repr(os.fspath(source))]
    given += [
        f"{name}={_dict(value) if isinstance(value, dict) else repr(value)}"
        for name, value in told.items()
        if value not in (None, {})
    ]
    lines = ["import vaenb", "", *(["# frame: your Dask DataFrame"] if is_frame else [])]
    if is_to_group:
        given.append("group=group")
        lines.append("# group: the name of the group of each series, by its name")
    lines.append(f"panel = vaenb.FleetPanel({', '.join(given)})")
    if (table.sorted_by, table.descending) != ("worst_severity", True):
        lines.append(f"panel.sort({table.sorted_by!r}, descending={table.descending})")
    if table.query:
        lines.append(f"panel.filter({table.query!r})")
    if opened:
        lines.append(f"panel.open_study({opened!r})")
    return "\n".join([*lines, "panel"])


def _dict(settings: Mapping[str, Any]) -> str:
    return f"{{{', '.join(f'{name!r}: {setting_code(value)}' for name, value in settings.items())}}}"
