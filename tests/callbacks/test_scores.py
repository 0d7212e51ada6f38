"""Scores: when they are measured, what is published, and what outlives a restart."""

from types import SimpleNamespace

import pytest
import torch

from genlab.callbacks.scores import Scores
from genlab.core.errors import ConfigError
from genlab.data import InMemory, Split
from genlab.metrics import FID, Accuracy, Birthday, Classifier


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENLAB_CACHE", str(tmp_path))


def make_trainer(size: int = 28) -> SimpleNamespace:
    """Make a trainer as the callback sees it; the quality of its generator is `spread`."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (100, 1, size, size), generator=generator, dtype=torch.uint8)
    trainer = SimpleNamespace(images=0, device=torch.device("cpu"), spread=0.1, interrupted=False)
    trainer.data = InMemory(Split(images), test=Split(images))
    trainer.samples = SimpleNamespace(seed=0, ema=None, own_data=True)
    trainer.samples.draw_samples = lambda start, count: (images[start : start + count] / 127.5 - 1) * trainer.spread
    trainer.samples.sample_conditions = lambda start, count: None
    trainer.published, trainer.records = [], []
    trainer.publish, trainer.report = trainer.published.append, trainer.records.append
    trainer.announced = []
    trainer.announce = trainer.announced.append
    return trainer


def make_scores() -> Scores:
    return Scores(Classifier(), {"fid": FID()}, every=10, images=60, batch_size=25)


def tick(scores: Scores, trainer: SimpleNamespace, *, images: int, spread: float) -> float:
    trainer.images, trainer.spread = images, spread
    scores.tick(trainer)
    return trainer.published[-1]["score/fid"]


def test_scoring_is_announced_until_it_ends_and_its_records_are_kept():
    scores, trainer = make_scores(), make_trainer()
    value = tick(scores, trainer, images=10, spread=0.5)
    counts = [f"scoring {count} of 60 samples" for count in (25, 50, 60)]
    assert trainer.announced == [*counts, "computing fid", ""]
    assert [(record.metric, record.value) for record in scores.records] == [("fid", value)]
    trainer.samples.draw_samples, trainer.images = None, 20  # fails
    with pytest.raises(TypeError):
        scores.tick(trainer)
    assert trainer.announced[-1] == ""


def test_the_best_score_is_remembered():
    scores, trainer = make_scores(), make_trainer()
    values = [tick(scores, trainer, images=n, spread=spread) for n, spread in ((10, 0.1), (20, 1.0), (30, 0.5))]
    assert values[1] == min(values)
    assert (scores.best_record.value, scores.best_record.position) == (values[1], 20)


def test_the_best_is_judged_by_the_metric_that_it_came_from():
    """Accuracy, for which higher is better, has no value for a model without conditions."""
    scores = Scores(Classifier(), {"accuracy": Accuracy(), "fid": FID()}, every=10, images=60, batch_size=25)
    trainer = make_trainer()
    values = [tick(scores, trainer, images=n, spread=spread) for n, spread in ((10, 0.1), (20, 1.0))]
    assert scores.best_record.value == min(values)


def test_a_score_comes_with_its_record():
    scores, trainer = make_scores(), make_trainer()
    value = tick(scores, trainer, images=10, spread=0.5)
    (record,) = trainer.records
    assert record["metric"] == "fid" and record["value"] == value
    assert record["position"] == 10 and record["ema"] is False and record["images"] == 60
    assert record["higher_is_better"] is False and record["judges_run"] is True


def test_what_metrics_have_to_show_is_saved_and_published(tmp_path):
    scores = Scores(Classifier(), {"birthday": Birthday(20)}, every=10, images=60, batch_size=25)
    trainer, shown = make_trainer(), {}
    trainer.run_dir, trainer.show, trainer.images, trainer.spread = tmp_path, shown.__setitem__, 10, 1.0
    scores.tick(trainer)
    names = ["000000010_closest_pairs.png", "000000010_closest_pairs_of_real_images.png"]
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == names
    picture = shown["closest pairs"]
    assert picture.shape[0] == 1 and picture.shape[2] > 500 and picture.float().std() > 10


def test_no_position_is_scored_twice():
    scores, trainer = make_scores(), make_trainer()
    tick(scores, trainer, images=10, spread=0.5)
    scores.finish(trainer)
    assert len(trainer.published) == 1
    trainer.images = 13
    scores.finish(trainer)
    assert len(trainer.published) == 2


def test_state_outlives_a_restart():
    scores, trainer = make_scores(), make_trainer()
    tick(scores, trainer, images=10, spread=1.0)
    later = make_scores()
    later.load_state_dict(scores.state_dict())
    later.finish(trainer)
    assert len(trainer.published) == 1
    tick(later, trainer, images=20, spread=0.1)
    assert later.best_record == scores.best_record


def test_the_best_stays_the_best_when_the_run_goes_back():
    scores, trainer = make_scores(), make_trainer()
    tick(scores, trainer, images=10, spread=0.5)
    older = scores.state_dict()
    best = tick(scores, trainer, images=20, spread=1.0)
    scores.load_state_dict(older)
    assert scores.best_record.value == best and scores.scored_at == 10
    tick(scores, trainer, images=20, spread=0.1)
    assert scores.best_record.value == best


def test_a_best_that_was_measured_in_another_way_is_not_compared():
    scores, trainer = make_scores(), make_trainer()
    tick(scores, trainer, images=10, spread=1.0)
    later = Scores(Classifier(), {"fid": FID()}, every=10, images=40)
    later.load_state_dict(scores.state_dict())
    with pytest.warns(UserWarning, match=r"another way than before the run was resumed \(images\)"):
        worse = tick(later, trainer, images=20, spread=0.1)
    assert (later.best_record.value, later.best_record.position) == (worse, 20)


def test_an_interrupted_run_does_not_wait_for_a_score():
    scores, trainer = make_scores(), make_trainer()
    trainer.interrupted = True
    scores.finish(trainer)
    assert trainer.published == []


def test_a_generator_that_diverged_is_never_the_best():
    scores, trainer = make_scores(), make_trainer()
    assert tick(scores, trainer, images=10, spread=float("nan")) != 0
    assert scores.best_record is None


def test_images_that_cannot_be_scored_fail_before_training():
    with pytest.raises(ConfigError, match="metrics=none"):
        make_scores().start(make_trainer(size=64))


def test_the_random_state_is_left_alone():
    scores, trainer = make_scores(), make_trainer()
    before = torch.get_rng_state()
    tick(scores, trainer, images=10, spread=0.5)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_choice_without_any_number_is_said_and_training_goes_on():
    scores, trainer = Scores(Classifier(), {"accuracy": Accuracy()}, images=60), make_trainer()
    with pytest.warns(UserWarning, match=r"metrics=\[accuracy\]: no number for this model and data"):
        scores.tick(trainer)
    assert trainer.published == [] and scores.best_record is None


def test_nothing_to_measure_is_a_mistake():
    with pytest.raises(ConfigError, match=r"metrics=\[\]: nothing to measure"):
        Scores(Classifier(), {})


class Moody(FID):
    """Fails at some calls."""

    def __init__(self, *fails):
        super().__init__()
        self.fails = list(fails)

    def compute(self, reference):
        if self.fails.pop(0):
            raise ValueError("my bug")
        return {"mine": 1.0}


@pytest.mark.parametrize("first", [True, False])
def test_a_metric_that_fails_loses_its_score_and_leaves_the_best_alone(first, caplog):
    metrics = {"mine": Moody(False, True), "fid": FID()} if first else {"fid": FID(), "mine": Moody(True, True)}
    scores, trainer = Scores(Classifier(), metrics, every=10, images=60, batch_size=25), make_trainer()
    for images, spread in ((10, 0.1), (20, 1.0)):
        tick(scores, trainer, images=images, spread=spread)
    best = scores.best_record
    assert (best.metric, best.position) == (("mine", 10) if first else ("fid", 20))
    assert "metrics.metrics.mine gives no score: ValueError: my bug" in caplog.text
