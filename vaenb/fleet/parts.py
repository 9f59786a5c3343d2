"""The parts of a long series: what is written of each, and how its events grow together again. NumPy ring."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vaenb.files import atomic_write
from vaenb.frames import blamed

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from vaenb.detector import VAEDetector
    from vaenb.fleet.output import Output
    from vaenb.records import Events, Floats, Ints, Series

    Event = dict[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """What came of a part.

    Attributes
    ----------
    index : ndarray, shape (n_rows,)
    scores : ndarray of float64, shape (n_rows,)
        NaN where a part holds no value at all.
    flags : ndarray of int8, shape (n_rows,)
    events : list of dict
        From `as_dicts`.
    """

    index: NDArray[Any]
    scores: Floats
    flags: NDArray[np.int8]
    events: list[Event]


def as_dicts(events: Events, *, rows: Ints, times: NDArray[Any]) -> list[Event]:
    """Events as plain numbers, with their places in the file.

    Parameters
    ----------
    events : Events
    rows : ndarray of int64
        The row of the file for each position that the events speak of.
    times : ndarray
        Its place in the index.
    """
    stamps = times.astype(np.int64)
    shares = np.empty((len(events), 0)) if events.shares is None else events.shares
    return [
        {
            "first": int(rows[start]),
            "last": int(rows[last]),
            "start": int(stamps[start]),
            "end": int(stamps[last]),
            "peak": int(stamps[peak]),
            "n_points": int(last - start + 1),
            "score": float(score),
            "severity": float(severity),
            "shares": [float(share) for share in of_channels],
        }
        for start, last, peak, score, severity, of_channels in zip(
            events.start, events.stop - 1, events.peak, events.score, events.severity, shares, strict=True
        )
    ]


class Parts:
    """The parts that are done, in a folder beside the results until all are.

    A part's JSON file is written last: where it is, the part is done.

    Parameters
    ----------
    output : Output
    like : Series
        Its name, its channels and the kind of its index.
    """

    def __init__(self, output: Output, like: Series) -> None:
        self.output, self.like = output, like
        self.folder = output.folder / "parts"
        self._done: dict[int, dict[str, Any]] = {}
        for path in self.folder.glob("*.json"):
            self._done[int(path.stem)] = json.loads(path.read_text(encoding="utf-8"))

    def __contains__(self, number: int) -> bool:
        return number in self._done

    @property
    def n_rows(self) -> int:
        """How many rows the parts have that are done."""
        return sum(part["n_rows"] for part in self._done.values())

    @property
    def are_finished(self) -> bool:
        """Whether the events of the whole series are written."""
        return self.like.name in self.output.done()

    def found(self) -> pd.DataFrame:
        """The events that are written."""
        import pandas as pd

        kept = [("series", "==", self.like.name)]
        table = pd.read_parquet(self.output.folder / "events", filters=kept)
        return table.drop(columns="series").astype({"channels": object})

    def add(self, number: int, part: Part) -> None:
        """Write a part.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        import pandas as pd

        table = pd.DataFrame({"time": part.index, "score": part.scores, "flag": part.flags})
        self.output.write("scores", self.like.name, table, part=f"{number:05}")
        told = {
            "n_rows": len(part.index),
            "n_flagged": int(part.flags.sum()),
            "highest": float(np.fmax.reduce(part.scores)),
            "events": part.events,
        }
        self.folder.mkdir(exist_ok=True)
        with atomic_write(self.folder / f"{number:05}.json", "w") as file:
            json.dump(told, file)
        self._done[number] = told

    def events(self, merge_gap: int) -> list[Event]:
        """The events of all parts; two at most `merge_gap` rows apart, over the edge of a part, are one."""
        whole: list[Event] = []
        for number in sorted(self._done):
            for position, event in enumerate(self._done[number]["events"]):
                at_edge = position == 0 and bool(whole)
                if at_edge and event["first"] - whole[-1]["last"] - 1 <= merge_gap:
                    whole[-1] = _joined(whole[-1], event)
                else:
                    whole.append(event)
        return whole

    def finish(self, events: list[Event], detector: VAEDetector, *, seconds: float) -> None:
        """Write the events, and the row of the summary: the series is done.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        self.output.write("events", self.like.name, events_of(events, self.like))
        parts, n_rows = self._done.values(), self.n_rows
        row = {
            "series": self.like.name,
            "status": "done",
            "reason": "",
            "n_points": n_rows,
            "n_channels": self.like.n_channels,
            "window_size": detector.window_size_,
            "threshold": detector.threshold_,
            "n_events": len(events),
            "worst_severity": max((event["severity"] for event in events), default=0.0),
            "flagged": sum(part["n_flagged"] for part in parts) / n_rows,
            "highest_score": float(np.fmax.reduce([part["highest"] for part in parts])),
            "seconds": seconds,
        }
        self.output.finish(row)
        self.output.summary([self.like.name])


def _joined(one: Event, other: Event) -> Event:
    """Two events as one, from the beginning of the first to the end of the other."""
    higher = one if one["score"] >= other["score"] else other
    n_one, n_other = one["n_points"], other["n_points"]
    shares = zip(one["shares"], other["shares"], strict=True)
    return {
        **{name: one[name] for name in ("first", "start")},
        **{name: other[name] for name in ("last", "end")},
        **{name: higher[name] for name in ("peak", "score", "severity")},
        "n_points": other["last"] - one["first"] + 1,
        "shares": [(a * n_one + b * n_other) / (n_one + n_other) for a, b in shares],
    }


def events_of(events: Iterable[Event], like: Series) -> pd.DataFrame:
    """Events as `vaenb.VAEDetector.detect` returns them."""
    import pandas as pd

    rows = list(events)
    kind = like.index.dtype
    times = {name: np.array([row[name] for row in rows], dtype=np.int64) for name in ("start", "end", "peak")}
    return pd.DataFrame(
        {
            **{name: values.astype(kind) for name, values in times.items()},
            "n_points": np.array([row["n_points"] for row in rows], dtype=np.int64),
            "score": np.array([row["score"] for row in rows], dtype=np.float64),
            "severity": np.array([row["severity"] for row in rows], dtype=np.float64),
            "channels": pd.Series(
                [blamed(like.channels, np.array(row["shares"])) for row in rows], dtype=object
            ),
        }
    )
