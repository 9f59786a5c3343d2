"""The tool for the notebooks of the course.

::

    python tests/notebooks/course.py run                     # execute all in place, each in a fresh kernel
    python tests/notebooks/course.py run 05 exercises/05     # some of them
    python tests/notebooks/course.py check [NAME ...]        # is everything as it should be?
    python tests/notebooks/course.py students                # the student's versions of the exercises
    python tests/notebooks/course.py links                   # the addresses outside the course

A notebook that fails is left as it was.
"""

import argparse
import sys
from contextlib import nullcontext
from pathlib import Path

import nbformat
from course_check import check_notebook, check_page, external_links
from course_clock import one_core
from course_run import execute, in_order, write
from course_students import students_version

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def find(names, folder=NOTEBOOKS):
    """The notebooks that names mean: "05", "05_set_the_threshold", "exercises/05", "exercises", or a path."""
    everything = in_order(folder)
    found = []
    for name in names:
        path = Path(name) / "0" if Path(name).name == "exercises" else Path(name)
        is_exercise = path.parent.name in {"exercises", "solutions"}
        here = [
            each
            for each in everything
            if each.name.startswith(path.name.removesuffix(".ipynb"))
            and (each.parent.name == "solutions") == is_exercise
        ]
        if not here:
            raise SystemExit(
                f"there is no notebook {name!r}; expected some of: " + ", ".join(map(short, everything))
            )
        found += here
    return found or everything


def short(path):
    """The name of a notebook within the course."""
    return f"exercises/{path.stem}" if path.parent.name == "solutions" else path.stem


def run(names, *, on_one_core):
    """Execute notebooks in place; 1 if one of them failed."""
    failed = 0
    for path in find(names):
        with one_core() if on_one_core else nullcontext():
            outcome = execute(path)
        slowest = max(outcome.cells, default=0.0)
        print(f"{short(path)}: {outcome.seconds:.0f} s, slowest cell {slowest:.0f} s", flush=True)
        if outcome.problems:
            failed = 1
            print(*(f"  {problem}" for problem in outcome.problems), "  the file is left as it was", sep="\n")
        else:
            write(outcome.book, path)
    return failed


def check(names):
    """Print what is wrong; 1 if something is."""
    pages = [] if names else sorted([*NOTEBOOKS.glob("*.md"), *NOTEBOOKS.glob("exercises/*.md")])
    wrong = {path: check_notebook(path) for path in find(names)} | {page: check_page(page) for page in pages}
    for path, problems in wrong.items():
        print(
            *(f"{path.relative_to(NOTEBOOKS)}: {problem}" for problem in problems),
            sep="\n",
            end="\n" * bool(problems),
        )
    n_problems = sum(map(len, wrong.values()))
    print(f"{len(wrong)} files, {n_problems} problems")
    return int(n_problems > 0)


def students():
    """Write the student's version of every notebook of exercises."""
    for path in in_order(NOTEBOOKS):
        if path.parent.name == "solutions":
            made = path.parents[1] / path.name
            write(students_version(nbformat.read(path, as_version=4)), made)
            print(made.relative_to(NOTEBOOKS))
    return 0


def links():
    """Print the addresses outside the course, a line each."""
    pages = [*in_order(NOTEBOOKS), *NOTEBOOKS.glob("*.md")]
    print(*sorted({link for page in pages for link in external_links(page)}), sep="\n")
    return 0


def main(arguments=None):
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["run", "check", "students", "links"])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--one-core", action="store_true", help="run on one core, as on Binder")
    options = parser.parse_intermixed_args(arguments)
    if options.command == "run":
        return run(options.names, on_one_core=options.one_core)
    if options.command == "check":
        return check(options.names)
    return students() if options.command == "students" else links()


if __name__ == "__main__":
    sys.exit(main())
