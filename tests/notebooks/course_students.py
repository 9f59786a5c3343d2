"""The student's version of a notebook of exercises, made from the one with the solutions."""

import copy
import re

from course_run import KERNELSPEC

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
STUB = "# your code here"
_REGION = re.compile(rf"^([ \t]*){BEGIN}[^\n]*\n.*?^[ \t]*{END}[^\n]*(\n|\Z)", re.MULTILINE | re.DOTALL)
_TESTS = re.compile(
    rf"^[ \t]*{HIDDEN[0]}[^\n]*\n.*?^[ \t]*{HIDDEN[1]}[^\n]*(\n|\Z)", re.MULTILINE | re.DOTALL
)


def students_version(book):
    """A copy without solutions and outputs; nbgrader's metadata of the cells stays, so that it can collect.

    Parameters
    ----------
    book : NotebookNode
        With each solution between ``### BEGIN SOLUTION`` and ``### END SOLUTION``.

    Raises
    ------
    ValueError
        If a marker has no partner, or a cell that is to be solved has no solution.
    """
    made = copy.deepcopy(book)
    for cell in made.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        cell.source = without_solution(cell.source)
        is_to_solve = cell.metadata.get("nbgrader", {}).get("solution", False)
        if is_to_solve != (STUB in cell.source):
            raise ValueError(f"a cell and its nbgrader metadata do not agree on a solution:\n{cell.source}")
    made.metadata = type(made.metadata)(kernelspec=dict(KERNELSPEC), language_info={"name": "python"})
    return made


def without_solution(source):
    """The source of a cell with a stub in place of each solution, and without hidden tests."""
    cut = _REGION.sub(rf"\1{STUB}\2", source)
    cut = _TESTS.sub("", cut).rstrip("\n")
    for marker in (BEGIN, END, *HIDDEN):
        if marker in cut:
            raise ValueError(f"{marker!r} has no partner in:\n{source}")
    return cut
