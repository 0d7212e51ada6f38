"""Each failure is provoked, and must be named; ordinary runs must be called healthy."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hydra.utils import get_object, instantiate

import genlab
from genlab.build import instantiate as build
from genlab.callbacks import Health
from genlab.callbacks import health_measures as measures
from genlab.callbacks.health_rules import Reading, Settings, find_problems, find_worsening
from genlab.core.errors import Diverged
from genlab.data import InMemory, Split
from genlab.data.labels.digit_words import DIGITS
from genlab.data.sets.mnist import MNIST
from genlab.losses import MMD, Hinge, JensenShannon, LeastSquares, NonSaturating, RelativisticPairing
from genlab.trainers.callback import callbacks_of
from tests.conftest import NARROW_MLP, TINY, choices, composed, read, tiny_data

LOG = "+callbacks.log={_target_: genlab.callbacks.Log, every: 160}"
SUMMARY = "+callbacks.summary={_target_: genlab.callbacks.Summary}"
FROZEN_GENERATOR = "optimizer.generator.lr=1e-12"


WON = {"discriminator/real_logits": 5.0, "discriminator/fake_logits": -5.0}
LOSSES = [name for name in choices("loss") if hasattr(get_object(read("loss", name)["_target_"]), "discriminator")]

SOME_LOSSES = [pytest.param(name, marks=pytest.mark.slow if name != "kl" else ()) for name in LOSSES]
ADVERSARIAL = Settings(None, 0.02)


def health_words(every=320, after=320, action="warn", samples=32):
    target = f"_target_: genlab.callbacks.Health, every: {every}, after: {after}, action: {action}, samples: {samples}"
    return LOG, f"+callbacks.health={{{target}}}", SUMMARY


def record(metric, value, *, higher_is_better=False, judges_run=True):
    return {"metric": metric, "value": value, "higher_is_better": higher_is_better, "judges_run": judges_run}


@pytest.fixture
def make_trainer(tmp_path):
    """Make trainers that train, unlike the fake of this folder."""

    def make(*words, data=None, directory=tmp_path):
        return build.trainer(composed(*TINY, *words), directory, data or tiny_data())

    return make


@pytest.fixture
def health(make_trainer):
    """Run a training, and return its warnings by kind, and its summary."""

    def run(*words, data=None, spoil=lambda trainer: None, **settings):
        trainer = make_trainer("model=gan", "trainer.images=1280", *words, *health_words(**settings), data=data)
        spoil(trainer)
        trainer.fit()
        summary = json.loads((trainer.run_dir / "summary.json").read_text())
        return {found["kind"]: found["message"] for found in summary["health"]}, summary

    return run


def zero_generator(trainer):
    """Make the generator ignore its latent, so that all samples are one image."""
    for parameter in trainer.model.generator.parameters():
        parameter.data.zero_()
    trainer.restart_average()


def test_one_image_is_named(health):
    found, _ = health(FROZEN_GENERATOR, spoil=zero_generator)
    assert "one image" in found["collapsed"]


def test_missing_classes_are_named(health):
    """The data have ten digits, and training sees three."""
    words = ("model=vae", "data=mnist", "trainer.images=10240", "trainer.batch_size=64")

    def show_few(trainer):
        shown = trainer.stream.conditions < 3
        trainer.stream.images, trainer.stream.conditions = trainer.stream.images[shown], None

    found, _ = health(*words, data=MNIST(limit=5_000), spoil=show_few, every=10_240, samples=100)
    assert "7, 9" in found["missing_classes"] and found.keys() == {"missing_classes"}


@pytest.mark.parametrize(
    ("names", "tags"),
    [
        ((), [f"class_{number}" for number in range(10)]),
        (("cat", "ice bear", "T-shirt/top"), ["class_cat", "class_ice_bear", "class_T-shirt_top", "class_3"]),
        (("a b", "a/b"), ["class_0_a_b", "class_1_a_b", "class_2"]),
    ],
)
def test_curves_are_called_as_their_classes(names, tags):
    found = measures.class_tags(names)
    assert found[: len(tags)] == tags and len(set(found)) == 10


def test_classes_are_called_by_name_in_curves_and_warnings(make_trainer):
    digits = MNIST(limit=1_000)
    data = InMemory(digits.train, test=digits.test, class_names=DIGITS)
    trainer = make_trainer("model=cgan", *NARROW_MLP, *health_words(), data=data)
    (health,) = callbacks_of(trainer, Health)
    health.start(trainer)
    reading = health._read(trainer, thorough=True)
    assert {f"class_{name}" for name in DIGITS} <= set(reading.measured) and "class_3" not in reading.measured
    assert set(reading.missing) <= set(DIGITS)


def test_a_silly_rate_is_named(health):
    found, _ = health("optimizer.generator.lr=10", "optimizer.discriminator.lr=10")
    assert "learning rates" in found["diverged"]


def test_a_loss_that_is_not_finite_is_named_in_the_summary_too(make_trainer):
    trainer = make_trainer("model=vae", "optimizer.autoencoder.lr=1e4", "trainer.images=1280", *health_words())
    with pytest.raises(Diverged):
        trainer.fit()
    summary = json.loads((trainer.run_dir / "summary.json").read_text())
    assert [found["kind"] for found in summary["health"]] == ["diverged"]
    assert "diverged" in summary["stopped"]


@pytest.mark.parametrize("loss", ["non_saturating", "jensen_shannon"])
def test_a_discriminator_that_won_is_named(health, loss):
    shades = InMemory(Split(torch.full((64, 1, 8, 8), 255, dtype=torch.uint8) - tiny_data().train.images // 8))
    words = (f"loss={loss}", "optimizer.generator.lr=0", "optimizer.discriminator.lr=1e-3", "trainer.images=2560")
    found, _ = health(*words, data=shades)
    assert "discriminator won" in found["stalled"] and "the generator at 0" in found["stalled"]


@pytest.mark.parametrize("flips", [(), ("trainer.flip_labels=0.1",)], ids=["", "flips"])
@pytest.mark.parametrize("name", SOME_LOSSES)
def test_a_generator_that_does_not_learn_is_told_with_every_loss(name, flips, health):
    """By the loss, by gradients, by logits, or because its weights do not move."""
    words = (*NARROW_MLP, f"loss={name}", "optimizer.generator.lr=0", "trainer.images=640", *flips)
    found, _ = health(*words, every=160, after=160)
    assert "generator at 0" in found["stalled"] or "optimizer.generator.lr=0" in found["stalled"]
    assert all("ower" not in message for kind, message in found.items() if kind != "stalled")


@pytest.mark.parametrize("name", SOME_LOSSES)
def test_two_players_that_learn_are_not_told_of(name, health):
    penalty = "penalty=[feature_matching]" if name == "discriminator_only" else "penalty=[]"
    found, _ = health(*NARROW_MLP, f"loss={name}", penalty, "trainer.images=640", every=160, after=160)
    assert "stalled" not in found


@pytest.mark.parametrize(("loss", "expected"), [(LeastSquares(), 0.0028), (MMD(), -9.2), (Hinge(), 0.01)])
def test_a_loss_near_its_bound_is_told(loss, expected):
    published = WON | {"discriminator/adversarial": expected}
    settings = Settings(loss.lowest_loss(), loss.winning_margin)
    (found,) = find_problems(Reading(published, {"diversity": 1.0}, settings=settings))
    assert "discriminator won" in found.message


@pytest.mark.parametrize("flipped", [0.1, 0.3, 0.8])
@pytest.mark.parametrize(
    "loss", [NonSaturating(0.9, 0.1), LeastSquares(), Hinge(), JensenShannon(), RelativisticPairing()]
)
def test_the_lowest_loss_with_flips_is_the_least_over_all_logits(loss, flipped):
    line = torch.linspace(-8, 8, 641, dtype=torch.float64)
    real, fake = line[:, None], line[None]
    found = (1 - flipped) * loss.discriminator(real, fake) + flipped * loss.discriminator(fake, real)
    assert loss.lowest_loss(flipped) == pytest.approx(found.min().item(), abs=1e-3)


def read_numbers(published, settings=ADVERSARIAL, **measured):
    found = list(find_problems(Reading(published, {"diversity": 1.0} | measured, settings=settings)))
    return found[0].message if found else ""


def test_logits_far_apart_are_told_where_the_loss_has_no_bound():
    assert "times their spread apart" in read_numbers(WON, separation=9.0)
    assert not read_numbers(WON, separation=4.9)


@pytest.mark.parametrize(
    ("generator", "discriminator", "told"), [(0.0, 0.1, True), (1e-5, 1e-5, False), (0.02, 9.0, False)]
)
def test_a_generator_that_stands_still_alone_is_told(generator, discriminator, told):
    """Both stand still at the end of a schedule."""
    message = read_numbers(WON, generator_moved=generator, discriminator_moved=discriminator)
    assert ("stands still" in message) == told


def test_a_gradient_far_below_what_it_was_is_told():
    reading = Reading({"generator/gradient_norm": 2e-3}, {"diversity": 1.0}, settings=ADVERSARIAL, steepest=50.0)
    (found,) = find_problems(reading)
    assert "50 before" in found.message


def test_a_generator_at_rate_0_is_not_told_to_learn_more_slowly():
    """Whatever else is found; and a decoder that has not learnt a class yet has lost none."""
    idle = replace(ADVERSARIAL, idle_player="generator")
    for one in find_problems(Reading({}, {"diversity": 0.01}, settings=idle)):
        assert "optimizer.generator.lr=0" in one.message and "ower" not in one.message
    decoder = Reading({}, {"diversity": 1.0}, ["9"], settings=Settings(adversarial=False))
    (found,) = find_problems(decoder)
    assert "lost" not in found.message


@pytest.mark.parametrize("model", ["wgan_gp", "sngan", "gan"])
def test_a_rate_that_falls_to_0_at_the_end_is_no_standstill(health, model):
    """The generator's last turn has rate 0, the discriminator's a little more; here everything still moves."""
    found, _ = health(f"model={model}", "optimizer=adam_fast", "trainer.images=640")
    assert "stalled" not in found


def test_a_class_is_not_missed_in_the_first_passes_over_the_data(health):
    """A decoder has yet to learn it."""
    found, _ = health("model=vae", "data=mnist", "trainer.images=320", data=MNIST(limit=1_000), samples=100)
    assert "missing_classes" not in found


def test_a_window_that_leaves_no_gradient_is_named(health):
    found, _ = health("model=wgan", "trainer.clip_weights=0.0001")
    assert "gradient vanished" in found["stalled"] and "clip_weights=0.0001" in found["stalled"]


def test_a_posterior_that_collapsed_is_called_that(health):
    found, _ = health("model=vae", "trainer.beta=1000", "optimizer.autoencoder.lr=1e-2")
    assert "posterior" in found["collapsed"] and "trainer.beta" in found["collapsed"]
    assert "wgan" not in found["collapsed"]


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_tells_where_its_discriminator_has_won(name):
    """By a number, or because the loss falls without end: there the logits tell."""
    loss = instantiate(read("loss", name))
    lowest = loss.lowest_loss()
    for above, expected in ((0.5 * loss.winning_margin, lowest is not None), (2 * loss.winning_margin, False)):
        published = WON | {"discriminator/adversarial": (lowest or 0.0) + above}
        reading = Reading(published, {"diversity": 1.0}, settings=Settings(lowest, loss.winning_margin))
        assert [found.kind for found in find_problems(reading)] == ["stalled"] * expected


def stall(clip=None, **published):
    names = {name.replace("_", "/", 1): value for name, value in published.items()}
    found = list(find_problems(Reading(WON | names, {"diversity": 1.0}, settings=Settings(0.0, 0.02, clip))))
    return found[0].message if found else ""


def test_a_vanished_gradient_is_told_with_its_cause():
    assert not stall(generator_gradient_norm=0.02)
    message = stall(generator_gradient_norm=4e-5, generator_lr=2e-4, discriminator_lr=2e-4)
    assert "4e-05" in message and "Both players learn at 0.0002" in message
    assert "0.01 as published" in stall(clip=0.001, generator_gradient_norm=4e-5)
    assert "as published" not in stall(clip=0.01, generator_gradient_norm=4e-5)


def test_the_worse_way_of_a_two_way_translator_counts():
    assert "won" in stall(discriminator_adversarial=0.5, **{"discriminator_back/adversarial": 0.001})


@pytest.mark.parametrize(
    ("nats", "adversarial", "word"), [(0.01, False, "posterior"), (9.0, False, "decoder"), (9.0, True, "wgan_gp")]
)
def test_one_image_is_explained_by_its_model(nats, adversarial, word):
    reading = Reading({}, {"diversity": 0.01, "latent_nats": nats}, settings=Settings(adversarial=adversarial))
    (found,) = find_problems(reading)
    assert found.kind == "collapsed" and word in found.message


def test_overfitting_is_named(health):
    """Random pixels have nothing in common: a discriminator can recognise them only by memory."""
    train, other = tiny_data(images=32).train, tiny_data(images=96).train
    data = InMemory(train, holdout=Split(other.images[32:], other.labels[32:]))
    found, _ = health("trainer.images=3840", "optimizer.discriminator.lr=1e-3", data=data)
    assert "held-out" in found["overfits"]


def test_one_that_does_not_overfit_is_not_accused(health):
    pixels = tiny_data(images=4096).train.images
    found, _ = health(data=InMemory(Split(pixels[:4000]), holdout=Split(pixels[4000:])))
    assert "overfits" not in found


@pytest.mark.parametrize(
    ("name", "rises", "values", "word"),
    [
        ("fid", False, [9, 5, 6, 7, 8], "rose"),
        ("inception_score", True, [2, 6, 5, 4, 3], "fell"),
        ("fid", False, [9, 5, 6, 5.5, 8], None),  # not in a row
        ("fid", False, [5, 5.1, 5.2, 5.3], None),  # noise
        ("fid", False, [9, 8, 7, 6], None),
        ("inception_score", True, [3, 4, 5, 6], None),
        ("kid", False, [-0.001, 0.1, 0.2, 0.3], "rose"),  # an estimate without bias may be below 0
        ("bound", True, [-100, -101, -102, -103], None),  # 3 % worse
        ("bound", True, [-100, -110, -120, -130], "fell"),
    ],
)
def test_scores_that_worsen(name, rises, values, word):
    found = find_worsening(name, values, higher_is_better=rises)
    assert (found is None) if word is None else (word in found.message)


def test_a_number_that_does_not_sum_up_a_run_is_not_judged(make_trainer):
    """Recall and novelty fall in healthy runs, too."""
    trainer = make_trainer("model=gan", *health_words())
    health = trainer.callbacks["health"]
    for value in (0.9, 0.6, 0.4, 0.2):
        health.record(trainer, record("recall", value, higher_is_better=True, judges_run=False))
    assert not health.found and health._is_healthy


def test_a_warning_is_given_once_and_again_after_recovery(make_trainer):
    trainer = make_trainer("model=gan", *health_words())
    health = trainer.callbacks["health"]
    for images, value in enumerate([9, 5, 6, 7, 8, 9, 5, 6, 7, 8]):
        trainer.images = images
        health.record(trainer, record("fid", float(value)))
    assert [(found["kind"], found["images"]) for found in health.found] == [("worsening", 4), ("worsening", 9)]


def test_two_scores_that_worsen_are_said_once_each(make_trainer):
    trainer = make_trainer("model=gan", *health_words())
    health = trainer.callbacks["health"]
    for images, value in enumerate([5, 6, 7, 8, 9, 10]):
        trainer.images = images
        health.record(trainer, record("fid", float(value)))
        health.record(trainer, record("kid", value / 10))
    assert ["fid" in found["message"] for found in health.found] == [True, False]


@pytest.mark.parametrize(
    ("missing_at_first", "said"),
    [((6, 4, 2, 0), []), ((6, 4, 2, 2), [4]), ((2, 2, 2), [2]), ((0, 2, 0, 2), []), ((2, 3), [2])],
)
def test_classes_that_are_only_just_being_learnt_are_not_called_lost(missing_at_first, said, monkeypatch):
    """`missing_at_first` is the number of classes missing at each look, `said` the looks that warn."""
    health = Health(after=0)
    monkeypatch.setattr(health, "_publish", lambda *_: None)
    for look, number in enumerate(missing_at_first, start=1):
        reading = Reading({}, {"diversity": 1.0}, missing=[*map(str, range(number))], missing_at_first=number)
        monkeypatch.setattr(health, "_read", lambda *_, reading=reading, **__: reading)
        health._look(SimpleNamespace(images=look), last=False)
    assert [found["images"] for found in health.found] == said


def test_rare_classes_are_looked_for_only_by_a_thorough_look(monkeypatch):
    """The first sample of class 9 is number 800."""
    asked = []
    trainer = SimpleNamespace(samples=SimpleNamespace())
    trainer.samples.draw_samples = lambda start, count: asked.append(start) or range(start, start + count)
    trainer.data = SimpleNamespace(train=None, classes_of=lambda split: torch.arange(10))
    monkeypatch.setattr(measures, "class_histogram", lambda _, __, rows: [7] * 9 + [int(800 in rows)])
    cheap, found = (measures.count_classes(None, trainer, range(100), thorough=thorough) for thorough in (False, True))
    assert cheap.missing == [9]
    assert (found.missing, found.missing_at_first) == ([], 1) and asked == [
        100,
        200,
        300,
        400,
        500,
        600,
        700,
        800,
    ]


def test_action_stop_ends_the_run(health):
    _, summary = health(FROZEN_GENERATOR, spoil=zero_generator, action="stop", every=320)
    assert summary["images"] == 640 and "collapsed" in summary["stopped"]


def test_watching_changes_nothing_that_is_trained(make_trainer, tmp_path):
    weights = []
    for index, callbacks in enumerate([(), health_words()]):
        trainer = make_trainer("model=dcgan", "trainer.images=320", *callbacks, directory=tmp_path / str(index))
        trainer.run_dir.mkdir()
        trainer.fit()
        weights.append(torch.cat([value.flatten() for value in trainer.model.state_dict().values()]))
    assert torch.equal(*weights)


def test_what_was_found_outlives_a_restart(make_trainer):
    trainer = make_trainer("model=gan", *health_words())
    before, after = trainer.callbacks["health"], make_trainer("model=gan", *health_words()).callbacks["health"]
    for value in (5.0, 6.0, 7.0, 8.0):
        before.record(trainer, record("fid", value))
    after.load_state_dict(before.state_dict())
    after.record(trainer, record("fid", 9.0))
    assert len(after.found) == 1


def test_it_is_on_by_default():
    assert composed()["callbacks"]["health"]["action"] == "warn"


@pytest.mark.slow
@pytest.mark.parametrize(("model", "images"), [("gan", 500_000), ("vae", 600_000)])
def test_default_runs_raise_nothing_and_pay_little(tmp_path, model, images):
    genlab.run([f"model={model}", f"trainer.images={images}", f"hydra.run.dir={tmp_path / 'run'}"])
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["health"] == []
    rows = map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    assert max(row["health/time_share"] for row in rows if "health/time_share" in row) < 0.01
