from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab.build import preflight
from genlab.build.advice import advice
from genlab.build.memory import state_per_parameter
from genlab.callbacks import Scores
from genlab.data import InMemory, Split
from genlab.losses import Bernoulli, JensenShannon, Minimax, NonSaturating, Wasserstein
from genlab.losses.penalties import R1, GradientPenalty
from genlab.metrics import FID, KID, PRDC, Pixels
from genlab.trainers import Player


class Model(nn.Module):
    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.generator = nn.Linear(4, 64)
        self.discriminator = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), norm, nn.Linear(8, 1))
        self.players = {"generator": self.generator, "discriminator": self.discriminator}


def zeros(count, tested=2_000):
    splits = [Split(torch.zeros(images, 1, 8, 8, dtype=torch.uint8)) for images in (count, tested)]
    return InMemory(splits[0], test=splits[1], name="zeros")


class FakeTrainer:
    """A well-chosen run: no rule has advice."""

    iterates = True
    turning_points = (0,)
    images_to_full_size = 0

    def __init__(self, tmp_path, norm: nn.Module | None = None) -> None:
        self.model = Model(norm or nn.Identity())
        self.players = {
            "generator": player("generator", self.model.generator, 1e-4),
            "discriminator": player("discriminator", self.model.discriminator, 4e-4),
        }
        self.data = zeros(6_000)
        self.loss, self.penalties, self.augmentations, self.ema = NonSaturating(), {}, {}, object()
        self.device, self.seed, self.run_dir = torch.device("cpu"), 7, tmp_path
        self.images, self.total_images, self.batch_size, self.largest = 0, 60_000, 64, 1.0
        self.config: dict = {}  # nobody reads it by key
        self.resumed_from = 0
        self.clip_weights, self.images_a_step, self.images_to_full_size = None, 320, 0
        self.engine = SimpleNamespace(dtype=torch.float32, autocast=None)
        self.callbacks = {"mine": Scores(Pixels(), {"fid": FID()}, images=10_000)}

    @property
    def samples(self):
        return self  # it draws them itself

    system = samples

    @property
    def spec(self):
        return self.data.spec

    def draw_samples(self, start, count):
        return torch.linspace(-1, self.largest, count * 64).view(count, 1, 8, 8)

    def move_to(self, images):
        self.images = images

    def take_step(self):
        self.images += 320


def player(name, module, lr):
    return Player(name, module, torch.optim.Adam(module.parameters(), lr=lr, betas=(0.5, 0.999)))


@pytest.fixture
def trainer(tmp_path):
    return FakeTrainer(tmp_path)


def test_a_well_chosen_run_needs_no_advice(trainer):
    assert advice(trainer) == []


def few_images(trainer):
    trainer.data = zeros(4_000)


def add_batch_norm(trainer, **values):
    trainer.model.discriminator[2] = nn.BatchNorm1d(8)
    vars(trainer).update(values)


def at_one_rate(trainer, loss):
    trainer.loss = loss
    for player in trainer.players.values():
        player.optimizer.param_groups[0].update(lr=2e-4)


def score(trainer, images=1_999, **metrics):
    trainer.callbacks = {"mine": Scores(Pixels(), metrics, images=images)}


UNWISE = {
    "trainer.batch_size=16 with batch normalisation": lambda t: add_batch_norm(t, batch_size=16),
    "optimizer.generator.lr=0: the generator will learn nothing": lambda t: (
        t.players["generator"].optimizer.param_groups[0].update(lr=0.0)
    ),
    "optimizer.discriminator.lr=100: so large a step diverges": lambda t: (
        t.players["discriminator"].optimizer.param_groups[0].update(lr=100.0)
    ),
    "optimizer.discriminator.lr=1e-05 is below": lambda t: (
        t.players["discriminator"].optimizer.param_groups[0].update(lr=1e-5)
    ),
    r"trainer.clip_weights=0.01 and penalty=\[r1\]": lambda t: (
        setattr(t, "clip_weights", 0.01),
        t.penalties.update(r1=R1()),
    ),
    "clip_weights=0.001 is far below the published 0.01": lambda t: setattr(t, "clip_weights", 0.001),
    "Minimax teaches the generator nothing": lambda t: at_one_rate(t, Minimax()),
    "JensenShannon teaches the generator nothing": lambda t: at_one_rate(t, JensenShannon(zero_sum=True)),
    "4,000 images without augmentation": few_images,
    "span -1 to 2": lambda t: setattr(t, "largest", 2.0),
    "Wasserstein needs a critic of bounded slope": lambda t: setattr(t, "loss", Wasserstein()),
    r"penalty=\[r1\] measures each sample": lambda t: add_batch_norm(t, penalties={"r1": R1()}),
    "no EMA": lambda t: setattr(t, "ema", None),
    "less than one epoch": lambda t: setattr(t, "total_images", 5_999),
    "full size after 150,000 images": lambda t: setattr(t, "images_to_full_size", 150_000),
    "metrics.images=1,999: fid from fewer": lambda t: score(t, fid=FID(), kid=KID(100)),
    r"1,999 real images \(test\): fid from fewer": lambda t: setattr(t, "data", zeros(6_000, 1_999)),
    r"499 and 40 real images \(test\): kid from fewer than 500": lambda t: (
        score(t, images=499, kid=KID(30)),
        setattr(t, "data", zeros(6_000, 40)),
    ),
    "under 10 steps an epoch": lambda t: setattr(t, "batch_size", 601),
}


@pytest.mark.parametrize("expected", UNWISE)
def test_each_unwise_choice_gets_its_own_advice(trainer, expected):
    UNWISE[expected](trainer)
    (line,) = advice(trainer)
    assert re.search(expected, line)


def test_a_generator_that_was_published_without_bounds_needs_no_advice(trainer):
    trainer.largest, trainer.model.generator.unbounded = 2.0, True
    assert advice(trainer) == []


@pytest.mark.parametrize(
    "bound",
    [
        lambda t: t.penalties.update(gradient_penalty=GradientPenalty()),
        lambda t: setattr(t, "clip_weights", 0.01),
        lambda t: nn.utils.parametrizations.spectral_norm(t.model.discriminator[1]),
    ],
)
def test_whatever_bounds_the_slope_is_enough_for_wasserstein(trainer, bound):
    trainer.loss = Wasserstein()
    bound(trainer)
    assert advice(trainer) == []


def test_a_saturating_loss_with_two_rates_needs_no_advice(trainer):
    at_one_rate(trainer, Minimax())
    trainer.players["generator"].optimizer.param_groups[0].update(lr=1e-4)
    assert advice(trainer) == []


def test_no_fid_no_advice_on_fid(trainer):
    """KID has no bias: few samples make it uncertain, not too high."""
    score(trainer, kid=KID(100), recall=PRDC())
    assert advice(trainer) == []
    trainer.callbacks = {}
    assert advice(trainer) == []


def test_bfloat16_is_slow_without_amx(trainer, monkeypatch):
    trainer.engine.autocast = torch.bfloat16
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert advice(trainer) == []
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    assert "without AMX" in advice(trainer)[0]


def test_augmentation_silences_the_advice_on_few_images(trainer):
    few_images(trainer)
    trainer.augmentations = {"mine": object()}
    assert advice(trainer) == []


def test_a_system_without_a_discriminator_can_be_advised(trainer):
    """Advice on bounded images, averages and augmentation is for systems with a discriminator alone."""
    trainer.players = {"autoencoder": trainer.players["generator"]}
    trainer.loss, trainer.ema, trainer.largest = Bernoulli(), None, 2.0
    assert advice(trainer) == []


def test_the_table_holds_the_resolved_facts(trainer):
    trainer.penalties = {"r1": R1(weight=5.0)}
    rows = dict(preflight.describe(trainer))
    assert rows["networks"] == "generator 320 parameters, discriminator 529 parameters"
    assert rows["duration"] == "60,000 images = 188 steps = 10.0 epochs, batches of 64"
    assert rows["data"] == "zeros: 6,000 images of 1 x 8 x 8"
    assert rows["generator's optimizer"] == "Adam(lr=0.0001, betas=(0.5, 0.999), weight_decay=0)"
    assert rows["loss"] == "NonSaturating(real_label=1.0, fake_label=0.0)"
    assert rows["penalties"] == "R1(weight=5.0, every=1, on='discriminator')"
    assert rows["device"].startswith("cpu (") and "float32" in rows["device"]
    assert (rows["seed"], rows["run directory"]) == ("7", str(trainer.run_dir))


def test_a_schedule_of_turns_has_no_number_of_steps(trainer):
    trainer.images_a_step = None
    assert dict(preflight.describe(trainer))["duration"] == "60,000 images = 10.0 epochs, batches of 64"


def test_memory_counts_every_copy_of_the_weights(trainer, monkeypatch):
    monkeypatch.setattr(preflight, "MIB", 4)  # numbers instead of MiB
    text = dict(preflight.describe(trainer))["memory"]
    assert "parameters 849.0, gradients 849.0, optimizers 1,698.0, EMA 320.0, data 96,000.0" in text
    assert text.startswith("99,716 MiB")


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda p: torch.optim.SGD(p, lr=0.1), 0),
        (lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), 1),
        (lambda p: torch.optim.RMSprop(p, lr=0.1), 1),
        (lambda p: torch.optim.Adam(p, lr=0.1, fused=True), 2),
        (lambda p: torch.optim.AdamW(p, lr=0.1, amsgrad=True), 3),
    ],
)
def test_optimizer_state_is_found_out_by_trying(make, expected):
    parameter = nn.Parameter(torch.ones(3))
    optimizer = make([parameter])
    assert state_per_parameter(optimizer) == expected
    assert not optimizer.state and parameter.tolist() == [1, 1, 1]


def test_a_dry_run_measures_the_second_step(trainer, monkeypatch, capsys):
    ticks = iter([10.0, 10.5])
    monkeypatch.setattr(preflight.time, "perf_counter", lambda: next(ticks))
    rows = dict(preflight.dry_run(trainer))
    assert trainer.images == 640
    assert rows["step"] == "0.5 s for 320 images: 640 images/s"
    assert rows["whole run"].startswith("0:01:33 for 60,000 images")
    assert "MiB" in rows["peak memory"]
    assert "0:01:33" in capsys.readouterr().out


def test_what_is_printed_holds_table_and_advice(trainer, capsys):
    trainer.ema = None
    preflight.show(trainer)
    out = capsys.readouterr().out
    assert "60,000 images" in out and out.splitlines()[-1].startswith("advice")


def test_a_terminal_shows_brackets_as_they_are(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    preflight.print_rows([("advice", "penalty=[r1] is enough")])
    assert "penalty=[r1] is enough" in capsys.readouterr().out
