"""The table of a run: its order, its words, its little pictures; against plain sorting and by hand."""

import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vaenb.errors import InputError
from vaenb.view_models.fleet import COLUMNS, FleetTable
from vaenb.view_models.fleet_code import fleet_code
from vaenb.view_models.fleet_picture import fleet_picture
from vaenb.view_models.fleet_progress import FleetProgress
from vaenb.view_models.fleet_spark import HEIGHT, N_BINS, WIDTH, Sparks, spark

GAP = "\u2013"


def row(name, severity=1.0, *, status="done", **more):
    if status != "done":
        return {"series": name, "status": status, "reason": "It is empty.", **more}
    known = {"n_events": 2, "worst_severity": severity, "flagged": 0.125, "n_points": 1234, "threshold": 2.0}
    return {"series": name, "status": status, "reason": "", **known, **more}


def table_of(*rows, waiting=()):
    return FleetTable([each["series"] for each in rows] + list(waiting), rows)


# ---------------------------------------------------------------------- order


def test_worst_first_then_the_failed_then_those_that_wait():
    table = table_of(row("a", 1.0), row("b", 9.0), row("c", status="failed"), row("d", 0.0), waiting="e")
    assert table.order == ["b", "a", "d", "c", "e"]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["done", "failed"])), max_size=30))
def test_the_order_is_that_of_plain_sorting_either_way_with_gaps_last(found):
    rows = [row(f"s{i:02}", float(value), status=status) for i, (value, status) in enumerate(found)]
    random.Random(0).shuffle(rows)
    table = table_of(*rows)
    for descending in (True, False):
        table.sort("worst_severity", descending=descending)
        done = [each for each in rows if each["status"] == "done"]
        sign = -1 if descending else 1
        known = sorted(done, key=lambda each: (sign * each["worst_severity"], each["series"]))
        gaps = sorted(each["series"] for each in rows if each["status"] == "failed")
        assert table.order == [each["series"] for each in known] + gaps


def test_names_are_sorted_as_a_person_counts():
    table = FleetTable(["pump-10", "Pump-9", "fan", "pump-100"])
    table.sort("series")
    assert table.order == ["fan", "Pump-9", "pump-10", "pump-100"]
    table.sort("series")
    assert table.order == ["pump-100", "pump-10", "Pump-9", "fan"]


def test_a_column_sorts_numbers_from_the_highest_down_then_the_other_way():
    table = table_of(row("a", n_points=10), row("b", n_points=30), row("c", n_points=20))
    table.sort("n_points")
    assert table.order == ["b", "c", "a"]
    table.sort("n_points")
    assert table.order == ["a", "c", "b"]
    table.sort("status")
    assert not table.descending


def test_the_status_that_needs_somebody_comes_first():
    table = table_of(row("a"), row("b", status="failed"), waiting="c")
    table.sort("status")
    assert table.order == ["b", "c", "a"]


def test_an_unknown_column_names_the_known_ones():
    with pytest.raises(InputError, match="no column 'reason' to sort by; expected one of series, status"):
        FleetTable().sort("reason")


def test_an_unknown_series_names_some():
    with pytest.raises(InputError, match=r"no series 'x'; expected one of 2, such as 'a', 'b'"):
        FleetTable("ab")["x"]


def test_the_filter_takes_any_case_and_says_nothing_new_when_it_is_the_same():
    table = FleetTable(["Pump A", "pump b", "fan"])
    table.filter(" PUMP ")
    assert table.order == ["Pump A", "pump b"]
    version = table.version
    table.filter("PUMP")
    assert table.version == version
    table.filter("")
    assert len(table.order) == 3


def test_every_change_is_another_version_and_rows_take_each_others_place():
    table = table_of(row("a"), waiting="b")
    versions = [table.version]
    for change in (lambda: table.add(row("b", 5.0)), lambda: table.sort("series"), table.begin):
        change()
        versions.append(table.version)
    assert len(set(versions)) == 4
    assert len(table) == 2
    assert table["b"]["worst_severity"] == 5.0


def test_what_failed_waits_again_when_a_run_begins():
    table = table_of(row("a"), row("b", status="failed"))
    table.begin()
    assert [table[name]["status"] for name in "ab"] == ["done", "waiting"]


# ---------------------------------------------------------------------- what rows say


def test_a_window_holds_just_the_rows_asked_for():
    table = FleetTable(f"s{i:03}" for i in range(100))
    table.sort("series", descending=False)
    assert [each["name"] for each in table.window(10, 13)] == ["s010", "s011", "s012"]
    assert table.window(-5, 2) == table.window(0, 2)
    assert table.window(98, 300) == table.window(98, 100)
    assert table.window(300, 400) == []


def test_a_row_says_its_numbers_or_a_dash():
    table = table_of(row("a", 3.14159), row("b", status="failed"), row("c", float("nan")))
    assert table.told("a")["cells"] == ["a", "done", "2", "3.14", "12\u202f%", "1,234"]
    assert table.told("b")["cells"] == ["b", "failed", GAP, GAP, GAP, GAP]
    assert table.told("b")["reason"] == "It is empty."
    assert table.told("c")["cells"][3] == GAP
    assert len(table.told("a")["cells"]) == len(COLUMNS)


# ---------------------------------------------------------------------- how far it is


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_progress_from_start_to_end():
    clock, table = Clock(), FleetTable(f"s{i}" for i in range(10))
    progress = FleetProgress(table, clock)
    assert (progress.words, progress.start_words, progress.can_start) == ("0 of 10 series.", "Start", True)
    progress.begin()
    assert progress.words.startswith("0 of 10 series. The first series waits for TensorFlow")
    for i in range(4):
        clock.now += 2.0
        table.add(row(f"s{i}", status="failed" if i == 3 else "done"))
        progress.count()
        if i == 0:
            assert progress.words == "1 of 10 series. The second one tells how fast it goes."
    assert progress.rate == 0.5
    assert progress.words == "4 of 10 series, 1 failed. 2 s a series, about 12 s left."
    assert not progress.can_start
    progress.stop()
    assert progress.words == "4 of 10 series, 1 failed. Stopping after the series that is being done."
    progress.end(interrupted=True)
    assert progress.words == "4 of 10 series, 1 failed. Interrupted; what is done is kept."
    assert (progress.start_words, progress.can_start, progress.share) == ("Go on", True, 0.4)


def test_a_fast_run_tells_series_a_second():
    clock, table = Clock(), FleetTable(f"s{i}" for i in range(100))
    progress = FleetProgress(table, clock)
    progress.begin()
    for i in range(40):
        clock.now += 0.25
        table.add(row(f"s{i}"))
        progress.count()
    assert progress.words == "40 of 100 series. 4 series a second, about 15 s left."
    table.set_names(f"t{i}" for i in range(10_000))
    assert progress.words == "40 of 10,100 series. 4 series a second, about 42 min left."


def test_what_can_be_done_at_the_end():
    table = table_of(row("a"), row("b", status="failed"))
    progress = FleetProgress(table)
    progress.end()
    assert (progress.state, progress.start_words, progress.can_start) == ("ready", "Try failed again", True)
    table.add(row("b"))
    assert not progress.can_start
    assert progress.words == "2 of 2 series."
    progress.end(OSError("full"))
    assert progress.words == "2 of 2 series. The run broke off; what is done is kept."


def test_a_folder_that_cannot_go_on_says_so_by_its_button():
    progress = FleetProgress(FleetTable("ab"))
    progress.why_not = "It does not tell where its series are."
    assert not progress.can_start
    assert progress.words == "0 of 2 series. It does not tell where its series are."


# ---------------------------------------------------------------------- pictures


def places(path):
    return [tuple(map(float, each)) for each in re.findall(r"[ML](\d+) (\d+)", path)]


@given(
    arrays(np.float64, st.integers(1, 400), elements=st.floats(-1e6, 1e6)),
    st.floats(-1e6, 1e6),
)
def test_a_spark_stays_in_its_frame_and_shows_the_highest_and_the_lowest(scores, threshold):
    found = places(spark(scores, threshold))
    assert 1 <= len(found) <= 2 * N_BINS
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in found)
    if scores.min() < threshold:
        assert max(y for _, y in found) == HEIGHT  # the lowest
        reaches = scores.max() - scores.min()
        height = HEIGHT * (1 - reaches / (reaches + threshold - scores.min()))
        assert min(y for _, y in found) == pytest.approx(height, abs=0.51)


def test_the_threshold_is_at_half_height_in_every_row():
    for scale in (1e-3, 1.0, 1e6):
        scores = scale * np.array([0.0, 1.0, 2.0])
        assert places(spark(scores, scale * 1.0))[1][1] == HEIGHT / 2


def test_a_gap_is_a_gap_and_nothing_but_gaps_is_nothing():
    assert spark([1.0, np.nan, 2.0], 3.0).count("M") == 2
    assert spark([np.nan, np.inf], 3.0) == ""
    assert spark([], 3.0) == ""


def test_a_spark_of_a_long_series_is_short_and_keeps_its_peak():
    scores = np.random.default_rng(0).uniform(size=1_000_000)
    scores[123_456] = 99.0
    found = spark(scores, 1.5)
    assert len(found) < 1_500
    assert min(y for _, y in places(found)) < 1


def test_sparks_are_read_once_until_the_series_is_done_anew():
    asked = []

    def read(name):
        asked.append(name)
        return [0.0, 1.0, 3.0]

    sparks = Sparks(read)
    assert sparks.get("a", 1.0, 7) is None
    assert sparks.read("a", 1.0, 7) == sparks.read("a", 1.0, 7) == sparks.get("a", 1.0, 7) != ""
    assert asked == ["a"]
    assert sparks.get("a", 1.0, 8) is None
    sparks.read("a", 1.0, 8)
    assert asked == ["a", "a"]


def test_scores_that_cannot_be_read_leave_the_row_without_a_picture():
    def read(name):
        raise FileNotFoundError(name)

    assert Sparks(read).read("a", 1.0) == ""


def test_the_picture_tells_what_is_on_top():
    rows = [row(f"s{i}", float(i)) for i in range(20)]
    table = table_of(*rows, row("bad <one>", status="failed"))
    sparks = Sparks(lambda _: [0.0, 1.0, 3.0])
    found = fleet_picture(table, FleetProgress(table), sparks)
    assert "<desc" in found
    assert "20 series of 21 done, 1 failed. On top: s19 with 2 events, severity 19; s18" in found
    assert "and 9 more" in found
    assert found.count("v-threshold") == 12
    table.filter("bad")
    assert "bad &lt;one&gt;" in fleet_picture(table, FleetProgress(table), sparks)


def test_the_picture_of_a_study_stands_below():
    from vaenb.drawing.svg import picture

    table = table_of(row("a"))
    study = picture("s", "<rect/>", width=960, height=200, title="Study of a & b", desc="d")
    found = fleet_picture(table, FleetProgress(table), Sparks(lambda _: [1.0]), study=study)
    assert "Open: Study of a &amp; b." in found
    assert found.count('class="vaenb"') == 1
    height = float(re.search(r'viewBox="0 0 960 ([\d.]+)"', found)[1])
    top = float(re.search(r'<svg y="([\d.]+)" width="960" height="200"', found)[1])
    assert height == top + 200


def test_the_code_says_what_was_given_and_done():
    from vaenb.thresholding import MAD

    table = table_of(row("a"), row("b"))
    code = fleet_code(
        table, source="plant", opened="", out=None, key=None, read={}, settings={}, workers=None
    )
    assert code == "import vaenb\n\npanel = vaenb.FleetPanel('plant')\npanel"
    table.sort("n_points")
    table.filter("x")
    code = fleet_code(
        table, source=None, opened="b", out="found", settings={"threshold": MAD(4.0)}, workers=3
    )
    assert code.splitlines()[2:] == [
        "panel = vaenb.FleetPanel(out='found', settings={'threshold': vaenb.MAD(n_mads=4.0)}, workers=3)",
        "panel.sort('n_points', descending=True)",
        "panel.filter('x')",
        "panel.open_study('b')",
        "panel",
    ]
