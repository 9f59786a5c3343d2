"""What the benchmarks share: contenders that take turns, medians, tables, and a file of results."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Contender = Callable[[], float]

RESULTS = Path(__file__).parent / "results"
PAUSE = 0.05  # seconds between turns: nobody pays for threads that another contender leaves spinning
PACKAGES = ("vaenb", "tensorflow", "keras", "tensorflow-probability", "numpy", "torch")


def seconds_of(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def one_turn_each(contenders: Mapping[str, Contender], times: dict[str, list[float]], turn: int) -> None:
    """Run every contender once, and add its seconds to `times`; another one begins each turn."""
    names = list(contenders)
    first = turn % len(names)
    for name in names[first:] + names[:first]:
        time.sleep(PAUSE)
        times.setdefault(name, []).append(contenders[name]())
    time.sleep(PAUSE)


def take_turns(contenders: Mapping[str, Contender], turns: int) -> dict[str, list[float]]:
    """The seconds of each contender in each turn: a noisy machine is noisy to all of them."""
    times: dict[str, list[float]] = {}
    for turn in range(turns):
        one_turn_each(contenders, times, turn)
    return times


def in_fresh_python(code: str, *arguments: str) -> dict[str, float]:
    """Run code in a Python of its own; its last line of output must be a JSON object."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"A process of the benchmark ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def median(values: Sequence[float]) -> float:
    """The median; NaN of nothing."""
    return float(statistics.median(values)) if len(values) else float("nan")


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as aligned text; the keys of the first row are the columns."""
    columns = list(rows[0])
    lines = [columns, *([text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    told = [
        "  ".join(
            [line[0].ljust(widths[0])] + [cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True)]
        )
        for line in lines
    ]
    return "\n".join([told[0], "-" * len(told[0]), *told[1:]])


def text(value: object) -> str:
    """A number to three digits, anything else as it is."""
    if value is None or value != value:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def verdict(*, kept: bool) -> str:
    """What came of a promise."""
    return "kept" if kept else "BROKEN"


def save(name: str, results: Mapping[str, object]) -> str:
    """Write results, and the machine they come from, to results/<name>.json, whole; where they are."""
    RESULTS.mkdir(exist_ok=True)
    path, new = RESULTS / f"{name}.json", RESULTS / f"{name}.json.new"
    new.write_text(json.dumps({**results, "machine": machine()}, indent=1) + "\n")
    new.replace(path)
    return os.path.relpath(path)


def load(name: str) -> dict:
    """What `save` wrote; nothing where it never did."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def machine() -> dict[str, object]:
    """What a figure depends on: versions, cores, and how busy the machine was."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        **{package: _version(package) for package in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
