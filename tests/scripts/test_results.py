"""The tables of results: how they are made, and that every row of them can be trained."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from scipy import stats

from tests.conftest import composed

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.fixture(scope="module")
def results():
    sys.path.insert(0, str(SCRIPTS))
    try:
        yield importlib.import_module("results")
    finally:
        sys.path.remove(str(SCRIPTS))


def test_every_row_composes_and_has_a_name_of_its_own(results):
    for row in results.ROWS:
        assert row.table in results.TABLES
        composed(*row.words)
    assert len({row.name for row in results.ROWS}) == len(results.ROWS)


def test_several_runs_are_a_mean_with_its_interval(results):
    values = [2.0, 3.5, 9.5]
    low, high = stats.t.interval(0.95, 2, loc=5.0, scale=stats.sem(values))
    assert results.table_cell(values) == f"5.00 ± {(high - low) / 2:.2f}"
    texts = {"3.14": [3.14159], "0.00141": [0.00141], "7": [7.0], "": []}
    assert {text: results.table_cell(values) for text, values in texts.items()} == {text: text for text in texts}


def test_a_table_is_sorted_by_its_first_column(results, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "RECORDS", tmp_path)
    for name, fid in {"gan": 9.0, "vae": 4.25, "pca": 6.0}.items():
        record = {"seconds": 61.0, "images": 1000, "scores": {"fid": fid}}
        (tmp_path / f"{name}-0.json").write_text(json.dumps(record))
    lines = results.result_table("mnist").splitlines()
    assert [line.split("`")[1] for line in lines[2:]] == ["model=vae", "model=pca", "model=gan"]
    assert "| 1:01 | 1,000 | 4.25 |" in lines[2]


def test_tables_replace_what_stood_between_their_marks(results):
    text = "before\n<!-- results: mnist -->\nold\n<!-- end: mnist -->\nafter"
    once = results.fill_tables(text, {"mnist": "| new |"})
    assert once == "before\n<!-- results: mnist -->\n| new |\n<!-- end: mnist -->\nafter"
    assert results.fill_tables(once, {"mnist": "| new |"}) == once


def test_the_pages_show_what_the_records_say(results):
    for path in results.PAGES:
        text = path.read_text(encoding="utf-8")
        assert "<!-- results: " in text
        assert results.fill_tables(text, results.tables()) == text, "run python scripts/results.py --table --write"
