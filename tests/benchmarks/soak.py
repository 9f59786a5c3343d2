"""For hours in one kernel, and on garbage: does anything crash, leak, hang or show a traceback?

    python tests/benchmarks/soak.py studies [--times 200]      # opened, trained, stopped, closed
    python tests/benchmarks/soak.py drags [--times 10000]      # a threshold dragged
    python tests/benchmarks/soak.py fuzz [--minutes 10]        # read_series and vaenb.load on damaged files

`studies` and `drags` run in a real ipykernel, as a notebook does, and count threads, live widgets and memory.
`fuzz` damages files that are sound (bytes turned, cut out, doubled, swapped, cut off; and garbage), and opens
them in processes of their own: only an answer or vaenb's own error will do.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from common import save, table

LONGEST = 60.0  # seconds that opening a small file may take
COUNTS = """
import gc, json, threading
from ipywidgets.widgets.widget import _instances

def counts():
    gc.collect()
    with open("/proc/self/status") as status:
        rss = next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))
    return {"MB": round(rss), "threads": threading.active_count(), "widgets": len(_instances)}
"""
STUDIES = """
import time, numpy as np, vaenb
rng = np.random.default_rng({first})
for i in range({times}):
    n = int(rng.integers(600, 3000))
    noise = rng.normal(scale=0.1, size=(n, int(rng.integers(1, 4))))
    values = np.sin(np.arange(n) / rng.uniform(3, 9))[:, None] + noise
    window = int(rng.choice([16, 24, 32]))
    study = vaenb.Study(values, window_size=window, hidden=(16,), epochs=500, steps_per_epoch=20)
    display(study)
    study.start("training" if i % 2 else "judge")
    stop_at = time.monotonic() + rng.uniform(0.0, 1.5)
    while study.is_running and time.monotonic() < stop_at:
        time.sleep(0.01)
    study.stop()
    if not study.wait(120):
        raise RuntimeError(f"study {{i}} hangs")
    if study.error is not None:
        raise study.error
    study.close()
    del study
print(json.dumps(counts()))
"""
DRAGS = """
import numpy as np, vaenb
from vaenb.events import find_events
rng = np.random.default_rng({first})
if "panel" not in globals():
    scores = np.abs(rng.normal(size=100_000)).cumsum() % 7 + rng.exponential(size=100_000)
    panel = vaenb.ThresholdPanel(scores)
    display(panel)
for threshold in rng.uniform(scores.min(), scores.max(), size={times}):
    panel.threshold = float(threshold)
assert panel.threshold == threshold, (panel.threshold, threshold)
print(json.dumps(counts()))
"""
OPEN = """
import json, sys, traceback, warnings
warnings.simplefilter("ignore")
import vaenb
from vaenb.errors import InputError
for line in sys.stdin:
    path = line.strip()
    try:
        opened = vaenb.load(path) if path.endswith(".vaenb") else vaenb.read_series(path)
        told = ["opened", ""]
    except InputError as error:
        told = ["refused" if "\\n" not in str(error) else "several lines", str(error)]
    except BaseException:
        told = ["traceback", traceback.format_exc()]
    print(json.dumps(told), flush=True)
"""


class Kernel:
    """An ipykernel that runs a piece of code and returns its last line of output as JSON."""

    def __init__(self) -> None:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel()
        self.run(COUNTS + "print(json.dumps(counts()))")

    def run(self, code: str, *, seconds: float = 3_600) -> dict:
        lines = []

        def hear(message: dict) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                lines.append(message["content"]["text"])

        answer = self.client.execute_interactive(code, output_hook=hear, timeout=seconds)
        if answer["content"]["status"] != "ok":
            raise RuntimeError("\n".join(answer["content"]["traceback"])[-3_000:])
        return dict(json.loads("".join(lines).strip().splitlines()[-1]))

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def repeat(code: str, times: int, parts: int) -> list[dict]:
    """Run code so many times in one kernel, and count what lives on after each part."""
    kernel, rows = Kernel(), []
    for part in range(parts):
        began = time.perf_counter()
        found = kernel.run(code.format(times=times // parts, first=part))
        rows.append({"times": (part + 1) * (times // parts), **found, "seconds": time.perf_counter() - began})
        print(rows[-1], flush=True)
    kernel.close()
    return rows


# ---------------------------------------------------------------------- garbage


def sound_files(folder: Path) -> list[Path]:
    """One file of each kind that can be opened."""
    import numpy as np
    import pandas as pd

    import vaenb

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"when": pd.date_range("2024-01-01", periods=400, freq="5min")})
    frame["load"] = np.sin(np.arange(400) / 5) + 0.1 * rng.normal(size=400)
    frame["is_anomaly"] = (np.arange(400) == 300).astype(int)
    frame.to_csv(folder / "a.csv", index=False)
    frame.to_csv(folder / "b.csv", index=False, sep=";", decimal=",")
    frame.to_csv(folder / "c.csv.gz", index=False)
    frame.to_parquet(folder / "d.parquet")
    frame["load"].to_csv(folder / "e.csv", index=False, header=False)
    series = vaenb.read_series(frame)
    study = vaenb.Study(series, window_size=16, hidden=(8,), epochs=1, steps_per_epoch=2)
    study.run()
    study.detector.save(folder / "f.vaenb")
    study.save(folder / "g.vaenb")
    study.close()
    return sorted(folder.iterdir())


def damaged(content: bytes, rng) -> bytes:
    """The bytes of a file with something done to them."""
    data = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        at, length = int(rng.integers(0, max(len(data), 1))), int(rng.integers(1, 40))
        how = rng.choice(["turn", "cut", "double", "swap", "end", "garbage", "text"])
        if how == "turn":
            data[at : at + 1] = rng.bytes(1)
        elif how == "cut":
            del data[at : at + length]
        elif how == "double":
            data[at:at] = data[at : at + length]
        elif how == "swap":
            data[at : at + length] = data[at : at + length][::-1]
        elif how == "end":
            del data[at:]
        elif how == "garbage":
            data[at : at + length] = rng.bytes(length)
        else:
            words = [
                b"nan",
                b"1e999",
                b"\n\n",
                b",,,",
                b"\x00",
                b'"',
                b"2024-13-45",
                b"\xef\xbb\xbf",
                b"inf",
                b"-",
            ]
            data[at:at] = words[int(rng.integers(len(words)))]
    return bytes(data)


class Opener:
    """A process that opens files; a new one takes its place when it dies or hangs."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-c", OPEN]
        quiet = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, text=True, **quiet)

    def open(self, path: Path) -> tuple[str, str]:
        import select

        self.process.stdin.write(f"{path}\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], LONGEST)[0]:
            self.process.kill()
            self._start()
            return "hang", f"longer than {LONGEST:g} s"
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            self._start()
            return "crash", f"the process ended with {code}"
        what, why = json.loads(line)
        return what, why


def fuzz(minutes: float, seed: int) -> dict:
    """Damage and open files for so many minutes; how each ended, and what was wrong."""
    import numpy as np

    rng, ends, wrong = np.random.default_rng(seed), Counter(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sound, opener = sound_files(folder), Opener()
        opener.open(sound[-1])  # it imports TensorFlow
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            whole = sound[int(rng.integers(len(sound)))]
            path = folder / f"damaged{''.join(whole.suffixes)}"
            path.write_bytes(damaged(whole.read_bytes(), rng))
            what, why = opener.open(path)
            ends[f"{whole.suffix} {what}"] += 1
            if what not in {"opened", "refused"}:
                kept = Path(tempfile.gettempdir()) / f"vaenb_fuzz_{len(wrong)}{''.join(whole.suffixes)}"
                kept.write_bytes(path.read_bytes())
                wrong.append({"file": str(kept), "what": what, "why": why[-1_500:]})
                print(what, kept, why[-600:], flush=True)
    return {"files": sum(ends.values()), "ends": dict(sorted(ends.items())), "wrong": wrong}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("studies", "drags", "fuzz"))
    parser.add_argument("--times", type=int)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    if asked.what == "fuzz":
        found = fuzz(asked.minutes, asked.seed)
        print(table([{"how it ended": how, "files": n} for how, n in found["ends"].items()]))
    elif asked.what == "studies":
        found = {"rows": repeat(STUDIES, asked.times or 200, 10)}
        print(table(found["rows"]))
    else:
        found = {"rows": repeat(DRAGS, asked.times or 10_000, 10)}
        print(table(found["rows"]))
    print("Written to", save(f"soak_{asked.what}", found))


if __name__ == "__main__":
    main()
