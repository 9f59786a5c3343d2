"""A scheduler that is killed in the middle of a run: with another one in its place, and without."""

import json
import os
import re
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

CODE = """
import json, os, subprocess, sys
from distributed import Client
import vaenb.fleet
from vaenb.errors import InputError
from vaenb.fleet import running

folder, port, starts_again = sys.argv[1], sys.argv[2], sys.argv[3] == "True"
running.PATIENCE = 60.0 if starts_again else 2.0
started = []

def start(*command):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started.append(subprocess.Popen([sys.executable, "-m", *command], **quiet))
    return started[-1]

def cluster():
    plain, address = ("--no-dashboard", "--host", "127.0.0.1"), "tcp://127.0.0.1:" + port
    scheduler = start("distributed.cli.dask_scheduler", "--port", port, *plain)
    start("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", *plain)
    return scheduler

scheduler, told = cluster(), []
client = Client("tcp://127.0.0.1:" + port, timeout=60)

def on_series(row):
    told.append(row["series"])
    if len(told) == 2:
        scheduler.kill()
        scheduler.wait()
        if starts_again:
            cluster()

brief = {"epochs": 1, "steps_per_epoch": 2, "window_size": 16, "hidden": (8,)}
try:
    table = vaenb.fleet.detect_many(folder, folder + "/out", settings=brief, on_series=on_series)
    answer = {"done": int((table["status"] == "done").sum())}
except InputError as error:
    answer = {"refused": str(error)}
print(json.dumps({**answer, "told": told}), flush=True)
for process in started:
    process.kill()
os._exit(0)  # a client without a scheduler takes its time to close
"""


@pytest.mark.parametrize("starts_again", [True, False])
def test_a_scheduler_that_dies_loses_nothing(tmp_path, starts_again):
    for i in range(6):
        values = np.sin(np.arange(300) / 5) + 0.1 * np.random.default_rng(i).normal(size=300)
        pd.DataFrame({"value": values}).to_csv(tmp_path / f"s{i}.csv", index=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", CODE, str(tmp_path), str(port), str(starts_again)]
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    answer = json.loads(done.stdout.splitlines()[-1])
    rows = [json.loads(path.read_text()) for path in (tmp_path / "out" / "summary").glob("*.json")]
    assert all(row["status"] == "done" for row in rows)
    assert len(answer["told"]) == len(set(answer["told"]))
    if starts_again:
        assert answer["done"] == len(rows) == 6
        assert sorted(answer["told"]) == [f"s{i}" for i in range(6)]
    else:
        assert re.search(r"The Dask scheduler is gone, with \d series to do\. .* same out", answer["refused"])
        assert 2 <= len(rows) < 6
