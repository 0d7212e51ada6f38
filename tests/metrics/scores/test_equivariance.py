"""Decibels of generators that follow their input by construction, and of one that does not."""

import math
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from genlab.core.errors import ConfigError
from genlab.core.random import Draws
from genlab.data import InMemory, Split
from genlab.metrics import Evaluation, SampleSource
from genlab.metrics.extractors.extractor import Coordinates
from genlab.metrics.scores.equivariance import RotationEquivariance, TranslationEquivariance, decibels
from genlab.metrics.scores.image_motion import ExactRotation, Rotation, Translation
from genlab.models.latent import Normal

SIDE = 32


class Waves(nn.Module):
    """Sums of waves of at most `cycles` over the side, read where `transform` says; `pinned` noise stays there."""

    def __init__(self, cycles=4.0, pinned=0.0, side=SIDE):
        super().__init__()
        source = torch.Generator().manual_seed(0)
        self.frequencies = (torch.rand(16, 2, generator=source) * 2 - 1) * cycles
        self.phases, self.noise = torch.rand(16, generator=source), pinned * torch.randn(side, side, generator=source)
        self.transform, self.side = torch.eye(3), side

    def forward(self, z, condition=None):
        line = (torch.arange(self.side) + 0.5) / self.side - 0.5
        right, down = torch.meshgrid(line, line, indexing="xy")
        places = torch.stack([right, down, torch.ones_like(right)], 2) @ self.transform.T
        waves = (2 * math.pi * (places[..., :2] @ self.frequencies.T + self.phases)).sin()
        return (waves @ z.T).permute(2, 0, 1)[:, None] / 12 + self.noise


def scored(generator, metric, side=SIDE):
    model = nn.Module()
    model.latent, model.generator, model.conditional = Normal(16), generator, False
    trained = SimpleNamespace(
        model=model,
        sampling=lambda: nullcontext(generator),
        fixed_draws=lambda chunk: Draws((0, "samples", chunk), 25, 0, 25, torch.device("cpu")),
        sample_conditions=lambda start, count: None,
    )
    data = InMemory(Split(torch.zeros(4, 1, side, side, dtype=torch.uint8)))
    evaluation = Evaluation(Coordinates(), {"eq": metric}, split="train")
    evaluation.check(data, trained)
    source = SampleSource(lambda start, count: pytest.fail("no samples are needed"), trained=trained)
    return {record.metric: record for record in evaluation.run(source, data, device="cpu")}


def test_a_generator_that_moves_with_its_input_has_many_decibels():
    """By whole pixels it is exact; between them resampling bounds it, at 40 to 50 dB in the paper."""
    found = scored(Waves(), TranslationEquivariance(60, group=5)) | scored(Waves(), RotationEquivariance(60, group=5))
    assert found["eq_t"].value > 120 and found["eq_t_frac"].value > 50 and found["eq_r_exact"].value > 50
    assert found["eq_r"].value > 45
    assert found["eq_t"].settings == "60 images, 5 moved alike" and found["eq_t"].extractor == "none"


@pytest.mark.parametrize("metric", [TranslationEquivariance, RotationEquivariance])
def test_a_generator_pinned_to_the_grid_has_few_decibels(metric):
    """The difference of two unlike fields of noise of deviation 0.1: 10 log10(4 / 0.02) = 23 dB."""
    for record in scored(Waves(pinned=0.1), metric(60, group=5)).values():
        assert record.value == pytest.approx(23, abs=1.5)


def test_fine_detail_turns_within_what_square_pixels_hold():
    """Eq. 29: frequencies beyond the rotated square are in neither image. Nearest pixels have them, and 25 dB less."""
    assert scored(Waves(cycles=10.0), RotationEquivariance(60, group=5))["eq_r_exact"].value > 40


def natural_waves(transform, side=48):
    """An image with a natural spectrum, up to the frequencies that pixels hold, seen through a transform of places."""
    line = (torch.arange(side, dtype=torch.float64) + 0.5) / side - 0.5
    right, down = torch.meshgrid(line, line, indexing="xy")
    places = torch.stack([right, down, torch.ones_like(right)], 2) @ transform.double().T
    total = torch.zeros(side, side, dtype=torch.float64)
    for wave in range(1, 41):
        cycles, angle = 24 * wave / 40, 2.399963 * wave
        phase = 2 * math.pi * cycles * (math.cos(angle) * places[..., 0] + math.sin(angle) * places[..., 1])
        total += (phase + wave).sin() / wave / 4
    return total.float()[None, None]


@pytest.mark.parametrize(
    ("moves", "published"),
    [
        ([Rotation(angle) for angle in (0.3, 1.0, 2.0, -0.7, math.pi / 2)], 47.82269),
        ([Translation(3.3, -2.6), Translation(-0.4, 5.75), Translation(-5.2, -1.9)], 50.99196),
    ],
)
def test_decibels_are_those_of_the_authors_code(moves, published):
    """Numbers of metrics/equivariance.py of StyleGAN3's repository for these images, angles and shifts."""
    plain = natural_waves(torch.eye(3))
    pairs = [move.crop_to_overlap(plain, natural_waves(move.transform(48))) for move in moves]
    squares = sum((one - other).double().square().sum() for one, other in pairs)
    assert decibels((squares / sum(one.numel() for one, _ in pairs)).item()) == pytest.approx(published, abs=1e-4)


def test_the_exact_rotation_costs_fewer_decibels_than_the_published_one():
    plain, moved = natural_waves(torch.eye(3)), natural_waves(Rotation(0.3).transform(48))
    published, exact = (kind(0.3).crop_to_overlap(plain, moved) for kind in (Rotation, ExactRotation))
    errors = [(one - other).square().mean().item() for one, other in (published, exact)]
    assert decibels(errors[1]) > decibels(errors[0]) + 3


def test_a_diverged_generator_has_no_number():
    assert all(
        math.isnan(record.value) for record in scored(Waves(pinned=math.nan), TranslationEquivariance(5)).values()
    )


def test_the_generators_own_transform_is_restored():
    generator = Waves()
    scored(generator, TranslationEquivariance(5))
    assert torch.equal(generator.transform, torch.eye(3))


def test_decibels():
    """Ibid., equation 18, for a range of 2."""
    assert decibels(4.0) == 0 and decibels(0.04) == pytest.approx(20) and decibels(0.0) == 140


@pytest.mark.parametrize("right", [-3.0, 0.0, 2.0, -0.3, 1.6])
def test_a_translation_moves_to_the_right_and_down(right):
    """Against waves drawn anew; `there` is the same window of the moved image."""
    generator, z = Waves(), torch.randn(2, 16, generator=torch.Generator().manual_seed(1))
    plain, move = generator(z), Translation(right, 1.25)
    generator.transform = move.transform(SIDE)
    there, moved = move.crop_to_overlap(plain, generator(z))
    assert there.shape == moved.shape and there.shape[-1] >= SIDE - 9
    torch.testing.assert_close(there, moved, rtol=0, atol=1e-2)


def test_whole_pixels_are_moved_exactly():
    images = torch.randn(1, 2, 8, 8)
    there, same = Translation(2, -1).crop_to_overlap(images, images)
    assert torch.equal(there, images[..., 1:, :-2]) and torch.equal(same, images[..., :-1, 2:])


def test_a_rotation_by_a_right_angle_needs_no_resampling():
    """What differs is the sum to which the filter is normalised, at one sample a pixel and at four: 60 dB."""
    images = torch.randn(1, 2, SIDE, SIDE)
    there, same = ExactRotation(math.pi / 2).crop_to_overlap(images, images.rot90(1, (2, 3)))
    torch.testing.assert_close(there, same, rtol=1e-3, atol=1e-4)


def test_the_filter_of_a_rotation_is_as_its_definition():
    """At 0 degrees the square itself: a sinc, under Lanczos' window convolved with itself (equation 32)."""
    kernel = ExactRotation(0.0).band_filter(torch.eye(2), 1)
    place = torch.arange(-6, 7).double()
    fine = torch.arange(-3, 3, 1 / 64).double()
    window = torch.stack(
        [(torch.sinc(fine / 3) * torch.sinc((x - fine) / 3) * ((x - fine).abs() < 3)).sum() for x in place]
    )
    line = torch.sinc(place) * window
    torch.testing.assert_close(kernel, (torch.outer(line, line) / line.sum() ** 2).float(), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("generator", "metric", "side", "said"),
    [
        (nn.Identity(), TranslationEquivariance, 32, "needs a generator whose input can be moved"),
        (Waves(side=16), RotationEquivariance, 16, "images of 16 pixels: it needs 20 a side"),
    ],
)
def test_models_that_cannot_move_are_refused_before_training(generator, metric, side, said):
    with pytest.raises(ConfigError, match=said):
        scored(generator, metric(), side)
