"""How much memory scoring takes: the peak of a process that scores 1,000,000 points, above TensorFlow's own.

    python tests/benchmarks/memory.py [--points 1000000] [--views 10000000]

"TensorFlow's own" is the peak of a process that imports TensorFlow through vaenb, builds a VAE and trains it
for two epochs on 2,000 points, and scores nothing. Every other process does the same first, then makes the
series and scores it. The peak is the high-water mark of the resident set that Linux keeps for a process
(VmHWM in /proc/self/status); elsewhere it is ``ru_maxrss``. It counts all memory that the process touched:
the series, NumPy's, TensorFlow's and the compiler's.
"""

from __future__ import annotations

import argparse

from common import in_fresh_python, save, table, verdict

PROMISE = 300  # MB above TensorFlow's own
MB = 2**20
PEAK = """
import json, resource, sys
import numpy as np

def peak():
    try:
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except FileNotFoundError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

def make(n_points):
    t = np.arange(n_points, dtype=np.float64)
    t[:] = np.sin(t / 5) + np.random.default_rng(0).normal(scale=0.1, size=n_points)
    return t

def tell(**more):
    print(json.dumps({"peak": peak(), **more}))
"""
# What every process with TensorFlow does first, and what every process without it does.
START = """
import vaenb
tiny = make(2_000)
if "{through}" == "detector":
    detector = vaenb.VAEDetector(window_size=64, epochs=2, steps_per_epoch=10).fit(tiny)
else:
    vae = vaenb.VAE(64)
    vaenb.train(vae, vaenb.make_windows(tiny, 64), epochs=2, steps_per_epoch=10, progress=False)
"""
START_VIEWS = """
import vaenb
vaenb.prepare(vaenb.read_series(make(2_000)), window_size=64)
before = peak()
"""
TELL_VIEWS = """
view = bool(np.shares_memory(windows.array, windows.values))
tell(before=before, view=view, laid_out=windows.array.nbytes)
"""
SCORE = {
    "nothing (TensorFlow's own)": ("score", ""),
    "vaenb.score, reconstruction_error": (
        "score",
        "scores = vaenb.score(vae, vaenb.make_windows(make(n), 64), 'reconstruction_error')",
    ),
    "vaenb.score, reconstruction_probability": (
        "score",
        "scores = vaenb.score(vae, vaenb.make_windows(make(n), 64), 'reconstruction_probability')",
    ),
    "VAEDetector.decision_function of an array": ("detector", "scores = detector.decision_function(make(n))"),
}
VIEWS = {
    "make_windows": "windows = vaenb.make_windows(make(n), 64)",
    "read_series and prepare": (
        "windows = vaenb.prepare(vaenb.read_series(make(n)), window_size=64).everything"
    ),
}


def scoring(n_points: int) -> list[dict]:
    """A row for each way to score: the peak of its process, and how far that lies above the first one's."""
    rows, own = [], 0.0
    for name, (through, code) in SCORE.items():
        said = in_fresh_python(PEAK + START.format(through=through) + f"n = {n_points}\n{code}\ntell()")
        own = own or said["peak"]
        rows.append(
            {
                f"{n_points:,} points": name,
                "peak MB": said["peak"] / MB,
                "above MB": (said["peak"] - own) / MB,
            }
        )
    return rows


def views(n_points: int) -> list[dict]:
    """A row for each way to windows: what it adds to NumPy, pandas and the series itself."""
    rows = []
    for name, code in VIEWS.items():
        said = in_fresh_python(f"{PEAK}{START_VIEWS}n = {n_points}\n{code}\n{TELL_VIEWS}")
        rows.append(
            {
                f"{n_points:,} points": name,
                "added MB": (said["peak"] - said["before"]) / MB,
                "laid out it would be MB": said["laid_out"] / MB,
                "a view": "yes" if said["view"] else "NO",
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--views", type=int, default=10_000_000)
    asked = parser.parse_args()
    scored = scoring(asked.points)
    print(table(scored), "", sep="\n")
    seen = views(asked.views)
    print(table(seen), "", sep="\n")
    worst = max(row["above MB"] for row in scored)
    told = verdict(kept=worst <= PROMISE)
    print(f"Promise: at most {PROMISE} MB above TensorFlow's own: {told} ({worst:.0f} MB)")
    print("Written to", save("memory", {"scoring": scored, "views": seen}))


if __name__ == "__main__":
    main()
