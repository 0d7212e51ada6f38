import pytest

from genlab.callbacks import Log
from genlab.core.errors import RunError


@pytest.fixture
def clock(monkeypatch):
    """A clock in seconds that the test moves."""
    now = [100.0]
    monkeypatch.setattr("genlab.callbacks.log.time.monotonic", lambda: now[0])
    return now


def test_speed_is_of_the_last_interval(trainer, clock):
    log = Log(every=100)
    log.start(trainer.at(50))
    clock[0] += 2
    log.tick(trainer.at(150))
    clock[0] += 4
    trainer.callback_seconds += 3  # a grid was drawn meanwhile
    log.tick(trainer.at(250))
    assert [values["speed/images_per_second"] for values in trainer.published] == [50, 100]


def test_statistics_and_learning_rates_are_published_together(trainer, clock):
    log = Log()
    log.start(trainer)
    log.tick(trainer.at(100))
    assert trainer.published[0].keys() == {"generator/adversarial", "generator/lr", "speed/images_per_second"}


@pytest.mark.parametrize(("ticked", "images", "published"), [(900, 1_000, 2), (1_000, 1_000, 1), (900, 950, 1)])
def test_the_rest_is_published_once_and_only_by_a_complete_run(trainer, clock, ticked, images, published):
    log = Log()
    log.start(trainer)
    log.tick(trainer.at(ticked))
    log.finish(trainer.at(images))
    assert len(trainer.published) == published


def test_a_diverged_run_is_an_error(trainer):
    def diverged():
        raise RunError("nan")

    trainer.statistics.flush = diverged
    with pytest.raises(RunError):
        Log().tick(trainer)


def test_statistics_are_averaged_over_ranks_so_every_rank_flushes():
    assert Log.every_rank
