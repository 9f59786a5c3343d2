"""The frozen records that travel from step to step: numpy arrays with names, and little arithmetic."""

from __future__ import annotations

from vaenb.records.arrays import Bools, Floats, Floats32, Ints
from vaenb.records.findings import Events, Report, Scores
from vaenb.records.series import SECONDS_PER_DAY, Series
from vaenb.records.training import EpochRecord, History
from vaenb.records.windows import Windows

__all__ = [
    "SECONDS_PER_DAY",
    "Bools",
    "EpochRecord",
    "Events",
    "Floats",
    "Floats32",
    "History",
    "Ints",
    "Report",
    "Scores",
    "Series",
    "Windows",
]
