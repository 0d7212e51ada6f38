import json
from types import SimpleNamespace

import pytest

from genlab.callbacks import Scores, Summary
from genlab.metrics import FID, Pixels


@pytest.fixture
def summary(trainer):
    summary = Summary()
    summary.start(trainer)
    return summary


def finish_and_read(summary, trainer):
    summary.finish(trainer)
    return json.loads((trainer.run_dir / "summary.json").read_text())


def set_best(trainer, value, images):
    record = SimpleNamespace(metric="fid", value=value, position=images)
    trainer.callbacks["mine"] = Scores(Pixels(), {"fid": FID()})
    trainer.callbacks["mine"].best_record = record
    return trainer


def test_the_best_score_and_its_position(trainer, summary, capsys):
    found = finish_and_read(summary, set_best(trainer, 4.5, 300).at(1_000))
    assert found["best"] == {"metric": "fid", "value": 4.5, "images": 300}
    assert "fid 4.5 at 300 images" in capsys.readouterr().out


def test_a_run_without_scores_says_none(trainer, summary, capsys):
    assert finish_and_read(summary, trainer)["best"] is None
    assert "fid" not in capsys.readouterr().out


def test_only_the_last_records_are_kept(trainer, summary):
    summary.record(trainer.at(100), {"metric": "fid", "value": 3.0})
    summary.record(trainer.at(200), {"metric": "fid", "value": 2.0})
    summary.record(trainer, {"metric": "kid", "value": 1.0})
    assert [record["value"] for record in finish_and_read(summary, trainer)["records"]] == [2.0, 1.0]


def test_time_outlives_a_restart(trainer, summary):
    resumed = Summary()
    resumed.load_state_dict(summary.state_dict() | {"seconds": 1_000.0})
    resumed.start(trainer)
    assert 1_000 <= finish_and_read(resumed, trainer)["seconds"] < 1_010


def test_time_that_going_back_lost_counts(trainer, summary, monkeypatch):
    now = [1_000.0]
    monkeypatch.setattr("genlab.callbacks.summary.time.monotonic", lambda: now[0])
    summary.start(trainer)
    now[0] += 10
    older = summary.state_dict()
    now[0] += 5
    summary.load_state_dict(older)
    summary.after_rollback(trainer)
    now[0] += 1
    assert finish_and_read(summary, trainer)["seconds"] == 16


def test_records_of_what_was_left_are_forgotten(trainer, summary):
    summary.record(trainer.at(200), {"metric": "fid", "value": 9.0})
    summary.after_rollback(trainer.at(100))
    summary.record(trainer.at(200), {"metric": "fid", "value": 2.0})
    assert [record["value"] for record in finish_and_read(summary, trainer)["records"]] == [2.0]


@pytest.mark.parametrize(("images", "ending"), [(400, ""), (1_000, " trainer.images=2000")])
def test_what_to_type_next(trainer, summary, monkeypatch, images, ending):
    monkeypatch.chdir(trainer.run_dir)
    trainer.run_dir = trainer.run_dir / "outputs" / "dcgan-mnist" / "run"
    (trainer.run_dir / "samples").mkdir(parents=True)
    (trainer.run_dir / "checkpoints").mkdir()
    for name in ("000000100.png", "000000400.png", "real.png"):
        (trainer.run_dir / "samples" / name).touch()
    found = finish_and_read(summary, trainer.at(images))
    assert found["resume"] == f"python -m genlab.train resume=outputs/dcgan-mnist/run{ending}"
    assert found["look"] == "tensorboard --logdir outputs"
    assert found["last_grid"].endswith("samples/000000400.png")
    assert found["complete"] == (images == 1_000)


def test_nothing_is_next_where_more_images_change_nothing(trainer, summary, capsys):
    trainer.iterates = False
    assert finish_and_read(summary, trainer.at(1_000))["resume"] is None
    assert "longer" not in capsys.readouterr().out
