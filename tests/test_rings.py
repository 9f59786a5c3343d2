"""The three rings: what an import may bring in, seen in a fresh process for each."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vaenb

PACKAGE = Path(vaenb.__file__).parent
TENSORFLOW_RING = {
    "backend",
    "networks",
    "graphs",
    "objectives",
    "model",
    "sampling",
    "lending",
    "training",
    "training_graph",
    "draws",
    "training_run",
    "distributing",
    "checkpoint",
    "scoring",
    "streaming",
    "score_graph",
    "imputing",
    "watching",
    "explaining",
    "reconstructing",
    "detector",
    "fit_steps",
    "judged_scores",
    "saving",
    "workflow",
}
FILES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "__init__.py" and "labext" not in path.parts
}
MODULES = sorted(FILES)
WIDGET_RING = [name for name in MODULES if name.partition(".")[0] in {"panels", "study", "study_run"}]
NUMPY_RING = [name for name in MODULES if name not in {*TENSORFLOW_RING, *WIDGET_RING}]
HEAVY = {"tensorflow", "tensorflow_probability", "keras", "tf_keras"}
WIDGETS = {"anywidget", "bqplot", "ipywidgets"}


def loaded_after(code):
    """The top-level modules in a fresh process after it ran `code`."""
    ask = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_door_is_light():
    loaded = loaded_after("import vaenb; dir(vaenb); vaenb.__version__")
    assert not loaded & (HEAVY | WIDGETS | {"pandas", "scipy", "sklearn"})


def test_the_numpy_ring_needs_neither_tensorflow_nor_widgets():
    code = "\n".join(f"import vaenb.{name}" for name in NUMPY_RING)
    assert not loaded_after(code) & (HEAVY | WIDGETS)


def test_the_numpy_ring_works_where_tensorflow_cannot_be_imported():
    code = """
import sys
for name in ("tensorflow", "tensorflow_probability", "keras", "bqplot", "ipywidgets", "anywidget"):
    sys.modules[name] = None
import numpy as np, vaenb
series = vaenb.load_dataset("nyc_taxi")
prepared = vaenb.prepare(series)
scores = np.abs(series.values[:, 0] - np.median(series.values))
rule = vaenb.POT().fit(scores[: series.train_end], window_size=prepared.window_size)
vaenb.evaluate(series.labels, scores, rule)
vaenb.find_events(scores, rule.threshold_)
"""
    assert "vaenb" in loaded_after(code)


def test_the_tensorflow_ring_brings_no_widget():
    assert not loaded_after("import vaenb.detector, vaenb.workflow") & WIDGETS


def test_the_widget_ring_brings_no_tensorflow():
    code = "\n".join(f"import vaenb.{name}" for name in WIDGET_RING)
    assert not loaded_after(code) & HEAVY


def test_panels_bring_widgets_and_view_models_bring_none():
    panels = "\n".join(f"import vaenb.{name}" for name in WIDGET_RING if name.startswith("panels."))
    assert loaded_after(panels) >= WIDGETS
    models = "\n".join(f"import vaenb.{name}" for name in NUMPY_RING if name.startswith("view_models."))
    assert "vaenb.view_models.timeline" in models
    assert not loaded_after(models) & (HEAVY | WIDGETS)


def test_panels_work_where_tensorflow_cannot_be_imported():
    made = "\n".join(f"import vaenb.{name}" for name in WIDGET_RING)
    code = f"""
import sys
for name in ("tensorflow", "tensorflow_probability", "keras", "tf_keras"):
    sys.modules[name] = None
{made}
sys.path.insert(0, {str(Path(__file__).parent / "panels")!r})
import tempfile
from pathlib import Path
from make_evidence import make_evidence
from make_fleet import make_fleet
import vaenb
evidence = make_evidence()
folder = make_fleet(Path(tempfile.mkdtemp()))[1]
for panel in (
    vaenb.DataPanel(evidence.series),
    vaenb.TrainingPanel.of(evidence),
    vaenb.LatentPanel(evidence),
    vaenb.ThresholdPanel(evidence),
    vaenb.JudgePanel(evidence, verdicts=None),
    vaenb.FleetPanel(out=folder),
):
    assert "<img" in panel.snapshot() and panel.code()
    panel.close()
"""
    assert loaded_after(code) >= WIDGETS


@pytest.mark.parametrize("name", [name for name in WIDGET_RING if name.startswith("panels.")])
def test_no_panel_imports_tensorflow_even_late(name):
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    found = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    found |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not found & {f"vaenb.{module}" for module in TENSORFLOW_RING}
    assert not {each.partition(".")[0] for each in found} & HEAVY


def test_every_module_belongs_to_a_ring():
    assert {"model", "training", "scoring", "detector"} <= TENSORFLOW_RING & set(MODULES)
    assert {"records", "windows", "reading", "evaluation"} <= set(NUMPY_RING)


@pytest.mark.parametrize("name", [*NUMPY_RING, *WIDGET_RING])
def test_arrows_point_inwards(name):
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    top = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in top if isinstance(node, ast.ImportFrom)}
    outer, foreign = {f"vaenb.{module}" for module in TENSORFLOW_RING}, set(HEAVY)
    if name in NUMPY_RING:
        outer |= {f"vaenb.{module}" for module in WIDGET_RING}
        foreign |= WIDGETS
    assert not {n for n in names if n in outer or n.partition(".")[0] in foreign}


def test_every_name_of_the_door_opens():
    for name in vaenb.__all__:
        assert getattr(vaenb, name) is not None
    assert set(vaenb.__all__) <= set(dir(vaenb))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'VEA'.*VAE"):
        vaenb.VEA  # noqa: B018
