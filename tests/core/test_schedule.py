"""Numbers that change with the images seen, and what they are used for: half-lives, betas, weights."""

from copy import deepcopy
from functools import cache, reduce
from math import cos, pi
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab.build import instantiate as build
from genlab.core.errors import ConfigError
from genlab.core.schedule import Line, Ramp, Step, value_at
from genlab.trainers import EMA, Constant, Cosine, Player
from genlab.trainers.turns import micro_batches
from tests.conftest import TINY, composed, narrow, tiny_data


@pytest.mark.parametrize(
    ("ramp", "seen", "value"),
    [
        (Ramp(0.9, 0.99), 0, 0.9),
        (Ramp(0.9, 0.99), 500, 0.945),
        (Ramp(0.9, 0.99), 1000, 0.99),
        (Ramp(2.0, 0.2), 250, 0.2 + 1.8 * (1 + cos(pi / 4)) / 2),
        (Ramp(2.0, 0.2, images=100), 50, 1.1),
        (Ramp(2.0, 0.2, images=100), 700, 0.2),
    ],
)
def test_half_a_cosine(ramp, seen, value):
    assert value_at(ramp, seen, 1000) == pytest.approx(value)


@pytest.mark.parametrize(
    ("step", "seen", "value"),
    [
        (Step(0.0, 3.0), 499, 0.0),
        (Step(0.0, 3.0), 500, 3.0),
        (Step(0.0, 3.0, share=0.2), 200, 3.0),
        (Step(2.0, 1.0, images=70), 69, 2.0),
        (Step(2.0, 1.0, images=70), 70, 1.0),
    ],
)
def test_one_value_and_then_another(step, seen, value):
    assert value_at(step, seen, 1000) == value


def test_staircase():
    stairs = {0: 5, 100: 2, 1000: 1}
    assert [value_at(stairs, seen, 10_000) for seen in (0, 99, 100, 999, 1000, 10**9)] == [5, 5, 2, 2, 1, 1]


@pytest.mark.parametrize(("seen", "value"), [(0, 0.0), (250, 0.5), (500, 1.0), (900, 1.0)])
def test_a_line(seen, value):
    assert value_at(Line(0.0, 2.0, images=500), seen, 1000) / 2 == value


KINDS = {  # each gives `first` at the start of a run of 64 images and `last` at its end
    "number": lambda first, last: last,
    "staircase": lambda first, last: {0: first, 32: last},
    "ramp": lambda first, last: {"_target_": "genlab.core.schedule.Ramp", "start": first, "end": last, "images": 64},
    "line": lambda first, last: {"_target_": "genlab.core.schedule.Line", "start": first, "end": last},
    "step": lambda first, last: {"_target_": "genlab.core.schedule.Step", "start": first, "end": last},
}
KEYS = {  # how each is given, the model, and what it is at a time
    "trainer.n_critic": ("wgan_gp", 3, 1, lambda t: t.turn_count(t.n_critic, t.images)),
    "trainer.n_generator": ("wgan_gp", 3, 1, lambda t: t.turn_count(t.n_generator, t.images)),
    "penalty.gradient_penalty.weight": ("wgan_gp", 8.0, 2.0, lambda t: strength(t)),
    "trainer.adversarial_weight": ("wgan_gp", 0.5, 1.0, lambda t: t.adversarial_weight_at(turn_of(t))),
    "trainer.top_k": ("wgan_gp", 1.0, 0.5, lambda t: value_at(t.top_k, t.images, t.total_images)),
    "trainer.ema.halflife": ("wgan_gp", 50.0, 500.0, lambda t: value_at(t.ema.halflife, t.images, t.total_images)),
    "optimizer.schedule.beta2": ("wgan_gp", 0.5, 0.75, lambda t: second_beta(t)),
    "trainer.beta": ("vae", 0.5, 4.0, lambda t: divergence_weight(t)),
}


def turn_of(trainer):
    return SimpleNamespace(images_seen=trainer.images, total_images=trainer.total_images)


def strength(trainer):
    return trainer.penalties["gradient_penalty"].strength(turn_of(trainer))


def second_beta(trainer):
    trainer.take_turn(trainer.main_phases["generator"])
    return trainer.players["generator"].optimizer.param_groups[0]["betas"][1]


def divergence_weight(trainer):
    """The divergence in what is minimised, over the one that is watched."""
    (draws,) = micro_batches(trainer.phase, trainer.players["autoencoder"], trainer.engine)
    losses = trainer.compute_losses(trainer.phase, draws)
    return (losses.terms["divergence"].sum() / losses.stats["kl"].sum()).item()


@cache
def config_of(model):
    every = ["penalty.gradient_penalty.every=1"] * (model == "wgan_gp")
    return composed(*TINY, f"model={model}", *narrow(model), *every)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", KEYS)
def test_any_changing_number_takes_any_form(tmp_path, key, kind):
    model, first, last, value = KEYS[key]
    config, (*path, name) = deepcopy(config_of(model)), key.split(".")
    reduce(dict.get, path, config)[name] = KINDS[kind](first, last)
    trainer = build.trainer(config, tmp_path, tiny_data())
    if kind != "number":
        assert value(trainer) == pytest.approx(first)
    trainer.images = 64
    assert value(trainer) == pytest.approx(last)
    trainer.take_step()


def test_a_changing_number_out_of_range_is_refused(make_trainer):
    with pytest.raises(ConfigError, match=r"trainer.n_critic.*1 or more"):
        make_trainer("model=wgan_gp", *narrow("wgan_gp"), "trainer.n_critic={0: 0}")


def test_a_number_is_itself():
    assert value_at(3.0, 17, 1000) == 3.0


def test_half_life_of_the_average():
    """It halves the distance every 1,000 images once the ramp has ended, and copies the weights at its start."""
    network = nn.Linear(3, 1)
    ema = EMA(network, 10_000, halflife=Ramp(0, 1000, images=500), warmup=0)
    with torch.no_grad():
        network.weight += 8
    ema.update(100, 0)
    torch.testing.assert_close(ema.network.weight, network.weight)
    start = ema.network.weight.clone()
    with torch.no_grad():
        network.weight += 8
    for step in range(10):
        ema.update(100, 500 + step * 100)
    torch.testing.assert_close(ema.network.weight, start + 4)


def player():
    module = nn.Linear(2, 2)
    return Player("generator", module, torch.optim.Adam(module.parameters(), lr=2e-4, betas=(0.0, 0.9)))


def test_rate_and_second_beta_of_adam():
    moved, schedule = player(), Cosine(final=0.25, beta2=Ramp(0.9, 0.99))
    for seen, rate, beta in ((0, 2e-4, 0.9), (500, 1.25e-4, 0.945), (1000, 5e-5, 0.99)):
        moved.set_rates(schedule(seen, 1000), schedule.second_beta(seen, 1000))
        group = moved.optimizer.param_groups[0]
        assert group["lr"] == pytest.approx(rate)
        assert group["betas"] == pytest.approx((0.0, beta))


def test_a_schedule_without_a_beta_leaves_it():
    moved = player()
    moved.slow_down_for_lazy_turns([4])
    moved.set_rates(1.0, Constant().second_beta(10, 100))
    assert moved.optimizer.param_groups[0]["betas"] == pytest.approx((0.0, 0.9**0.8))
    moved.set_rates(1.0, 0.99)
    assert moved.optimizer.param_groups[0]["betas"] == pytest.approx((0.0, 0.99**0.8))  # room for lazy turns here too


def test_a_ramp_gives_way_to_a_number(make_trainer):
    numbers = ("penalty.r1.weight=3", "trainer.ema.halflife=5e3", "optimizer.schedule.beta2=null")
    trainer = make_trainer("model=r3gan", *narrow("r3gan"), *numbers)
    assert trainer.penalties["r1"].weight == 3
    assert trainer.ema.halflife == 5000
    assert trainer.system.schedule.beta2 is None


def test_r3gan_reaches_the_ends_of_all_its_schedules(make_trainer):
    trainer = make_trainer("model=r3gan", *narrow("r3gan"), "trainer.images=32")
    trainer.fit()
    group = trainer.players["discriminator"].optimizer.param_groups[0]
    last = 1 - cos(pi * 24 / 32)  # seen before the last step
    assert group["lr"] == pytest.approx(2e-3 - 1.5e-3 * last / 2)
    assert group["betas"] == pytest.approx((0.0, 0.9 + 0.09 * last / 2))
    assert trainer.penalties["r1"].weight.end < trainer.penalties["r1"].weight.start
