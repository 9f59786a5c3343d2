"""Makes the tables of README.md from the files in `results/`.

    python tests/benchmarks/tables.py [--check]

A table stands between ``<!-- table: FILE.KEY.KEY -->`` and ``<!-- end of table -->``: the list of rows that
results/FILE.json holds under those keys. Where the file is not there, the table stays as it is. ``--check``
writes nothing and fails where a table is not what its file says.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from common import load, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

README = Path(__file__).with_name("README.md")
BLOCK = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def markdown(rows: Sequence[Mapping[str, object]]) -> str:
    """Rows as a table; the keys of the first row are the columns."""
    columns = list(rows[0])
    lines = [columns, ["---"] * len(columns)]
    lines += [[text(row.get(column)) for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def rows_of(name: str) -> list[dict] | None:
    """The rows that a marker asks for; None where its file is not there."""
    file, *keys = name.split(".")
    found = load(file)
    if not found:
        return None
    for key in keys:
        found = found[key]
    return list(found) or None


def fill(page: str) -> str:
    """The page with each table as its file has it."""

    def replace(block: re.Match[str]) -> str:
        rows = rows_of(block[2])
        if rows is None:
            print(f"{block[2]}: no results here; the table stays as it is")
            return block[0]
        return f"{block[1]}{markdown(rows)}{block[3]}"

    return BLOCK.sub(replace, page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail where a table is stale; write nothing")
    asked = parser.parse_args()
    page = README.read_text()
    made = fill(page)
    if not asked.check:
        README.write_text(made)
    elif made != page:
        sys.exit("README.md is stale: python tests/benchmarks/tables.py")


if __name__ == "__main__":
    main()
