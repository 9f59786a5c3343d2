"""The rival of `speed.py` in PyTorch: an eager loop of the same VAE, in a process of its own.

    python torch_loop.py windows.npy {plain,fused}

For each line on stdin it does what the line says and answers with a number: "epoch" trains one epoch
(seconds), "elbo" measures the mean ELBO of all windows, "threads" tells how many threads it uses.
"""

from __future__ import annotations

import math
import os
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus

BATCH, LEARNING_RATE = 128, 1e-3
TRIED_STEPS = 30


class Loop:
    """Batches are slices of a permutation of the windows, all in memory: no DataLoader."""

    def __init__(self, windows: np.ndarray, *, fused: bool, hidden: int = 128, latent: int = 8) -> None:
        torch.manual_seed(0)
        size = windows.shape[1]
        self.x = torch.from_numpy(windows)
        self.encoder = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, hidden), nn.ReLU(), nn.Linear(hidden, 2 * size))
        weights = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimizer = torch.optim.Adam(weights, lr=LEARNING_RATE, fused=fused)
        self.use_the_faster_threads()

    def use_the_faster_threads(self) -> None:
        """One thread or one a core, whichever is faster here and now: small matrices often want one."""
        places = list(torch.arange(len(self.x))[: TRIED_STEPS * BATCH].split(BATCH))
        seconds = {}
        for threads in {1, os.cpu_count() or 1}:
            torch.set_num_threads(threads)
            self.steps(places[:5])
            seconds[threads] = self.steps(places)
        torch.set_num_threads(min(seconds, key=seconds.__getitem__))

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        """The mean of -ELBO: one draw of z, the exact KL, a normal likelihood with a scale for each point."""
        mean, raw = self.encoder(x).chunk(2, dim=-1)
        scale = softplus(raw) + 1e-4
        z = mean + scale * torch.randn_like(mean)
        loc, raw = self.decoder(z).chunk(2, dim=-1)
        spread = softplus(raw) + 1e-2
        surprise = 0.5 * ((x - loc) / spread).square() + spread.log() + 0.5 * math.log(2 * math.pi)
        kl = 0.5 * (mean.square() + scale.square() - 1) - scale.log()
        return (surprise.sum(-1) + kl.sum(-1)).mean()

    def steps(self, batches: list[torch.Tensor]) -> float:
        began = time.perf_counter()
        total = torch.zeros(())
        for places in batches:
            loss = self.loss(self.x[places])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += loss.detach()
        total.item()
        return time.perf_counter() - began

    def epoch(self) -> float:
        return self.steps(list(torch.randperm(len(self.x)).split(BATCH)))

    def elbo(self) -> float:
        with torch.no_grad():
            return -self.loss(self.x).item()

    def threads(self) -> float:
        return torch.get_num_threads()


def main() -> None:
    path, optimizer = sys.argv[1:]
    loop = Loop(np.load(path), fused=optimizer == "fused")
    for line in sys.stdin:
        print(getattr(loop, line.strip())(), flush=True)


if __name__ == "__main__":
    main()
