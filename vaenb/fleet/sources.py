"""Where the series of a fleet are, and how a worker gets at one. NumPy ring."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaenb.errors import InputError
from vaenb.files import atomic_write

if TYPE_CHECKING:
    import os

    import pandas as pd

    Source = str | os.PathLike[str] | Any

WRITTEN = "_written"  # a file that no reader of Parquet takes for data
SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True)
class Member:
    """One series: its name, and where it is. It can be sent to another process.

    Attributes
    ----------
    name : str
        Of the file without its suffix, or the value of the key.
    path : str
        A file; or a Parquet data set, of which the rows with `value` in the column `key` are the series.
    key : str or None
    value : object
    """

    name: str
    path: str
    key: str | None = None
    value: Any = None

    def load(self) -> str | pd.DataFrame:
        """What `vaenb.read_series` takes."""
        if self.key is None:
            return self.path
        import pyarrow.dataset as ds

        rows = _dataset(self.path).to_table(filter=ds.field(self.key) == self.value)
        table: pd.DataFrame = rows.drop_columns([self.key]).to_pandas()
        return table


def find_series(source: Source, *, key: str | None, scratch: Path) -> list[Member]:
    """The series of a source, in the order of their names.

    Parameters
    ----------
    source : path, str or Dask DataFrame
        See `vaenb.fleet.detect_many`.
    key : str, optional
    scratch : Path
        Where a Dask DataFrame is written to, sorted by series.

    Raises
    ------
    InputError
        If there is none, or two have the same name.
    """
    if hasattr(source, "dask"):
        found = _of_frame(source, key, scratch)
    elif key is not None:
        found = _of_dataset(str(Path(source).resolve()), key)
    else:
        found = [Member(_name(path), str(path.resolve())) for path in _files(source)]
    if not found:
        raise InputError(f"There is no series in {str(source)!r}; expected files {', '.join(SUFFIXES)}.")
    twice = [name for name, n in Counter(member.name for member in found).items() if n > 1]
    if twice:
        raise InputError(
            f"Two series are called {twice[0]!r}, and would overwrite each other: rename one of their files."
        )
    return sorted(found, key=lambda member: member.name)


def _files(source: Source) -> list[Path]:
    path = Path(source)
    if path.is_dir():
        found = sorted(path.iterdir())
    elif path.is_file():
        found = [path]
    else:
        found = [Path(each) for each in sorted(glob(str(source), recursive=True))]  # noqa: PTH207 - any pattern
    return [each for each in found if each.is_file() and each.name.endswith(SUFFIXES)]


def _name(path: Path) -> str:
    suffix = next(suffix for suffix in SUFFIXES if path.name.endswith(suffix))
    return path.name.removesuffix(suffix)


def _dataset(path: str) -> Any:
    import pyarrow.dataset as ds

    return ds.dataset(path, format="parquet", partitioning="hive")


def _of_dataset(path: str, key: str) -> list[Member]:
    import pyarrow as pa

    try:
        dataset = _dataset(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(f"{path!r} is no Parquet data set: {error}.") from error
    if key not in dataset.schema.names:
        raise InputError(
            f"There is no column {key!r} in {path!r}; expected one of: {', '.join(dataset.schema.names)}."
        )
    values = set()
    for batch in dataset.to_batches(columns=[key]):
        values |= set(batch.column(0).unique().to_pylist())
    return [Member(str(value), path, key, value) for value in values if value is not None]


def _of_frame(frame: Any, key: str | None, scratch: Path) -> list[Member]:
    """Write a Dask DataFrame once, sorted by series: reading one of them then touches its files alone.

    A run that goes on finds it written, if the DataFrame is the same to Dask.
    """
    from dask.base import tokenize

    if key is None or key not in frame.columns:
        raise InputError(
            f"key is {key!r}; expected the column that tells the series of the DataFrame apart, one of: "
            f"{', '.join(map(str, frame.columns))}."
        )
    if frame.index.name is not None:  # the time, most likely
        frame = frame.reset_index()
    token, written = tokenize(frame), scratch / WRITTEN
    if written.exists() and written.read_text(encoding="utf-8") == token:
        return _of_dataset(str(scratch), key)
    frame.to_parquet(
        scratch,
        partition_on=[key],
        write_index=False,
        write_metadata_file=False,
        overwrite=True,
        name_function=lambda part: f"part-{part:08}.parquet",  # names in the order of the parts
    )
    with atomic_write(written, "w") as file:
        file.write(token)
    return _of_dataset(str(scratch), key)
