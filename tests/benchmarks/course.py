"""What each notebook of the course takes on one core: seconds, and the peak of its kernel.

    python tests/benchmarks/course.py [NAME ...]

Each notebook runs from scratch in a fresh kernel, on one core, as on Binder. "seconds" is what its cells take
together, without the time in which other processes had the core; "by the clock" is from before the kernel
starts until after it has ended, "CPU s" what the kernel used of it. "peak MB" adds up the high-water marks
(VmHWM in /proc) of the kernel and of every process that it started. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import threading
from pathlib import Path

from common import save, table, verdict

sys.path.insert(0, str(Path(__file__).parents[1] / "notebooks"))

from course import find, short
from course_clock import cpu_seconds, one_core, tree
from course_run import execute

MOST_SECONDS, MOST_MB, MOST_CELL = 90, 1400, 60
KB_PER_MB = 1024
PAUSE = 0.1  # seconds between two looks; high-water marks do not fall


class Watch:
    """Looks at a kernel and its children while they live."""

    def __init__(self) -> None:
        self.peaks: dict[int, float] = {}
        self.cpu: dict[int, float] = {}
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, pid: int) -> None:
        self._thread = threading.Thread(target=self._look, args=(pid,), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self, root: int) -> None:
        while not self._over.is_set():
            for pid in tree(root):
                with contextlib.suppress(OSError, StopIteration):
                    self.peaks[pid] = max(self.peaks.get(pid, 0.0), peak_mb(pid))
                    self.cpu[pid] = cpu_seconds(pid)
            self._over.wait(PAUSE)


def peak_mb(pid: int) -> float:
    """The most that was ever resident."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / KB_PER_MB for line in lines if line.startswith("VmHWM"))


def measure(path: Path) -> dict[str, object]:
    """A row for one notebook."""
    watch = Watch()
    with one_core():
        outcome = execute(path, watch=watch.begin)
    watch.end()
    if outcome.problems:
        raise SystemExit(f"{short(path)}: " + "\n".join(outcome.problems))
    return {
        "notebook": short(path),
        "seconds": round(sum(outcome.cells), 1),
        "by the clock": round(outcome.seconds, 1),
        "CPU s": round(sum(watch.cpu.values()), 1),
        "slowest cell s": round(max(outcome.cells, default=0.0), 1),
        "peak MB": round(sum(watch.peaks.values())),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="05, exercises/05 or exercises")
    rows = []
    for path in find(parser.parse_args().names):
        rows.append(measure(path))
        print(table(rows[-1:]).splitlines()[-1], flush=True)
    print("", table(rows), "", sep="\n")
    promises = {
        f"at most {MOST_SECONDS} s": ("seconds", MOST_SECONDS),
        f"no cell over {MOST_CELL} s": ("slowest cell s", MOST_CELL),
        f"at most {MOST_MB:,} MB": ("peak MB", MOST_MB),
    }
    for words, (column, most) in promises.items():
        worst = max(rows, key=lambda row: row[column])
        told = verdict(kept=worst[column] <= most)
        print(f"Promise: {words}: {told} ({worst['notebook']}: {worst[column]:,})")
    print("Written to", save("course", {"notebooks": rows}))


if __name__ == "__main__":
    main()
