"""A file that is larger than memory, as one table after the other. NumPy ring."""

from __future__ import annotations

import gzip
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vaenb.errors import InputError
from vaenb.reading.dialects import SAMPLE, sniff
from vaenb.reading.tables import csv_options, from_pandas, plain_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

_GZIP: Final = b"\x1f\x8b"
_BUFFER: Final = 1 << 20  # bytes of a column that are read at once


class PiecesOf:
    """A CSV or Parquet file, or a folder of Parquet files in the order of their names, piece by piece.

    Parameters
    ----------
    path : path

    Attributes
    ----------
    n_rows : int
        Of a CSV file, its lines without the header.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"There is no file {self.path}: check the name and the folder.")
        found = sorted(self.path.glob("**/*.parquet")) if self.path.is_dir() else [self.path]
        if not found:
            raise InputError(f"There is no Parquet file in {self.path}; expected some.")
        with found[0].open("rb") as file:
            start = file.read(4)
        self._files = found
        self._is_parquet, self._is_zipped = start == b"PAR1", start.startswith(_GZIP)
        self.n_rows = self._count()

    def read(self, size: int) -> Iterator[pd.DataFrame]:
        """The rows in order, in tables of `size` rows; the last one has half as many to 1.5 times as many.

        Raises
        ------
        InputError
            If the file is damaged, with the rows near which it is.
        """
        import pandas as pd

        waiting: list[pd.DataFrame] = []
        n_waiting = n_read = 0
        try:
            for table in self._tables(size):
                waiting.append(table)
                n_waiting += len(table)
                while n_waiting > size + size // 2:
                    whole = waiting[0] if len(waiting) == 1 else pd.concat(waiting, ignore_index=True)
                    yield whole.iloc[:size].reset_index(drop=True)
                    waiting, n_waiting = [whole.iloc[size:]], n_waiting - size
                    n_read += size
        except InputError:
            raise
        except (OSError, EOFError, zlib.error, ValueError, RuntimeError, LookupError, TypeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise InputError(
                f"{self.path} is damaged behind row {n_read:,} ({reason}): write or copy it again."
            ) from None
        if n_waiting:
            yield pd.concat(waiting, ignore_index=True)

    def _tables(self, size: int) -> Iterator[pd.DataFrame]:
        if not self._is_parquet:
            yield from self._of_csv(size)
            return
        for file in self._files:
            # One column's pages at a time: a row group may be the whole file.
            with open_parquet(file) as opened:
                for batch in opened.iter_batches(batch_size=size, use_threads=False):
                    yield from_pandas(batch.to_pandas()).frame

    def _of_csv(self, size: int) -> Iterator[pd.DataFrame]:
        import pandas as pd

        with self._open() as file:
            dialect = sniff(self.path, file.read(SAMPLE))
        options = csv_options(dialect, dialect.encoding, zipped=self._is_zipped)
        with (
            warnings.catch_warnings(action="error", category=pd.errors.ParserWarning),
            pd.read_csv(self.path, chunksize=size, **options) as reader,
        ):
            for table in reader:
                if not dialect.has_header:
                    several = table.shape[1] > 1
                    table.columns = [f"v{i}" for i in range(table.shape[1])] if several else ["value"]
                table.columns = plain_names(table.columns)
                yield table

    def _open(self) -> Any:
        """The bytes of the CSV file."""
        return gzip.open(self.path, "rb") if self._is_zipped else self.path.open("rb")

    def _count(self) -> int:
        if self._is_parquet:
            counts = []
            for file in self._files:
                with open_parquet(file) as opened:
                    counts.append(opened.metadata.num_rows)
            return sum(counts)
        n_lines, last = 0, b"\n"
        try:
            with self._open() as file:
                while block := file.read(_BUFFER):
                    n_lines += block.count(b"\n")
                    last = block[-1:]
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise InputError(
                f"{self.path} is a damaged gzip file ({error}): copy or compress it again."
            ) from None
        return max(n_lines + (last != b"\n") - 1, 0)


def open_parquet(path: Path) -> Any:
    """A Parquet file, read a piece of a column at a time; an `InputError` where it is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} is a damaged Parquet file ({reason}): write or copy it again.") from None
