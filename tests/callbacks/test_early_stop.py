import pytest

from genlab.callbacks import ClassificationAccuracy, EarlyStop
from genlab.callbacks.scores import Scores
from genlab.core.errors import ConfigError
from genlab.losses import Wasserstein
from genlab.metrics import FID, KID, PRDC, Pixels

SCORE = "fid"


def feed(stop, trainer, name, curve, *, rises=False):
    """Publish {position: value} until the run is stopped, and return the position."""
    for position, value in curve.items():
        trainer.at(position)
        if "/" in name:
            stop.scalars(trainer, {name: value})
        else:
            stop.record(trainer, {"metric": name, "value": value, "higher_is_better": rises})
        if trainer.stopped:
            return position
    return None


def test_stops_when_the_best_is_as_old_as_the_patience(trainer):
    curve = {100: 9.0, 200: 5.0, 300: 6.0, 400: 5.5, 500: 5.0, 600: 4.0}
    assert feed(EarlyStop(patience=300), trainer, SCORE, curve) == 500
    assert "best (5) at 200 images" in trainer.stopped


def test_an_improvement_starts_the_patience_anew(trainer):
    assert feed(EarlyStop(patience=300), trainer, SCORE, {100: 9.0, 200: 5.0, 400: 4.9, 500: 5.0, 600: 5.0}) is None


def test_off_by_default(trainer):
    trainer.config["metrics"] = {}
    stop = EarlyStop()
    stop.start(trainer)
    assert feed(stop, trainer, SCORE, dict.fromkeys(range(0, 10**6, 1_000), 1.0)) is None


def test_nan_is_no_improvement(trainer):
    assert feed(EarlyStop(patience=200), trainer, SCORE, {100: 5.0, 200: float("nan"), 300: float("nan")}) == 300


def test_a_resumed_run_stops_where_the_whole_one_does(trainer, make_trainer):
    curve = {100: 9.0, 200: 5.0, 300: 6.0, 400: 5.5, 500: 5.0}
    first = EarlyStop(patience=300)
    feed(first, trainer, SCORE, {100: 9.0, 200: 5.0, 300: 6.0})
    second = EarlyStop(patience=300)
    second.load_state_dict(first.state_dict())
    later = {position: value for position, value in curve.items() if position > 300}
    assert feed(second, make_trainer(trainer.run_dir), SCORE, later) == 500


def test_a_smoothed_curve_resumes_too(trainer):
    curve = {position: 1000 / position + position % 300 / 100 for position in range(100, 5_000, 100)}
    whole, first, second = (EarlyStop("wasserstein", patience=1_000) for _ in range(3))
    name = "discriminator/wasserstein"
    end = feed(whole, trainer, name, curve)
    trainer.stopped = None
    feed(first, trainer, name, {p: v for p, v in curve.items() if p <= 1_500})
    second.load_state_dict(first.state_dict())
    assert feed(second, trainer, name, {p: v for p, v in curve.items() if p > 1_500}) == end


def test_the_rise_of_the_first_images_is_not_taken_for_the_best(trainer):
    falling = {position: 10 - position / 1_000 for position in range(1_000, 9_000, 100)}
    curve = {100: 0.0, 200: 0.01} | falling
    assert feed(EarlyStop("wasserstein", patience=1_000), trainer, "discriminator/wasserstein", curve) is None


def test_a_flat_wasserstein_estimate_stops(trainer):
    curve = dict.fromkeys(range(100, 5_000, 100), 2.0)
    assert feed(EarlyStop("wasserstein", patience=1_000), trainer, "discriminator/wasserstein", curve) == 2_100


def test_smoothing_takes_the_size_not_the_sign(trainer):
    curve = {position: -10 + position / 1_000 for position in range(100, 9_000, 100)}
    assert feed(EarlyStop("loss", patience=1_000), trainer, "generator/adversarial", curve) is None


def test_another_monitor_forgets_the_old_best():
    fid = EarlyStop(patience=300)
    fid.best = 0.1
    loss = EarlyStop("loss", patience=300)
    loss.load_state_dict(fid.state_dict())
    assert loss.best == float("inf")


def test_a_record_says_which_way_is_better(trainer):
    curve = {100: 0.1, 200: 0.6, 300: 0.5, 400: 0.55, 500: 0.6}
    assert feed(EarlyStop("recall", patience=300), trainer, "recall", curve, rises=True) == 500
    assert "recall was best (0.6) at 200 images" in trainer.stopped


def test_other_scores_are_none_of_its_business(trainer):
    stop = EarlyStop("recall", patience=100)
    assert feed(stop, trainer, "fid", dict.fromkeys(range(0, 1_000, 100), 1.0)) is None


def test_an_unknown_monitor_lists_the_estimates_of_the_loss(trainer):
    with pytest.raises(ConfigError, match="monitor=acuracy: no such score.*it estimates real_probability, fake_prob"):
        EarlyStop("acuracy", patience=100).start(trainer)


@pytest.mark.parametrize(
    ("metrics", "every", "said"),
    [
        (None, 100, "no such score is measured.*patience=null"),
        ({"kid": KID()}, 100, "no such score is measured.*Add its metric"),
        ({"fid": FID()}, None, "is measured at the end alone; set its every"),
    ],
)
def test_fid_must_be_measured(trainer, metrics, every, said):
    if metrics:
        trainer.callbacks["scores"] = Scores(Pixels(), metrics, every=every)
    with pytest.raises(ConfigError, match=said):
        EarlyStop("fid", patience=100).start(trainer)


@pytest.mark.parametrize("monitor", ["fid", "recall", "test_accuracy", "generator/adversarial", "real_probability"])
def test_whatever_somebody_publishes_can_be_watched(trainer, monitor):
    trainer.callbacks = {"mine": Scores(Pixels(), {"a": FID(), "b": PRDC()}), "shares": ClassificationAccuracy()}
    EarlyStop(monitor, patience=100).start(trainer)


def test_wasserstein_needs_a_loss_that_estimates_it(trainer):
    with pytest.raises(ConfigError, match="NonSaturating does not estimate it"):
        EarlyStop("wasserstein", patience=100).start(trainer)
    trainer.loss = Wasserstein()
    EarlyStop("wasserstein", patience=100).start(trainer)


def test_loss_needs_a_generator(trainer):
    trainer.players = {"autoencoder": None}
    with pytest.raises(ConfigError, match="no generator, its players are autoencoder"):
        EarlyStop("loss", patience=100).start(trainer)
