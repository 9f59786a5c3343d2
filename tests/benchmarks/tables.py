"""Makes the tables of both README.md, this folder's and the package's, from the files in `results/`.

    python tests/benchmarks/tables.py [--check]

A table stands between ``<!-- table: FILE.KEY.KEY -->`` and ``<!-- end of table -->``: the list of rows that
results/FILE.json holds under those keys; ``<!-- table: FILE.KEY (column, column) -->`` shows only some of its
columns. Where the file is not there, the table stays as it is. ``--check`` writes nothing and fails where a
table is not what its file says.
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

HERE = Path(__file__).parent
PAGES = (HERE / "README.md", HERE.parents[1] / "README.md")
BLOCK = re.compile(
    r"(?P<begin><!-- table: (?P<name>[^(\n]+?)(?: \((?P<columns>[^\n]*)\))? -->\n)"
    r".*?(?P<end><!-- end of table -->)",
    re.DOTALL,
)


def markdown(rows: Sequence[Mapping[str, object]], columns: Sequence[str] = ()) -> str:
    """Rows as a table; without columns, those of the first row."""
    columns = list(columns or rows[0])
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
        rows = rows_of(block["name"])
        if rows is None:
            print(f"{block['name']}: no results here; the table stays as it is")
            return block[0]
        columns = block["columns"].split(", ") if block["columns"] else ()
        return f"{block['begin']}{markdown(rows, columns)}{block['end']}"

    return BLOCK.sub(replace, page)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail where a table is stale; write nothing")
    asked = parser.parse_args()
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        made = fill(page)
        if not asked.check:
            path.write_text(made, encoding="utf-8")
        elif made != page:
            sys.exit(f"{path} is stale: python tests/benchmarks/tables.py")


if __name__ == "__main__":
    main()
