from itertools import count
from types import SimpleNamespace

import pytest
import torch

from genlab.callbacks import TensorBoard


@pytest.fixture(autouse=True)
def files_in_order(monkeypatch):
    """Files of one second are read in the order of their names, where the process's 10th sorts before its 9th."""
    from tensorboard.summary.writer import event_file_writer

    numbers = count()
    monkeypatch.setattr(event_file_writer, "_global_uid", SimpleNamespace(get=lambda: next(numbers)), raising=False)


def read_back(run_dir):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(run_dir)).Reload()


def run(trainer, positions):
    board = TensorBoard()
    board.start(trainer)
    for position in positions:
        board.scalars(trainer.at(position), {"generator/adversarial": position / 100})
    return board


def test_scalars_are_on_disk_at_once_with_images_as_steps(trainer):
    run(trainer, [100, 200])  # never finished: a killed run
    points = read_back(trainer.run_dir).Scalars("generator/adversarial")
    assert [(point.step, point.value) for point in points] == [(100, 1.0), (200, 2.0)]


def test_a_resumed_run_has_one_curve(trainer, make_trainer):
    run(trainer, [100, 200, 300, 400]).finish(trainer)
    resumed = make_trainer(trainer.run_dir).at(200)
    resumed.resumed_from = 200
    run(resumed, [300, 500]).finish(resumed)
    points = read_back(trainer.run_dir).Scalars("generator/adversarial")
    assert [point.step for point in points] == [100, 200, 300, 500]


def test_a_run_that_went_back_has_one_curve(trainer):
    board = run(trainer, [100, 200, 300, 400])
    trainer.at(200).resumed_from = 200
    board.after_rollback(trainer)
    for position in (300, 500):
        board.scalars(trainer.at(position), {"generator/adversarial": 7.0})
    board.finish(trainer)
    points = read_back(trainer.run_dir).Scalars("generator/adversarial")
    assert [(point.step, point.value) for point in points] == [(100, 1.0), (200, 2.0), (300, 7.0), (500, 7.0)]


def test_a_run_that_starts_anew_keeps_no_old_points(trainer, make_trainer):
    run(trainer, [0, 100, 200]).finish(trainer)
    run(make_trainer(trainer.run_dir), [50]).finish(trainer)
    points = read_back(trainer.run_dir).Scalars("generator/adversarial")
    assert [point.step for point in points] == [50]


def test_the_config_is_kept_as_text(trainer):
    run(trainer, []).finish(trainer)
    (event,) = read_back(trainer.run_dir).Tensors("config/text_summary")
    text = event.tensor_proto.string_val[0].decode()
    assert "    trainer:\n      images: 1000\n" in text


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_keep_their_size(trainer, channels):
    board = run(trainer, [])
    board.picture(trainer.at(100), "samples", torch.zeros(channels, 20, 30, dtype=torch.uint8))
    (image,) = read_back(trainer.run_dir).Images("samples")
    assert (image.step, image.height, image.width) == (100, 20, 30)


def test_what_comes_after_the_end_is_kept_too(trainer):
    board = run(trainer, [100])
    board.finish(trainer)
    board.scalars(trainer.at(200), {"generator/adversarial": 2.0})
    assert [point.step for point in read_back(trainer.run_dir).Scalars("generator/adversarial")] == [100, 200]
