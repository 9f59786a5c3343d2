"""Five small real series with labels, to learn on. Their origins and licences are in ATTRIBUTION.md."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

from vaenb.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from vaenb.records import Series


def load_dataset(name: str) -> Series:
    """Load one of the bundled series, with its labels and its training part.

    Parameters
    ----------
    name : str
        "nyc_taxi", "machine_temperature", "toy_daily", "ecg_pvc" or "server_metrics"; see `list_datasets`.

    Returns
    -------
    Series
        Its training part carries no label 1; `Series.credit` names its source and licence.

    Raises
    ------
    InputError
        If there is no such series.

    Warnings
    --------
    Labels are what somebody wrote down. In "nyc_taxi" at least seven more days are as odd as the five
    labelled events (Wu & Keogh 2021), one of them in the training part.

    Examples
    --------
    >>> series = load_dataset("nyc_taxi")
    >>> len(series), series.channels, series.train_end
    (10320, ('value',), 5160)
    """
    from vaenb.reading import read_series

    found = _catalogue().get(name)
    if found is None:
        raise InputError(f"There is no dataset {name!r}; expected one of: {', '.join(_catalogue())}.")
    with as_file(files(__name__) / found["file"]) as path:
        series = read_series(path, train_end=found["train_end"], name=name)
    return replace(
        series, interval=found["interval_s"], credit=f"{found['credit']}; licence: {found['licence']}"
    )


def list_datasets() -> pd.DataFrame:
    """List the bundled series.

    Returns
    -------
    DataFrame
        One row for each series, with the columns name, rows, channels, shows and licence.

    Examples
    --------
    >>> list_datasets()["name"].tolist()
    ['nyc_taxi', 'machine_temperature', 'toy_daily', 'ecg_pvc', 'server_metrics']
    """
    import pandas as pd

    columns = ["name", "rows", "channels", "shows", "licence"]
    return pd.DataFrame(
        [[found[column] for column in columns] for found in _catalogue().values()], columns=columns
    )


def _catalogue() -> dict[str, dict[str, Any]]:
    """What is known of each series, by name."""
    found = json.loads((files(__name__) / "meta.json").read_text(encoding="utf-8"))
    return {entry["name"]: entry for entry in found}
