"""The labelled series that `quality.py` and `clean.py` read: a folder with a meta.json."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import vaenb

if TYPE_CHECKING:
    import argparse

    from vaenb.records import Series

DEFAULT = Path(__file__).parents[2] / ".." / "shared" / "data" / "dev"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """``--data``, ``--only`` and ``--seeds``."""
    folder = os.environ.get("VAENB_DATA", os.path.relpath(DEFAULT))
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(folder),
        help="folder with a meta.json (default: $VAENB_DATA, or %(default)s)",
    )
    parser.add_argument("--only", default="", help="names of series, or parts of them, between commas")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds; their mean is shown")


def records(asked: argparse.Namespace) -> list[dict]:
    """The records of meta.json that were asked for, univariate ones first."""
    found = json.loads((asked.data / "meta.json").read_text())
    parts = [part for part in asked.only.split(",") if part]
    chosen = [record for record in found if not parts or any(part in record["name"] for part in parts)]
    return sorted(chosen, key=lambda record: record["kind"] != "univariate")


def read(asked: argparse.Namespace, record: dict) -> Series:
    """The series of a record."""
    return vaenb.read_series(
        asked.data / record["file"], labels="label", train_end=record["train_end"], name=record["name"]
    )
