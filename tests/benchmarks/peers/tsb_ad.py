"""TSB-AD's USAD, Donut and AutoEncoder, through its own wrappers and with the settings it found best.

    python tsb_ad.py quality asked.npz answer.npz {USAD,Donut,AutoEncoder}

They score timestamps, choose their own window, and scale as they do: the series comes standardised by its
training part.
"""

from __future__ import annotations

import contextlib
import os
import random
import sys
import time
from pathlib import Path

import numpy as np
import torch
from TSB_AD import model_wrapper
from TSB_AD.HP_list import Optimal_Multi_algo_HP_dict, Optimal_Uni_algo_HP_dict


def main() -> None:
    _, asked, told, name = sys.argv[1:5]
    with np.load(asked) as given:
        values, end, seed = given["values"].astype(np.float64), int(given["train_end"]), int(given["seed"])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - it is the generator they draw from
    torch.manual_seed(seed)
    settings = (Optimal_Uni_algo_HP_dict if values.shape[1] == 1 else Optimal_Multi_algo_HP_dict)[name]
    began = time.perf_counter()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        scores = getattr(model_wrapper, f"run_{name}")(values[:end], values, **settings)
    np.savez(told, point_scores=scores, seconds=time.perf_counter() - began)


if __name__ == "__main__":
    main()
