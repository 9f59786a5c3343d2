"""The command ``vaenb``: the six steps in a terminal."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import sys
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import vaenb
from vaenb.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.detector import VAEDetector
    from vaenb.records import Series
    from vaenb.report import Findings

USER_MISTAKE: Final = 2
INTERRUPTED: Final = 130
NONE: Final = "none"
_OPTIONS: Final = {
    "labels=False": "--labels none",
    "time=False": "--time none",
    "(labels|values|time)=": r"--\1",
    "train_end": "--train-end",
    "window_size": "--window-size",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when it is done, 2 for a user's mistake, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal cannot show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    try:
        options = _parse(arguments)
        options.run(options)
        sys.stdout.flush()
    except (InputError, OutputError) as error:
        print(f"vaenb: {_with_options(str(error))}", file=sys.stderr)
        return USER_MISTAKE
    except KeyboardInterrupt as interrupt:
        print(f"vaenb: interrupted{interrupt}; nothing half-written is left.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _with_options(message: str) -> str:
    """A message in one line, with the options of the command line in place of Python's arguments."""
    for argument, option in _OPTIONS.items():
        message = re.sub(rf"(?<!['\"])\b{argument}(?!['\"])", option, message)
    return " ".join(message.split())


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USER_MISTAKE, f"vaenb: {message}; see {self.prog} --help.\n")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options; those that only JupyterLab knows go on to it."""
    parser = _parser()
    options, others = parser.parse_known_args(arguments)
    if others and options.command != "lab":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    options.others = others
    return options


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="vaenb",
        description="Find anomalies in time series with a variational autoencoder, and see why.",
    )
    parser.add_argument("--version", action="version", version=f"vaenb {vaenb.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    _add_lab(commands.add_parser("lab", help="the notebooks of the course in JupyterLab", allow_abbrev=False))
    demo = commands.add_parser("demo", help="the six steps on a bundled series")
    demo.add_argument("name", nargs="?", default="nyc_taxi", help="which one (default: nyc_taxi)")
    demo.set_defaults(run=_demo)
    detect = commands.add_parser("detect", help="scores, events, a report and a saved detector for a file")
    _add_choices(detect)
    detect.set_defaults(run=_detect)
    for command in (demo, detect):
        command.add_argument("--seed", type=int, default=0, metavar="N", help="of all random numbers")
        command.add_argument(
            "--out", type=Path, metavar="DIR", help="where to write (default: NAME_anomalies)"
        )
    datasets = commands.add_parser("datasets", help="list the bundled series")
    datasets.set_defaults(run=_datasets)
    return parser


def _add_lab(lab: argparse.ArgumentParser) -> None:
    """The arguments of ``vaenb lab``."""
    lab.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("vaenb-course"),
        metavar="FOLDER",
        help="where the notebooks go (default: vaenb-course); what you have changed there stays",
    )
    lab.add_argument("--no-browser", action="store_true", help="do not open a browser")
    lab.add_argument("--port", type=int, metavar="N", help="where JupyterLab listens")
    lab.add_argument("--ip", metavar="ADDRESS", help="where JupyterLab listens (default: this machine only)")
    lab.epilog = "Any other option goes to JupyterLab; write it as --NAME=VALUE."
    lab.set_defaults(run=_lab)


def _add_choices(detect: argparse.ArgumentParser) -> None:
    """The arguments of ``vaenb detect`` that are about the data and the method."""
    detect.add_argument(
        "file", metavar="FILE", help="CSV (.gz too) or Parquet; or many: a folder, or a pattern in quotes"
    )
    detect.add_argument("--key", metavar="COLUMN", help="in a Parquet data set, what tells its series apart")
    detect.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes for many series (default: 1)"
    )
    detect.add_argument("--time", metavar="COLUMN", help="the time axis (default: found), or none")
    detect.add_argument("--values", metavar="A,B", help="the value columns (default: all numbers)")
    detect.add_argument(
        "--labels", metavar="COLUMN", help="the 0/1 labels (default: found, if there are any), or none"
    )
    detect.add_argument(
        "--train-end",
        metavar="WHERE",
        help="end of the training part: a row number, a share (0.5) or a timestamp (default: 0.5)",
    )
    detect.add_argument("--window-size", metavar="N", help="points in a window (default: the series' period)")
    detect.add_argument(
        "--method",
        default="reconstruction_probability",
        metavar="NAME",
        help="reconstruction_probability (default), reconstruction_error, elbo, iwae or latent",
    )
    detect.add_argument(
        "--threshold",
        metavar="RULE",
        help="exponential (default), pot, percentile:95, mad, conformal:0.01, alarms:1 (a day), best_f1, "
        "or a number",
    )
    detect.add_argument("--json", action="store_true", help="print one JSON object instead of a text")


def _lab(options: argparse.Namespace) -> None:
    """Hand the notebooks out, and start JupyterLab on them."""
    from vaenb.lab import hand_out, open_lab, require_lab

    require_lab()
    print(f"The notebooks are in {options.folder.resolve()}: {hand_out(options.folder)}.")
    print("Starting JupyterLab; press Ctrl-C twice to end it.", flush=True)
    chosen = ["--no-browser"] if options.no_browser else []
    chosen += [] if options.port is None else [f"--port={options.port}"]
    chosen += [] if options.ip is None else [f"--ip={options.ip}"]
    open_lab(options.folder, [*chosen, *options.others])


def _datasets(_: argparse.Namespace) -> None:
    for found in vaenb.list_datasets().itertuples():
        channels = "1 channel" if found.channels == 1 else f"{found.channels} channels"
        print(f"{found.name}: {found.rows:,} rows, {channels}; licence: {found.licence}")
        print(textwrap.indent(textwrap.fill(str(found.shows), 96), "    "))
    print("\nvaenb demo NAME takes one of them through the six steps.")


def _demo(options: argparse.Namespace) -> None:
    series = vaenb.load_dataset(options.name)
    read = f"series = vaenb.load_dataset({options.name!r})"
    _study(series, {"seed": options.seed}, read, options)


def _detect(options: argparse.Namespace) -> None:
    values = None if options.values is None else [name.strip() for name in options.values.split(",")]
    choices: dict[str, Any] = {
        "time": False if options.time == NONE else options.time,
        "values": values,
        "labels": False if options.labels == NONE else options.labels,
        "train_end": options.train_end,
    }
    settings: dict[str, Any] = {
        "seed": options.seed,
        "method": options.method,
        "threshold": options.threshold,
    }
    if options.window_size not in {None, "auto"}:
        settings["window_size"] = _whole(options.window_size)
    from vaenb.fleet.terminal import are_many, detect_in_terminal, detect_large_in_terminal, is_large

    read = {name: value for name, value in choices.items() if value is not None}
    if is_large(options.file):
        told = {"read": read, "settings": settings, "as_json": options.json}
        detect_large_in_terminal(options.file, options.out, **told)
        return
    if are_many(options.file, options.key):
        more = {"key": options.key, "workers": options.workers, "as_json": options.json}
        detect_in_terminal(options.file, options.out, read=read, settings=settings, **more)
        return
    series = vaenb.read_series(options.file, **choices)
    chosen = "".join(f", {name}={value!r}" for name, value in choices.items() if value is not None)
    _study(series, settings, f"series = vaenb.read_series({options.file!r}{chosen})", options)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"--window-size is {text!r}; expected a whole number of points, or auto.") from None


def _study(series: Series, settings: dict[str, Any], read: str, options: argparse.Namespace) -> None:
    """Take a series through the six steps, write the files, and tell what was found."""
    from vaenb.report.telling import summary, tell_findings, tell_series

    as_json = getattr(options, "json", False)
    folder = options.out or Path(f"{series.name}_anomalies")
    if not as_json:
        print(tell_series(series), end="\n\n", flush=True)
    findings, detector = _run(series, settings, read, folder)
    if as_json:
        found = summary(findings, detector, file=options.file, folder=folder)
        print(json.dumps(found, allow_nan=False))
        return
    print(tell_findings(findings, detector))
    _tell_files(folder)


def _run(series: Series, settings: dict[str, Any], read: str, folder: Path) -> tuple[Findings, VAEDetector]:
    """Fit, judge and write. The first Ctrl-C ends the training only."""
    from vaenb.formats import counted
    from vaenb.thresholds.base import ThresholdWarning
    from vaenb.training import TrainingWarning
    from vaenb.workflow import output_folder, study, write_findings

    detector = vaenb.VAEDetector(**settings)
    code = f"import vaenb\n\n{read}\ndetector = vaenb.{detector!r}\ndetector.fit(series)\n"
    with output_folder(folder), warnings.catch_warnings():
        for told_anyway in (ThresholdWarning, TrainingWarning):
            warnings.simplefilter("ignore", told_anyway)
        findings = study(series, detector, code=code + "events = detector.detect(series)", progress=True)
        history = detector.history_
        if history.stopped == "interrupted":
            if not len(history):
                raise KeyboardInterrupt(" before the first epoch was complete, so nothing was learnt")
            done = counted(len(history), "epoch")
            print(
                f"vaenb: training interrupted after {done}; going on with what was learnt.", file=sys.stderr
            )
        write_findings(findings, detector, folder)
    return findings, detector


def _tell_files(folder: Path) -> None:
    from vaenb.workflow import FILES

    print(f"\nWritten to {folder}: {', '.join(FILES)}.")
    print(f"Open {folder / 'report.html'} in a browser.")


if __name__ == "__main__":
    raise SystemExit(main())
