import csv
import io
from base64 import b64decode
from dataclasses import fields

import pytest
from scipy import stats

from genlab.metrics.records import Record, differing_fields
from genlab.reports import score_records as scores
from genlab.reports import tables
from genlab.reports.leaderboard import build_leaderboard, confidence_margin
from genlab.reports.run import read_run
from genlab.reports.seed_groups import differing_values, group_by_config
from tests.reports.conftest import RECORD


def board_of(*folders):
    return build_leaderboard(group_by_config([read_run(folder) for folder in folders]))


def test_the_interval_is_students():
    values = [1.0, 2.5, 2.0, 4.0]
    low, high = stats.t.interval(0.95, 3, loc=0, scale=stats.sem(values))
    assert confidence_margin(values) == pytest.approx((high - low) / 2)
    assert confidence_margin([1.0]) is None


def test_seeds_are_one_row_and_other_settings_another_best_first(make_run):
    runs = [make_run(f"{at}-gan-mnist", seed=at % 3, lr=lr, scores=[score]) for at, (lr, score) in enumerate(
        [(0.1, 30.0), (0.1, 31.0), (0.1, 32.0), (0.2, 20.0), (0.2, 22.0), (0.2, 21.0)])]  # fmt: skip
    board = board_of(*runs)
    assert [row.group.label for row in board.rows] == ["gan-mnist optimizer.lr=0.2", "gan-mnist optimizer.lr=0.1"]
    assert [row.cells[0].mean for row in board.rows] == [21.0, 31.0]
    assert differing_values(row.group.settings for row in board.rows) == {"optimizer.lr": ["0.2", "0.1"]}


@pytest.mark.parametrize("field", [field.name for field in fields(Record)])
def test_records_compare_here_as_they_do_in_training(field):
    other = RECORD | {field: "other"}
    alike = not differing_fields(Record(**RECORD), Record(**other))
    assert (scores.protocol(RECORD) == scores.protocol(other)) == alike


def test_unlike_measurements_stand_in_marked_columns_of_their_own(make_run):
    board = board_of(make_run("a-0"), make_run("b-0", lr=1.0, images=10_000))
    assert [column.title for column in board.columns] == ["fid (a)", "fid (b)"]
    assert [column.difference for column in board.columns] == ["images 500", "images 10000"]
    assert [[len(cell.values) for cell in row.cells] for row in board.rows] == [[1, 0], [0, 1]]


def test_rows_of_other_measurements_follow_in_their_own_order(make_run):
    alike = [make_run(f"{name}-0", lr=value, scores=[value]) for name, value in (("c", 3.0), ("a", 1.0))]
    others = [make_run(f"{name}-0", lr=value, scores=[value], ema=False) for name, value in (("y", 0.2), ("x", 0.1))]
    none = make_run("none-0", lr=9.0, scores=[])
    board = board_of(none, *alike, make_run("b-0", lr=2.0, scores=[2.0]), *others)
    assert [row.group.label for row in board.rows] == ["a", "b", "c", "x", "y", "none"]


def test_a_score_that_is_not_finite_is_counted_and_never_averaged(make_run):
    board = board_of(make_run("gan-0", scores=[None]), make_run("gan-1", seed=1, scores=[4.0]))
    (cell,) = board.rows[0].cells
    assert (cell.values, cell.not_finite, cell.text) == ([4.0], 1, "4")


def test_the_results_table_holds_interval_and_single_values(make_run):
    board = board_of(make_run("gan-0", scores=[1.0]), make_run("gan-1", seed=1, scores=[3.0]))
    text = b64decode(tables.results_csv(board).uri.partition(",")[2]).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    half = stats.t.ppf(0.975, 1) * 1.0
    assert (float(row["low"]), float(row["high"])) == pytest.approx((2 - half, 2 + half))
    assert (row["values"], row["seeds"]) == ("1 3", "0, 1")
