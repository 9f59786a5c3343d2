"""How fast and how big, beside other ways to train a VAE, and beside the machine's own limit.

    python tests/benchmarks/peer_speed.py [--rounds 3] [--only vaenb,PyOD] [--hidden 32 --latent 2]

20,000 windows of 64 x 1, hidden layers (128,), latent 8, batch 128, as in `speed.py`; or another size. Each
contender runs in a process of its own, one after the other, another one first in each round: it trains some
epochs, then scores all windows some times. The first epoch and the first scoring, in which things are
compiled, are left out of the medians. `peers/` holds a script for each, and what is installed for it.
"""

from __future__ import annotations

import argparse

import numpy as np
from common import median, save, table
from peers.asking import Peer, PeerFailed
from peers.environments import EnvironmentFailed, python
from peers.protocol import Sizes

N_WINDOWS, WINDOW_SIZE = 20_000, 64
OURS, LIMIT = "vaenb", "matrix products alone"
PEERS = {
    OURS: Peer("ours", about="ELBO, a scale for each point"),
    "Keras 3 fit": Peer("keras_fit", about="ELBO, a scale for each point"),
    "Keras 3 fit, its own layers": Peer("keras_plain", about="ELBO, a scale for each point"),
    "tf_keras + tfp.layers": Peer("tfp_layers", "tf_keras", about="ELBO, a scale for each point; KL twice"),
    "PyTorch, eager": Peer("torch_eager", "pyod", about="ELBO, a scale for each point"),
    "PyOD VAE": Peer("pyod_vae", "pyod", about="squared error; KL clamped to 0"),
    "PyOD VAE, one thread": Peer("pyod_vae", "pyod", about="squared error; KL clamped to 0", threads=1),
    "alibi-detect OutlierVAE": Peer("alibi_vae", "alibi_detect", about="ELBO, scale 0.05 for all points"),
    f"{LIMIT}, NumPy": Peer("products", more=("numpy",)),
    f"{LIMIT}, PyTorch": Peer("products", "pyod", more=("torch",)),
}


def make_series() -> np.ndarray:
    """Two waves and noise, standardised: 20,000 windows of 64 points, the same as in `speed.py`."""
    t = np.arange(N_WINDOWS + WINDOW_SIZE - 1)
    values = np.sin(t / 5) + 0.5 * np.sin(t / 23) + np.random.default_rng(0).normal(scale=0.3, size=len(t))
    return ((values - values.mean()) / values.std()).astype(np.float32)[:, None]


def measure(peer: Peer, values: np.ndarray, asked: argparse.Namespace) -> dict[str, float]:
    """One process of a peer: medians of its epochs and scorings after the first, and its memory."""
    told = peer.ask(
        "speed",
        values=values,
        window_size=WINDOW_SIZE,
        epochs=asked.epochs + 1,
        scorings=asked.scorings + 1,
        hidden=asked.hidden,
        latent=asked.latent,
        seed=0,
    )
    first, *epochs = told["epochs"]
    own, trained, scored = told["peaks"]
    return {
        "epoch": median(epochs),
        "scoring": median(told["scorings"][1:]),
        "first": float(first),
        "first, with imports": float(first + told["imported"]),
        "own MB": float(own),
        "training MB": float(trained),
        "peak MB": float(scored),
    }


def installed(only: list[str]) -> tuple[dict[str, Peer], dict[str, str]]:
    """The contenders whose environments are there or can be made; why the others cannot."""
    found, missing = {}, {}
    for name, peer in PEERS.items():
        if only and not any(part in name for part in only):
            continue
        try:
            if peer.environment is not None:
                python(peer.environment)
            found[name] = peer
        except EnvironmentFailed as failure:
            missing[name] = str(failure)
    return found, missing


def run(peers: dict[str, Peer], asked: argparse.Namespace) -> tuple[dict[str, list[dict]], dict[str, str]]:
    """What each contender measured in each round; who failed, and why."""
    values, found, failed = make_series(), {name: [] for name in peers}, {}
    for turn in range(asked.rounds):
        names = [name for name in peers if name not in failed]
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            try:
                found[name].append(measure(peers[name], values, asked))
            except PeerFailed as failure:
                failed[name] = str(failure)
                print(failure, flush=True)
                continue
            told = found[name][-1]
            print(f"{turn + 1}/{asked.rounds} {name}: epoch {told['epoch']:.3f} s", flush=True)
    return {name: each for name, each in found.items() if name not in failed}, failed


def limits(found: dict[str, list[dict]]) -> dict[str, float]:
    """Seconds of an epoch and of a scoring at the machine's limit: the faster library's best round."""
    known = [each for name, each in found.items() if name.startswith(LIMIT)]
    return {
        what: min((one[what] for each in known for one in each), default=float("nan"))
        for what in ("epoch", "scoring")
    }


def row(name: str, found: dict[str, list[dict]]) -> dict[str, object]:
    """A line of the table: medians over the rounds, their ratios to ours, and that of the best rounds."""
    each, ours = found[name], found.get(OURS, [])
    middle = {what: median([one[what] for one in each]) for what in each[0]}
    limit = limits(found)

    def times(what: str) -> float:
        return median([theirs[what] / one[what] for theirs, one in zip(each, ours, strict=False)])

    def at_best(what: str) -> float | None:
        return min(one[what] for one in each) / min(one[what] for one in ours) if ours else None

    bare = name.startswith(LIMIT)
    return {
        "contender": name,
        "trained windows/s": N_WINDOWS / middle["epoch"],
        "x ours": times("epoch"),
        "at best": at_best("epoch"),
        "% of the limit": 100 * limit["epoch"] / middle["epoch"],
        "scored windows/s": N_WINDOWS / middle["scoring"],
        "x ours, scoring": times("scoring"),
        "scoring at best": at_best("scoring"),
        "% of the limit, scoring": 100 * limit["scoring"] / middle["scoring"],
        "peak MB": None if bare else middle["peak MB"],
        "of it imports": None if bare else middle["own MB"],
        "first epoch s": None if bare else middle["first"],
        "with imports": None if bare else middle["first, with imports"],
        "loss": PEERS[name].about,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="processes of each contender")
    parser.add_argument("--epochs", type=int, default=5, help="epochs of each process after its first")
    parser.add_argument("--scorings", type=int, default=5, help="scorings of each process after its first")
    parser.add_argument("--only", default="", help="contenders, or parts of their names, between commas")
    parser.add_argument("--hidden", type=int, default=Sizes.hidden, help="units of the hidden layers")
    parser.add_argument("--latent", type=int, default=Sizes.latent, help="latent dimensions")
    asked = parser.parse_args()
    peers, missing = installed([part for part in asked.only.split(",") if part])
    found, failed = run(peers, asked)
    rows = [row(name, found) for name in found]
    print("", table(rows), "", sep="\n")
    for name, why in (missing | failed).items():
        print(f"Not measured: {name}: {why}")
    results = {"rounds": asked.rounds, "table": rows, "measured": found, "missing": missing | failed}
    is_usual = (asked.hidden, asked.latent) == (Sizes.hidden, Sizes.latent)
    name = "peer_speed" if is_usual else f"peer_speed_{asked.hidden}_{asked.latent}"
    print("Written to", save(name, results))


if __name__ == "__main__":
    main()
