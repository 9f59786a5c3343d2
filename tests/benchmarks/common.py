"""What the benchmarks share: contenders that take turns, medians, a table, and a file of results."""

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
PAUSE = 0.05  # seconds between turns: no contender pays for threads that another one leaves spinning


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
    """The seconds of each contender in each turn, so that a noisy machine is noisy to all of them."""
    times: dict[str, list[float]] = {}
    for turn in range(turns):
        one_turn_each(contenders, times, turn)
    return times


def run_python(code: str, *arguments: str) -> dict[str, object]:
    """Run code in a fresh Python; its last line of output must be JSON."""
    found = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    if found.returncode:
        raise RuntimeError(f"A benchmark process ended with {found.returncode}:\n{found.stderr[-3000:]}")
    return dict(json.loads(found.stdout.splitlines()[-1]))


def table(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as aligned text; the first row names the columns."""
    columns = list(rows[0])
    cells = [columns, *([_text(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    lines = []
    for line in cells:
        first, *others = (
            cell.ljust(w) if not i else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(line, widths, strict=True))
        )
        lines.append("  ".join([first, *others]).rstrip())
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _text(value: object) -> str:
    """A number to three digits, anything else as it is."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def save(name: str, results: Mapping[str, object]) -> Path:
    """Write results and the machine they come from to results/<name>.json."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), **results}, indent=1) + "\n")
    return path


def machine() -> dict[str, object]:
    """What a figure depends on: versions, cores, and how busy the machine is."""
    packages = ("vaenb", "tensorflow", "keras", "tensorflow-probability", "numpy", "torch")
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        **{package: _version(package) for package in packages},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def median(values: Sequence[float]) -> float:
    """The median, to five digits."""
    return float(f"{statistics.median(values):.5g}")
