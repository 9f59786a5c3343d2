"""``vaenb detect`` of many series, or of one that is larger than memory. NumPy ring."""

from __future__ import annotations

import json
import sys
from glob import has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaenb.errors import InputError
from vaenb.fleet import detect_large, detect_many
from vaenb.fleet.folder import folder_named_after
from vaenb.formats import counted, number
from vaenb.reading.tables import stem_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

MOST_SHOWN = 10
LARGE_VALUES = 20_000_000  # of a Parquet file: more of them are not read at once
LARGE_BYTES = {True: 150_000_000, False: 500_000_000}  # of a CSV file, whether it is compressed


def are_many(source: str, key: str | None) -> bool:
    """Whether what was named is more than one file."""
    path = Path(source)
    return key is not None or path.is_dir() or (has_magic(source) and not path.exists())


def is_large(source: str) -> bool:
    """Whether a file is read part by part, so that it need not fit into memory."""
    path = Path(source)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PAR1":
        from vaenb.reading.pieces import open_parquet

        with open_parquet(path) as opened:
            return bool(opened.metadata.num_rows * opened.metadata.num_columns > LARGE_VALUES)
    return path.stat().st_size > LARGE_BYTES[start.startswith(b"\x1f\x8b")]


def detect_large_in_terminal(
    source: str, out: Path | None, *, read: Mapping[str, Any], settings: Mapping[str, Any], as_json: bool
) -> None:
    """Find the events of one long series, with a progress bar in rows, and tell the worst.

    Raises
    ------
    InputError, OutputError
        See `vaenb.fleet.detect_large`.
    """
    from tqdm import tqdm

    name = stem_of(Path(source))
    folder = out or Path(f"{name}_anomalies")
    with tqdm(unit="row", unit_scale=True, disable=as_json, file=sys.stderr, delay=1e-9) as bar:

        def on_begin(n_rows: int, n_done: int) -> None:
            bar.reset(total=n_rows)
            bar.update(n_done)

        events = detect_large(
            source, folder, read=read, settings=settings, on_begin=on_begin, on_rows=bar.update
        )
    if as_json:
        rows = json.loads(events.to_json(orient="records", date_format="iso"))
        print(json.dumps({"folder": str(folder), "events": rows}, allow_nan=False))  # noqa: T201
        return
    worst = events.sort_values("severity", ascending=False)[:MOST_SHOWN]
    lines = [f"{name}: larger than is read at once, so learnt from a sample of its rows and scored in parts"]
    lines += ["", f"{counted(len(events), 'event')}" + (", the worst:" if len(events) > MOST_SHOWN else "")]
    lines += [worst.to_string(index=False)] if len(events) else []
    print("\n".join([*lines, "", f"Written to {folder}: scores, events, detectors, summary.parquet."]))  # noqa: T201


def detect_in_terminal(
    source: str,
    out: Path | None,
    *,
    key: str | None,
    read: Mapping[str, Any],
    settings: Mapping[str, Any],
    workers: int,
    as_json: bool,
) -> None:
    """Find the events of many series, and tell what was found.

    Raises
    ------
    InputError
        If something cannot be used, or every series failed.
    OutputError
        If the results cannot be written.
    """
    from tqdm import tqdm

    folder = out or Path(folder_named_after(source))
    n_known = 0
    with tqdm(unit="series", disable=as_json, file=sys.stderr, delay=1e-9) as bar:

        def on_begin(n_series: int, n_done: int) -> None:
            nonlocal n_known
            n_known = n_done
            bar.reset(total=n_series)
            bar.initial = n_done
            bar.update(n_done)

        table = detect_many(
            source,
            folder,
            key=key,
            read=read,
            settings=settings,
            workers=workers,
            on_begin=on_begin,
            on_series=lambda _: bar.update(),
        )
    print(_as_json(table, folder) if as_json else _told(table, folder, n_known=n_known))  # noqa: T201
    if (table["status"] == "failed").all():
        raise InputError(f"All {counted(len(table), 'series', 'series')} failed: {table['reason'].iloc[0]}")


def _as_json(table: pd.DataFrame, folder: Path) -> str:
    rows = json.loads(table.to_json(orient="records"))
    return json.dumps({"folder": str(folder), "series": rows}, allow_nan=False)


def _told(table: pd.DataFrame, folder: Path, *, n_known: int) -> str:
    """The worst series in a table, those that failed with their reasons, and where the rest is."""
    rows = table.to_dict("records")
    done, failed = ([row for row in rows if row["status"] == status] for status in ("done", "failed"))
    before = f", {n_known} of them before" if n_known else ""
    lines = [f"{counted(len(done), 'series', 'series')} done{before}"]
    shown = [row for row in done if row["n_events"]][:MOST_SHOWN]
    if shown:
        lines += ["", "The worst:", f"  {'series':30} {'events':>6} {'severity':>9} {'flagged':>8}"]
        lines += [_line(row) for row in shown]
    quiet = sum(not row["n_events"] for row in done)
    lines += [f"{counted(quiet, 'series', 'series')} without an event"] if quiet else []
    if failed:
        lines += ["", f"{counted(len(failed), 'series', 'series')} failed:"]
        lines += [f"- {row['series']}: {row['reason']}" for row in failed[:MOST_SHOWN]]
        left = len(failed) - MOST_SHOWN
        lines += [f"- and {left} more in summary.parquet"] if left > 0 else []
    return "\n".join([*lines, "", f"Written to {folder}: summary.parquet, scores, events."])


def _line(row: Mapping[Any, Any]) -> str:
    severity = number(row["worst_severity"], 3)
    return f"  {row['series'][:30]:30} {int(row['n_events']):6} {severity:>9} {row['flagged']:8.2%}"
