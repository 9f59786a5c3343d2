"""Series a second: `vaenb.fleet.detect_many` in one process and on workers, and a plain loop over PyOD's VAE.

    python tests/benchmarks/fleet.py [--series 100,1000] [--points 2000] [--workers 0,1,2] [--pyod 20]
                                     [--detectors each,shared]

Writes so many series (waves of five lengths, one for each kind of machine, noise, one planted anomaly) as
CSV files, and runs each contender on them in a process of its own, with its defaults: a detector for each
series, and one for all of a kind (`group=`). PyOD's gets the windows of the size that vaenb chooses, and
`--pyod` series only. The rate leaves out what happens before the first series is done: imports, workers,
compiling, and the training of detectors that are shared. Memory is the highest resident set of a single
process, sampled ten times a second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from common import save, table
from peers.environments import EnvironmentFailed, python

from vaenb.formats import counted

MB = 2**20
KINDS = (3.0, 4.5, 6.0, 8.0, 11.0)
OURS = """
import json, sys, time
from contextlib import nullcontext
import vaenb.fleet
from vaenb.fleet.running import NO_DASHBOARD, ONE_THREAD

def one_worker():
    from distributed import Client
    return Client(n_workers=1, threads_per_worker=1, env=ONE_THREAD, **NO_DASHBOARD)

def main():
    folder, out, workers, shared = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    began, marks = time.perf_counter(), []
    with one_worker() if workers == 1 else nullcontext():  # else workers=1 works in this process
        table = vaenb.fleet.detect_many(
            folder,
            out,
            group=(lambda name: name.split("_")[0]) if shared else None,
            workers=max(workers, 1),
            on_series=lambda _: marks.append(time.perf_counter()),
        )
    failed = int((table["status"] != "done").sum())
    times = {"begin": marks[0] - began, "rest": marks[-1] - marks[0]}
    print(json.dumps({**times, "n": len(marks), "failed": failed}))

if __name__ == "__main__":
    main()
"""
PYOD = """
import glob, json, sys, time
import numpy as np
from pyod.models.vae import VAE
began, marks, size = time.perf_counter(), [], int(sys.argv[2])
for path in sorted(glob.glob(sys.argv[1] + "/*.csv")):
    values = np.loadtxt(path, skiprows=1)
    half = len(values) // 2
    mean, scale = values[:half].mean(), values[:half].std()
    scaled = ((values - mean) / scale).astype("float32")
    windows = np.lib.stride_tricks.sliding_window_view(scaled, size)
    model = VAE(random_state=0, verbose=0)
    model.fit(windows[: half - size].copy())
    model.predict(windows.copy())
    marks.append(time.perf_counter())
print(json.dumps({"begin": marks[0] - began, "rest": marks[-1] - marks[0], "n": len(marks), "failed": 0}))
"""


def write(folder: Path, n_series: int, n_points: int) -> None:
    """The series of a plant: five kinds of machine, so five window sizes, and none like the other."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(n_series):
        kind = int(rng.integers(len(KINDS)))
        value = np.sin(np.arange(n_points) / KINDS[kind]) + rng.normal(scale=0.1, size=n_points)
        place = int(rng.integers(n_points // 2, n_points - 50))
        value[place : place + 20] += 2.0
        pd.DataFrame({"value": value}).to_csv(folder / f"kind{kind}_{i:05}.csv", index=False)


def run(command: list[str]) -> dict[str, float]:
    """What a process prints, and the highest resident set of it or one of its children."""
    highest: dict[int, int] = {}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def watch() -> None:
        while process.poll() is None:
            try:
                parent = psutil.Process(process.pid)
                for each in (parent, *parent.children(recursive=True)):
                    highest[each.pid] = max(highest.get(each.pid, 0), each.memory_info().rss)
            except psutil.NoSuchProcess:
                pass
            time.sleep(0.1)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    out, err = process.communicate()
    if process.returncode:
        raise RuntimeError(f"A process of the benchmark ended with {process.returncode}:\n{err[-3000:]}")
    return {**json.loads(out.splitlines()[-1]), "peak": max(highest.values()) / MB}


def row(name: str, found: dict[str, float]) -> dict[str, object]:
    return {
        "contender": name,
        "series": found["n"],
        "failed": found["failed"],
        "series/s": (found["n"] - 1) / found["rest"],
        "s a series": found["rest"] / (found["n"] - 1),
        "first after s": found["begin"],
        "MB a process": found["peak"],
    }


def contenders(asked: argparse.Namespace, folder: Path) -> list[dict[str, object]]:
    rows = []
    script = folder / "ours.py"
    script.write_text(OURS)
    for n_series in map(int, asked.series.split(",")):
        write(folder / f"{n_series}", n_series, asked.points)
        for workers, shared in [
            (n, kind == "shared")
            for n in map(int, asked.workers.split(","))
            for kind in asked.detectors.split(",")
        ]:
            given = [str(folder / f"{n_series}"), str(folder / f"{n_series}_{workers}_{shared}")]
            found = run([sys.executable, str(script), *given, str(workers), str(int(shared))])
            name = counted(workers, "worker") if workers else "this process"
            rows.append(row(f"vaenb, {name}{', one for each kind' if shared else ''}", found))
            print(rows[-1], flush=True)
    if asked.pyod:
        write(folder / "pyod", asked.pyod, asked.points)
        try:
            rows.append(
                row("PyOD VAE, a loop", run([python("pyod"), "-c", PYOD, str(folder / "pyod"), "32"]))
            )
        except EnvironmentFailed as failure:
            print(failure)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", default="100,1000")
    parser.add_argument("--points", type=int, default=2_000)
    parser.add_argument("--workers", default="0,1,2", help="processes beside this one; 0: none")
    parser.add_argument("--detectors", default="each,shared")
    parser.add_argument("--pyod", type=int, default=20, help="series for PyOD's loop; 0 leaves it out")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = contenders(asked, Path(folder))
    print("", table(rows), "", sep="\n")
    print("Written to", save("fleet", {"points": asked.points, "rows": rows}))


if __name__ == "__main__":
    main()
