"""How a text file writes its table: separator, decimal mark, encoding, header; told from its first lines."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vaenb.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE: Final = 1 << 18  # bytes
_SEPARATORS: Final = ("\t", ";", "|", ",")
_NO_SEPARATOR: Final = "\x1f"
_BLANKS: Final = r"\s+"
_NUMBER: Final = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?|[+-]?(nan|inf)", re.IGNORECASE)
_DECIMAL_COMMA: Final = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")
_DATE: Final = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d.*)?|\d{1,2}:\d{2}.*")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How a text file writes its table."""

    encoding: str
    separator: str
    decimal: str
    has_header: bool
    n_skipped: int  # lines before the header

    @property
    def is_single(self) -> bool:
        """Whether the table has one column."""
        return self.separator == _NO_SEPARATOR


def sniff(path: Path, sample: bytes) -> Dialect:
    """Tell the dialect from the first lines."""
    encoding = _encoding(sample)
    text = sample.decode(encoding, errors="ignore")
    strange = sum(ord(char) < 32 and char not in "\t\n\r\f" for char in text[:4096])
    if "\0" in text or strange > 0.02 * len(text[:4096]):
        raise InputError(f"{path} is not a text file; expected CSV or Parquet: export the table as CSV.")
    lines = text.splitlines()
    if len(sample) == SAMPLE and len(lines) > 1:
        lines.pop()  # the sample cuts it
    full = [number for number, line in enumerate(lines) if line.strip()]
    if not full:
        raise InputError(
            f"{path} is empty; expected a table with a header and rows: check how it was written."
        )
    if re.match(r"\s*(\{|<|\[\s*[\[{])", text):
        raise InputError(
            f"{path} is JSON, HTML or the like; expected CSV or Parquet: export the table as CSV."
        )
    told = re.fullmatch(r'"?sep=(.)"?', lines[full[0]].strip())  # Excel's hint to itself
    full = _without_comments(lines, full[1:] if told else full)
    rows = [lines[number] for number in full[:200]]
    separator = told[1] if told else _separator(rows)
    fields = [field.strip() for row in rows[1:] for field in _fields(row, separator)]
    comma = separator != "," and any(_DECIMAL_COMMA.fullmatch(field) for field in fields)
    return Dialect(
        encoding=encoding,
        separator=separator,
        decimal="," if comma else ".",
        has_header=not rows or _is_header(_fields(rows[0], separator)),
        n_skipped=full[0] if full else 0,
    )


def _without_comments(lines: list[str], full: list[int]) -> list[int]:
    """The lines without comments before the table; the last one stays where it is the header."""
    first = next((i for i, number in enumerate(full) if not lines[number].startswith("#")), len(full))
    if first in {0, len(full)}:
        return full
    below = lines[full[first]]
    separator = _separator([below])
    is_header = not _is_header(_fields(below, separator)) and len(_fields(below, separator)) == len(
        _fields(lines[full[first - 1]], separator)
    )
    return full[first - is_header :]


def _encoding(sample: bytes) -> str:
    if sample[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    return "utf-8-sig"


def _fields(line: str, separator: str) -> list[str]:
    if separator == _BLANKS:
        return line.split()
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])


def _separator(rows: list[str]) -> str:
    """The first separator that cuts nearly all lines into as many fields as the header."""
    for separator in _SEPARATORS:
        counts = [len(_fields(row, separator)) for row in rows]
        if counts[0] > 1 and sum(count == counts[0] for count in counts) >= 0.9 * len(counts):
            return separator
    if len(rows[0].split()) > 1 and all(_is_of_values(row.split()) for row in rows[1:] or rows):
        return _BLANKS
    found = max(_SEPARATORS, key=rows[0].count)
    return found if found in rows[0] and not _NUMBER.fullmatch(rows[0].strip()) else _NO_SEPARATOR


def _is_header(fields: list[str]) -> bool:
    """Whether a line names columns: not when everything in it is a value."""
    full = [field.strip() for field in fields if field.strip()]
    counted = [str(i) for i in range(len(full))]  # a table written without names: 0, 1, 2 ...
    if len(full) > 1 and full == counted:
        return True
    return not _is_of_values(full)


def _is_of_values(fields: list[str]) -> bool:
    return all(_NUMBER.fullmatch(field) or _DATE.fullmatch(field) for field in fields)
