import json

import pytest

from genlab.callbacks import JSONL
from genlab.callbacks.jsonl import read_rows
from genlab.core import json_files


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


def test_damaged_lines_elsewhere_are_left_out(trainer, make_trainer):
    path = trainer.run_dir / "metrics.jsonl"
    path.write_text('{"images": 1}\nrubbish\n[]\n{"step": 3}\n{"images": "x"}\n\0\0\n{"images": 3}\n')
    resumed = make_trainer(trainer.run_dir)
    resumed.resumed_from = 3
    write_curve(resumed, [300])
    assert [json.loads(line)["images"] for line in lines(trainer)] == [1, 3, 300]


def test_what_is_measured_again_at_the_position_of_the_resumption_replaces_the_old_rows(trainer, make_trainer):
    jsonl = write_curve(trainer, [100, 200])
    jsonl.scalars(trainer, {"score/fid": 2.0})
    for metric in ("fid", "kid"):
        jsonl.record(trainer, {"metric": metric, "value": 2.0})
    resumed = make_trainer(trainer.run_dir).at(200)
    resumed.resumed_from = 200
    again = JSONL()
    again.record(resumed, {"metric": "fid", "value": 7.0})
    again.scalars(resumed, {"score/fid": 7.0})
    rows = read_rows(trainer.run_dir / "metrics.jsonl")
    assert [row["images"] for row in rows] == [100, 200, 200, 200, 200]
    assert [row["record"]["value"] for row in rows if "record" in row] == [2.0, 7.0]
    assert [row["score/fid"] for row in rows if "score/fid" in row] == [7.0]


def test_rows_that_cannot_be_written_are_written_with_the_next(trainer, monkeypatch):
    jsonl = write_curve(trainer, [100])

    class Full(json_files.FileIO):
        def write(self, data):
            super().write(data[:7])
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(json_files, "FileIO", Full)
        jsonl.scalars(trainer.at(200), {"loss": 200.0})
    assert len(lines(trainer)) == 1
    jsonl.scalars(trainer.at(300), {"loss": 300.0})
    assert [json.loads(line)["images"] for line in lines(trainer)] == [100, 200, 300]


def test_appending_repairs_a_half_last_line(tmp_path):
    path = tmp_path / "evaluations.jsonl"
    for before in ("", '{"a": 1}\n', '{"a": 1}\n{"b', '{"b'):
        path.write_text(before)
        json_files.append_lines(path, '{"c": 3}\n')
        assert json_files.read_objects(path)[-1] == {"c": 3}
        assert len(path.read_text().splitlines()) == before.count("\n") + 1


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
