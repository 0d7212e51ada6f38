import csv
import io
from base64 import b64decode
from dataclasses import fields

import pytest
import torch
from scipy import stats
from torch.nn.functional import pad

from genlab.data import InMemory, Split
from genlab.metrics import Pixels
from genlab.metrics.records import Record, differing_fields
from genlab.metrics.references.reference import Reference
from genlab.reports import score_records as scores
from genlab.reports import tables
from genlab.reports.leaderboard import build_leaderboard, confidence_margin
from genlab.reports.page import render
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
    others = [
        make_run(f"{name}-0", lr=value, scores=[value], resize="other") for name, value in (("y", 0.2), ("x", 0.1))
    ]
    none = make_run("none-0", lr=9.0, scores=[])
    board = board_of(none, *alike, make_run("b-0", lr=2.0, scores=[2.0]), *others)
    assert [row.group.label for row in board.rows] == ["a", "b", "c", "x", "y", "none"]


def test_averaged_weights_are_part_of_the_model(make_run):
    """A GAN's average and a VAE's own weights share the column, so that the best of it is the best of both."""
    board = board_of(make_run("gan-0", scores=[9.0]), make_run("vae-0", lr=1.0, scores=[4.0], ema=False))
    assert [column.title for column in board.columns] == ["fid"] and board.best == [4.0]
    assert [row.group.label for row in board.rows] == ["vae", "gan"]


def test_padding_that_a_network_needs_is_no_other_measurement(make_run):
    """StyleGAN2 sees digits with a frame, WGAN-GP without; both are measured on the digits."""
    pixels = torch.randint(0, 256, (4, 1, 28, 28), dtype=torch.uint8)
    bare, framed = InMemory(Split(pixels)), InMemory(Split(pad(pixels, [2] * 4)), padding=2)
    hashes = [Reference(data, "train", Pixels(), batch_size=4).fingerprint for data in (bare, framed)]
    assert hashes[0] == hashes[1] == bare.train.fingerprint()


@pytest.mark.parametrize(
    ("metric", "told", "better", "best"),
    [
        ("fid", {}, "lower is better", 1.0),
        ("recall", {}, "higher is better", 3.0),
        ("own", {"higher_is_better": True}, "higher is better", 3.0),
        ("classifier_score_real", {"higher_is_better": None}, "", None),
        ("kid_deviation", {"higher_is_better": False}, "", None),
    ],
)
def test_every_column_says_which_way_is_better_and_has_its_own_best(make_run, metric, told, better, best):
    runs = [
        make_run(f"{name}-0", lr=value, scores=[value], metric=metric, **told)
        for name, value in zip("ab", (3.0, 1.0), strict=True)
    ]
    board = board_of(*runs)
    assert (board.columns[0].better, board.best) == (better, [best])
    page = render([read_run(run) for run in runs], title="t")
    assert page.count('class="number best"') == (best is not None) and (f'title="{better}; ' in page) == bool(better)


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
