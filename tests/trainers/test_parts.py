"""EMA, schedules, statistics, random draws and the data stream."""

import math

import pytest
import torch
from torch import nn

from genlab.core.errors import RunError
from genlab.core.random import Draws, mix
from genlab.data import Split
from genlab.data.stream import Stream
from genlab.trainers import EMA, Constant, Cosine, Linear
from genlab.trainers.statistics import Statistics

CPU = torch.device("cpu")


def test_ema_halves_the_distance_in_its_halflife():
    network = nn.Linear(3, 1)
    ema = EMA(network, halflife=1000, warmup=0)
    start = ema.network.weight.clone()
    with torch.no_grad():
        network.weight += 8
    for step in range(10):
        ema.update(100, (step + 1) * 100)
    torch.testing.assert_close(ema.network.weight, start + 4)


def test_ema_warm_up_and_batch_norm_statistics():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    ema = EMA(network, halflife=1e9, warmup=0.05)
    network(torch.randn(64, 3) + 5)
    ema.update(64, 64)  # half-life of 3.2 images: 20 half-lives have passed
    torch.testing.assert_close(ema.network[1].running_mean, network[1].running_mean, rtol=1e-4, atol=1e-4)
    assert not ema.network.training and not any(param.requires_grad for param in ema.network.parameters())


def test_ema_follows_the_same_weights_after_a_restart():
    network = nn.Linear(2, 2)
    ema = EMA(network, halflife=10)
    network.load_state_dict({"weight": torch.ones(2, 2), "bias": torch.ones(2)})
    for _ in range(100):
        ema.update(100, 10_000)
    torch.testing.assert_close(ema.network.weight, torch.ones(2, 2))


@pytest.mark.parametrize(
    ("schedule", "images", "factor"),
    [
        (Constant(), 500, 1.0),
        (Constant(warmup=100), 49, 0.5),
        (Linear(), 0, 1.0),
        (Linear(), 250, 0.75),
        (Linear(final=0.5), 1000, 0.5),
        (Linear(begin=500), 500, 1.0),
        (Linear(begin=500), 750, 0.5),
        (Linear(end=500), 900, 0.0),
        (Linear(hold=0.5), 500, 1.0),
        (Linear(hold=0.5), 750, 0.5),
        (Linear(hold=0.5, end=800), 500, 0.75),
        (Cosine(), 500, 0.5),
        (Cosine(), 250, (1 + math.cos(math.pi / 4)) / 2),
        (Cosine(final=0.1, warmup=10), 1000, 0.1),
    ],
)
def test_schedules(schedule, images, factor):
    assert schedule(images, 1000) == pytest.approx(factor)


def test_statistics_are_means_since_the_last_flush():
    statistics = Statistics()
    statistics.add("a", torch.tensor([1.0, 3.0]), 0)
    statistics.add("a", torch.tensor([4.0]), 1)
    statistics.add("b", torch.tensor(7.0), 1)
    assert statistics.flush() == {"a": 3.0, "b": 7.0}
    assert statistics.flush() == {}


def test_a_number_that_is_not_finite_names_phase_and_step():
    statistics = Statistics()
    statistics.add("critic/adversarial", torch.ones(3), 4)
    statistics.add("critic/gradient_norm", torch.tensor(float("inf")), 5)
    for look in (statistics.check_finite, statistics.flush):
        with pytest.raises(RunError, match=r"gradient_norm of the critic is inf at step 5"):
            look()


def test_statistics_survive_a_restart():
    one, other = Statistics(), Statistics()
    one.add("a", torch.tensor([2.0]), 0)
    other.load_state_dict(one.state_dict())
    other.add("a", torch.tensor([4.0]), 1)
    assert other.flush() == {"a": 3.0}


def draws(start, stop, *key, batch=8):
    return Draws(key or (0, "d", 1), batch, start, stop, CPU)


def test_draws_are_slices_of_the_batchs():
    whole = draws(0, 8).normal("z", 3)
    parts = [draws(start, start + 2).normal("z", 3) for start in range(0, 8, 2)]
    assert torch.equal(whole, torch.cat(parts))


def test_draws_depend_on_seed_player_turn_and_purpose():
    keys = [(0, "d", 1), (1, "d", 1), (0, "g", 1), (0, "d", 2)]
    found = [draws(0, 8, *key).uniform("z", 3) for key in keys] + [draws(0, 8).uniform("y", 3)]
    assert all(not torch.equal(found[i], found[j]) for i in range(5) for j in range(i))


def test_mixing_keeps_32_bits_and_tells_seed_and_step_apart():
    seeds = {mix(seed, step) for seed in range(60) for step in range(60)}
    assert len(seeds) == 3600  # seed + step would give 119
    assert all(0 <= seed < 2**32 for seed in seeds)


def stream(images=10, seed=0, flip=False):
    pixels = torch.arange(images, dtype=torch.uint8)[:, None, None, None] * torch.ones(1, 1, 1, 2, dtype=torch.uint8)
    pixels[..., 1] += 100
    return Stream(Split(pixels), seed=seed, device=CPU, flip=flip)


def shown(source, position, count):
    batch = source.batch("d", position, draws(0, count, batch=count))
    return ((batch[:, 0, 0, 0] + 1) * 127.5).round().int().tolist()


def test_every_epoch_shows_every_image_once_in_its_own_order():
    source = stream()
    epochs = [shown(source, start, 10) for start in (0, 10, 20)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_the_stream_is_a_function_of_seed_and_position():
    assert shown(stream(), 7, 6) == (shown(stream(), 0, 20))[7:13]  # over the end of an epoch
    assert shown(stream(seed=1), 0, 10) != shown(stream(), 0, 10)


def test_pixels_become_minus_one_to_one_and_some_are_mirrored():
    batch = stream(200, flip=True).batch("d", 0, draws(0, 200, batch=200))
    mirrored = (batch[:, 0, 0, 0] > batch[:, 0, 0, 1]).sum()
    assert 60 < mirrored < 140
    extremes = Stream(Split(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)), seed=0, device=CPU)
    assert sorted(extremes.batch("d", 0, draws(0, 2, batch=2)).flatten().tolist()) == [-1.0, 1.0]
