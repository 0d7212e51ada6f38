import json

import pytest

from genlab.callbacks import JSONL
from genlab.callbacks.jsonl import read_rows
from genlab.core.errors import ConfigError


def lines(trainer):
    return (trainer.run_dir / "metrics.jsonl").read_text().splitlines()


def write_curve(trainer, positions):
    jsonl = JSONL()
    jsonl.start(trainer)
    for position in positions:
        jsonl.scalars(trainer.at(position), {"loss": float(position)})
    return jsonl


def test_each_publication_is_a_line_with_its_position(trainer):
    jsonl = write_curve(trainer, [100])
    jsonl.record(trainer.at(200), {"metric": "fid", "value": 3.5, "images": 10_000})
    scalars, record = map(json.loads, lines(trainer))
    assert (scalars["images"], scalars["step"], scalars["loss"]) == (100, 10, 100.0)
    assert (record["images"], record["record"]["images"], record["record"]["value"]) == (200, 10_000, 3.5)


def test_a_line_is_on_disk_at_once(trainer):
    write_curve(trainer, [100, 200])
    assert len(lines(trainer)) == 2


def test_resuming_drops_what_lies_past_the_position(trainer, make_trainer):
    write_curve(trainer, [100, 200, 300, 400])
    resumed = make_trainer(trainer.run_dir)
    resumed.resumed_from = 200
    write_curve(resumed, [300])
    assert [row["images"] for row in read_rows(trainer.run_dir / "metrics.jsonl")] == [100, 200, 300]


def test_going_back_does_too(trainer):
    jsonl = write_curve(trainer, [100, 200, 300, 400])
    trainer.at(200).resumed_from = 200
    jsonl.after_rollback(trainer)
    jsonl.scalars(trainer.at(300), {"loss": 7.0})
    rows = read_rows(trainer.run_dir / "metrics.jsonl")
    assert [(row["images"], row["loss"]) for row in rows] == [(100, 100.0), (200, 200.0), (300, 7.0)]


def test_time_goes_on_where_the_run_stopped(trainer, make_trainer):
    write_curve(trainer, [100])
    path = trainer.run_dir / "metrics.jsonl"
    path.write_text('{"images": 100, "step": 10, "time": 5000.0}\n')
    resumed = make_trainer(trainer.run_dir)
    resumed.resumed_from = 100
    write_curve(resumed, [200])
    assert 5000 <= read_rows(path)[1]["time"] < 5010


def test_a_new_run_starts_empty(trainer, make_trainer):
    write_curve(trainer, [0, 100])
    write_curve(make_trainer(trainer.run_dir), [0])
    assert len(lines(trainer)) == 1


def test_a_half_written_last_line_is_dropped(trainer, make_trainer):
    write_curve(trainer, [100])
    with (trainer.run_dir / "metrics.jsonl").open("a") as file:
        file.write('{"images": 150, "lo')
    resumed = make_trainer(trainer.run_dir)
    resumed.resumed_from = 200
    write_curve(resumed, [300])
    assert [json.loads(line)["images"] for line in lines(trainer)] == [100, 300]


def test_a_damaged_line_elsewhere_is_named(trainer):
    path = trainer.run_dir / "metrics.jsonl"
    path.write_text('{"images": 1}\nrubbish\n{"images": 3}\n')
    with pytest.raises(ConfigError, match=r"metrics.jsonl, line 2: found 'rubbish'"):
        read_rows(path)


def test_numbers_that_json_lacks_become_null(trainer):
    jsonl = JSONL()
    jsonl.scalars(trainer, {"a": float("nan"), "b": float("inf"), "c": 1.0})
    jsonl.record(trainer, {"value": float("-inf"), "parts": [float("nan"), 2]})
    scalars, record = map(json.loads, lines(trainer))
    assert (scalars["a"], scalars["b"], scalars["c"]) == (None, None, 1.0)
    assert record["record"] == {"value": None, "parts": [None, 2]}


def test_a_number_published_after_the_end_is_appended(trainer):
    jsonl = write_curve(trainer, [100])
    jsonl.finish(trainer)
    jsonl.scalars(trainer.at(200), {})
    assert len(lines(trainer)) == 2
