import pytest

from genlab.callbacks import EarlyStop
from genlab.callbacks.scores import Scores
from genlab.core.errors import ConfigError
from genlab.losses import Wasserstein
from genlab.metrics import FID, KID, Pixels

SCORE = "score/fid"


def feed(stop, trainer, name, curve):
    """Publishes {position: value} until the run is stopped; returns where."""
    for position, value in curve.items():
        stop.scalars(trainer.at(position), {name: value})
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


def test_an_unknown_monitor_lists_the_valid_ones():
    with pytest.raises(ConfigError, match="monitor=accuracy: expected one of fid, wasserstein, loss"):
        EarlyStop("accuracy")


@pytest.mark.parametrize(
    ("metrics", "every", "said"),
    [
        (None, 100, r"no FID is measured \(metrics=\[\]\); add it, metrics=\[fid\],.*patience=null"),
        (
            {"kid": KID()},
            100,
            r"no FID is measured \(metrics=\[kid\]\); add it, metrics=\[fid,kid\]",
        ),
        ({"fid": FID()}, None, "FID is measured at the end alone; set metrics.every"),
    ],
)
def test_fid_must_be_measured(trainer, metrics, every, said):
    if metrics:
        trainer.callbacks["scores"] = Scores(Pixels(), metrics, every=every)
    with pytest.raises(ConfigError, match=said):
        EarlyStop("fid", patience=100).start(trainer)
    trainer.callbacks["scores"] = Scores(Pixels(), {"mine": FID()})
    EarlyStop("fid", patience=100).start(trainer)


def test_wasserstein_needs_a_loss_that_estimates_it(trainer):
    with pytest.raises(ConfigError, match="NonSaturating does not estimate it"):
        EarlyStop("wasserstein", patience=100).start(trainer)
    trainer.loss = Wasserstein()
    EarlyStop("wasserstein", patience=100).start(trainer)


def test_loss_needs_a_generator(trainer):
    trainer.players = {"autoencoder": None}
    with pytest.raises(ConfigError, match="only autoencoder"):
        EarlyStop("loss", patience=100).start(trainer)
