"""The bundled series are the ones that were meant, and carry their licences."""

import gzip
import hashlib
import json
from importlib.resources import files

import numpy as np
import pytest

from vaenb import InputError, list_datasets, load_dataset, prepare

FOLDER = files("vaenb.datasets")
CATALOGUE = json.loads((FOLDER / "meta.json").read_text(encoding="utf-8"))
NAMES = [entry["name"] for entry in CATALOGUE]


@pytest.mark.parametrize("known", CATALOGUE, ids=NAMES)
def test_each_series_is_what_its_record_says(known):
    content = gzip.decompress((FOLDER / known["file"]).read_bytes())
    assert hashlib.sha256(content).hexdigest() == known["sha256"]
    series = load_dataset(known["name"])
    assert (series.name, len(series), series.n_channels) == (known["name"], known["rows"], known["channels"])
    assert (series.train_end, series.interval) == (known["train_end"], known["interval_s"])
    assert series.labels[: series.train_end].sum() == 0
    assert series.labels.sum() > 0
    assert series.credit.endswith(f"licence: {known['licence']}")
    assert series.credit in series.about
    prepared = prepare(series)
    assert np.isfinite(prepared.everything.values).all()
    assert 16 <= prepared.window_size <= 128


def test_the_values_are_the_file_s():
    rows = gzip.decompress((FOLDER / "server_metrics.csv.gz").read_bytes()).decode().split()
    expected = np.array([row.split(",")[1:-1] for row in rows[1:]], dtype=float)
    np.testing.assert_array_equal(load_dataset("server_metrics").values, expected)


def test_the_clock_of_the_machine_goes_back_once():
    series = load_dataset("machine_temperature")
    assert (
        "the clock goes back once (by 55 min after 2014-01-07 02:55): the rows stay in their order"
        in series.repairs
    )
    np.testing.assert_array_equal(series.cells, np.arange(len(series)))


def test_each_licence_is_in_the_folder():
    told = (FOLDER / "ATTRIBUTION.md").read_text(encoding="utf-8")
    for entry in CATALOGUE:
        line = next(line for line in told.splitlines() if line.startswith(f"| `{entry['name']}` |"))
        licence = line.split("`LICENSES/")[1].split("`")[0]
        assert (FOLDER / "LICENSES" / licence).is_file()
        assert entry["licence"].split()[0] in licence or "ODC-BY" in licence


def test_the_list():
    table = list_datasets()
    assert table.columns.tolist() == ["name", "rows", "channels", "shows", "licence"]
    assert table["name"].tolist() == NAMES
    assert len(set(NAMES)) == 5


def test_an_unknown_name():
    with pytest.raises(
        InputError, match="There is no dataset 'taxi'; expected one of: nyc_taxi, machine_temperature"
    ):
        load_dataset("taxi")
