"""Asks a peer: the process of its script, in the Python of its environment. What `peer_*.py` share."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from peers.environments import HERE, python


class PeerFailed(RuntimeError):
    """A peer ended with an error; the message is the end of what it said."""


@dataclass(frozen=True)
class Peer:
    """A script of this folder, and who runs it."""

    script: str
    environment: str | None = None  # None is the Python that runs the benchmark: vaenb's own
    more: tuple[str, ...] = ()
    about: str = ""
    threads: int | None = None  # of its products; None leaves it to its library

    def ask(self, verb: str, **asked: object) -> dict[str, np.ndarray]:
        """What the peer answers to `speed` or `quality`."""
        runner = sys.executable if self.environment is None else python(self.environment)
        with tempfile.TemporaryDirectory() as folder:
            question, told = Path(folder) / "asked.npz", Path(folder) / "answer.npz"
            np.savez(question, spawned=time.time(), **asked)
            script = str(HERE / f"{self.script}.py")
            done = subprocess.run(
                [runner, script, verb, str(question), str(told), *self.more],
                capture_output=True,
                text=True,
                check=False,
                env=os.environ | ({"OMP_NUM_THREADS": str(self.threads)} if self.threads else {}),
            )
            if done.returncode or not told.exists():
                raise PeerFailed(f"{self.script} {verb} ended with {done.returncode}:\n{done.stderr[-2000:]}")
            with np.load(told) as answer:
                return dict(answer)
