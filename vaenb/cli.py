"""The command ``vaenb``: the six steps in a terminal."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vaenb
from vaenb.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaenb.detector import VAEDetector
    from vaenb.records import Series
    from vaenb.report import Findings

USER_MISTAKE = 2
INTERRUPTED = 130
SHOWN_EVENTS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 when it is done, 2 for a user's mistake, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (InputError, OutputError) as error:
        print(f"vaenb: {error}", file=sys.stderr)
        return USER_MISTAKE
    except KeyboardInterrupt:
        print("vaenb: interrupted; nothing was written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vaenb",
        description="Find anomalies in time series with a variational autoencoder, and see why.",
    )
    parser.add_argument("--version", action="version", version=f"vaenb {vaenb.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    demo = commands.add_parser("demo", help="the six steps on a bundled series, told as they happen")
    demo.add_argument("name", nargs="?", default="nyc_taxi", help="which one (default: nyc_taxi)")
    demo.add_argument("--out", type=Path, metavar="DIR", help="where to write (default: NAME_anomalies)")
    demo.add_argument("--seed", type=int, default=0)
    demo.set_defaults(run=_demo)

    detect = commands.add_parser("detect", help="scores, events, a report and a saved detector for a file")
    detect.add_argument("file", metavar="FILE", help="CSV (.gz too) or Parquet")
    detect.add_argument("--time", metavar="COLUMN", help="the time axis (default: found)")
    detect.add_argument("--values", metavar="A,B", help="the value columns (default: all numbers)")
    detect.add_argument(
        "--labels", metavar="COLUMN", help="the 0/1 labels (default: found, if there are any)"
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
        help="pot, percentile:95, mad, conformal:0.01, alarms:1 (a day), best_f1, or a number",
    )
    detect.add_argument("--seed", type=int, default=0, metavar="N")
    detect.add_argument("--out", type=Path, metavar="DIR", help="where to write (default: FILE_anomalies)")
    detect.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    detect.set_defaults(run=_detect)

    datasets = commands.add_parser("datasets", help="list the bundled series")
    datasets.set_defaults(run=_datasets)
    return parser


def _datasets(_: argparse.Namespace) -> None:
    print(vaenb.list_datasets().to_string(index=False))


def _demo(options: argparse.Namespace) -> None:
    series = vaenb.load_dataset(options.name)
    print(f"Step 1, prepare the data.\n{series.about}\n")
    print("Steps 2 and 3, build the VAE and train it (nothing to download, no GPU needed).")
    code = f'series = vaenb.load_dataset("{options.name}")'
    folder = options.out or Path(f"{options.name}_anomalies")
    findings, detector = _run(series, {"seed": options.seed}, code, folder)
    _tell_steps(findings, detector)
    _tell_files(folder)


def _detect(options: argparse.Namespace) -> None:
    series = vaenb.read_series(
        options.file,
        time=options.time,
        values=None if options.values is None else [name.strip() for name in options.values.split(",")],
        labels=options.labels,
        train_end=options.train_end,
    )
    settings = {"seed": options.seed, "method": options.method}
    if options.window_size not in {None, "auto"}:
        settings["window_size"] = _whole(options.window_size)
    if options.threshold is not None:
        from vaenb.thresholding import parse_threshold

        settings["threshold"] = parse_threshold(options.threshold)
    folder = options.out or Path(f"{series.name}_anomalies")
    findings, detector = _run(series, settings, _read_line(options), folder)
    if options.json:
        print(json.dumps(_summary(findings, detector, options.file, folder), allow_nan=False))
        return
    print(series.about, end="\n\n")
    _tell_steps(findings, detector)
    _tell_files(folder)


def _run(
    series: Series, settings: dict[str, Any], read_line: str, folder: Path
) -> tuple[Findings, VAEDetector]:
    """Fit, judge and write; what Ctrl-C stops is only the training."""
    from vaenb.workflow import prepare_folder, study, write_findings

    made = prepare_folder(folder)
    try:
        detector = vaenb.VAEDetector(**settings)
        lines = ["import vaenb", "", read_line, f"detector = vaenb.{detector!r}", "detector.fit(series)"]
        code = "\n".join([*lines, "events = detector.detect(series)"])
        findings = study(series, detector, code=code, progress=True)
        if detector.history_.stopped == "interrupted":
            epochs = len(detector.history_)
            note = f"training interrupted after {epochs} epochs; going on with what was learnt."
            print(f"vaenb: {note}", file=sys.stderr)
        write_findings(findings, detector, folder)
    except BaseException:
        if made and not any(folder.iterdir()):
            folder.rmdir()
        raise
    return findings, detector


def _read_line(options: argparse.Namespace) -> str:
    """The line of Python that reads the file as the command did."""
    parts = [repr(options.file)]
    parts += [f"{name}={getattr(options, name)!r}" for name in ("time", "labels") if getattr(options, name)]
    if options.values:
        parts.append(f"values={[name.strip() for name in options.values.split(',')]!r}")
    if options.train_end:
        parts.append(f"train_end={options.train_end!r}")
    return f"series = vaenb.read_series({', '.join(parts)})"


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError(f"--window-size is {text!r}; expected a whole number of points, or auto.") from None


def _tell_steps(findings: Findings, detector: VAEDetector) -> None:
    from vaenb.detector import events_frame

    history = detector.history_
    print(f"Step 3: {len(history)} epochs, the best one is number {history.best_epoch}.")
    for note in (*detector.notes_, *history.warnings):
        print(f"- {note}")
    print(f"\nStep 4: scores by {detector.method}, over windows of {detector.window_size_} points.")
    print(f"\nStep 5: threshold {detector.threshold_:.4g} by {detector.rule_!r}: {detector.rule_.promise}.")
    for warning in detector.rule_.warnings_:
        print(f"- {warning}")
    events = events_frame(findings.events, findings.series).sort_values("severity", ascending=False)
    print(f"\nStep 6: {len(events)} event{'s' * (len(events) != 1)}, most severe first.")
    if len(events):
        shown = events.head(SHOWN_EVENTS).drop(
            columns="peak" if len(detector.channels_) > 1 else ["peak", "channels"]
        )
        print(shown.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
        if len(events) > SHOWN_EVENTS:
            print(f"... and {len(events) - SHOWN_EVENTS} more in events.csv")
    if findings.evaluation is not None:
        _tell_metrics(findings.evaluation)


def _tell_metrics(evaluation: vaenb.Report) -> None:
    print("\nAgainst the labels:")
    print(f"{'':16s}{'VUS-PR':>8s}{'AUC-PR':>8s}{'best F1':>9s}")
    for name, metrics in evaluation.metrics.items():
        print(f"{name:16s}{metrics['vus_pr']:8.3f}{metrics['auc_pr']:8.3f}{metrics['best_f1']:9.3f}")
    for remark in evaluation.remarks:
        print(f"- {remark}")


def _tell_files(folder: Path) -> None:
    from vaenb.workflow import FILES

    print(f"\nWritten to {folder}: {', '.join(FILES)}.")
    print(f"Open {folder / 'report.html'} in a browser.")


def _summary(findings: Findings, detector: VAEDetector, file: str, folder: Path) -> dict[str, Any]:
    """What --json prints; a number that is undefined is null."""
    series = findings.series
    found: dict[str, Any] = {
        "file": file,
        "out": str(folder),
        "n_points": len(series),
        "n_channels": series.n_channels,
        "train_end": series.train_end,
        "window_size": detector.window_size_,
        "method": detector.method,
        "threshold": detector.threshold_,
        "threshold_rule": repr(detector.rule_),
        "false_alarms_per_day": detector.rule_.expected_false_alarms_per_day_,
        "n_events": len(findings.events),
        "n_flagged": int((findings.scores.values > detector.threshold_).sum()),
        "seconds": detector.seconds_,
        "repairs": list(series.repairs),
        "warnings": [*detector.notes_, *detector.history_.warnings, *detector.rule_.warnings_],
        "version": vaenb.__version__,
    }
    if findings.evaluation is not None:
        found["metrics"] = {name: dict(metrics) for name, metrics in findings.evaluation.metrics.items()}
        found["remarks"] = list(findings.evaluation.remarks)
    return {key: _without_nan(value) for key, value in found.items()}


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


if __name__ == "__main__":
    raise SystemExit(main())
